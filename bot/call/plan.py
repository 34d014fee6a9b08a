"""What a call needs: the plan of this one call, and the room that every call of a worker shares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.call.dialling import Dial
from bot.call.journal import Watcher
from bot.call.settings import CallSettings
from bot.call.speaking import Voice
from bot.call.tape import OpenRecording
from bot.core.attribution import Attribution
from bot.core.audio import Pcm
from bot.core.clock import Clock
from bot.core.context import CallContext
from bot.core.ports import Dialogue, EventSink, Prompts, Recogniser, VoiceActivity
from bot.core.returning import Returning
from bot.core.routing import Router
from bot.surveys.handover_words import RUSSIAN, HandoverWords
from bot.surveys.schema import Survey


@dataclass(frozen=True, slots=True)
class CallTexts:
    """What the bot says of its own accord, in the survey's language.

    `filler` bridges a slow moment and `hold` is for a caller who waits for an agent: wordings that
    are used in turn. `error` is the apology before a clean end, `farewell` follows a talk with an
    agent. `agent_recorded` tells an agent that he is; `handover` is what a transfer says by itself.
    """

    filler: tuple[str, ...]
    hold: tuple[str, ...]
    error: str
    farewell: str
    agent_recorded: str = ""
    handover: HandoverWords = RUSSIAN


@dataclass(frozen=True, slots=True)
class CallPlan:
    """One call: which survey, for which attempt, in whose voice. `message` is left on a mailbox, if any;
    with a `survey` at hand the call foresees what the dialogue will say. Of a call that came in, what is
    known of it as `CallStarted` has it."""

    attempt_id: str
    survey_id: str
    context: CallContext
    voice: Voice
    texts: CallTexts
    record: bool = False
    contact_id: str = ""
    message: str = ""
    survey: Survey | None = None
    conversation_id: str = ""
    phone: str = ""
    about: str = ""
    attribution: Attribution | None = None


@dataclass(frozen=True, slots=True)
class CallRoom:
    """The parts that a worker's calls share.

    `vad` makes a voice activity detector for a rate; `router` says who takes handovers; `returning`
    tells of the matter of a caller, by his URI, that is still open, or None; `hold_music` and
    `listening_sign` (the quiet sound for a caller who thinks) are made for a rate.
    """

    dialogue: Dialogue
    recogniser: Recogniser
    vad: Callable[[int], VoiceActivity]
    prompts: Prompts
    sink: EventSink
    clock: Clock
    watcher: Watcher
    dial: Dial
    router: Router
    returning: Returning
    hold_music: Callable[[int], Pcm]
    listening_sign: Callable[[int], Pcm]
    open_recording: OpenRecording
    settings: CallSettings
