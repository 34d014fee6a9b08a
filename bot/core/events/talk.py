"""The talk: what the bot said, what it heard, what that was taken for."""

from __future__ import annotations

from typing import Literal

from bot.core.answer import Answer
from bot.core.context import TurnSource, Word
from bot.core.events.event import Event
from bot.core.intents import Intent, Topic


class PromptStarted(Event):
    """`purpose` is a `Say.purpose`, `question`, `offer` or `filler`; `question_id` where one is put."""

    kind: Literal["prompt_started"] = "prompt_started"
    prompt: int
    purpose: str
    text: str
    duration_s: float
    question_id: str = ""
    attempt: int = 1
    protected: bool = False


class PromptPaused(Event):
    """Somebody seems to talk over the prompt: it fell silent. `heard_s` is how much of it was played;
    `voice_s` the media time at which that voice began."""

    kind: Literal["prompt_paused"] = "prompt_paused"
    prompt: int
    heard_s: float
    voice_s: float


class PromptResumed(Event):
    """It goes on: the sound over it was no turn. `because` says why (`BargeInReason`)."""

    kind: Literal["prompt_resumed"] = "prompt_resumed"
    prompt: int
    because: str


class PromptEnded(Event):
    """`heard_s` is how much of it was played to the line; `completed` is False after a barge-in."""

    kind: Literal["prompt_ended"] = "prompt_ended"
    prompt: int
    heard_s: float
    completed: bool


class ListeningStarted(Event):
    kind: Literal["listening_started"] = "listening_started"
    question_id: str
    expects: str


class TurnHeard(Event):
    """What the caller did at a question: words, keys or nothing; or a remark over a prompt that asked
    nothing, and then `question_id` is empty.

    `started_s` and `ended_s` are the media times of the first and last voiced sound;
    `unknown_share` is the share of words that the recogniser does not know.
    """

    kind: Literal["turn_heard"] = "turn_heard"
    question_id: str
    source: TurnSource
    text: str = ""
    words: tuple[Word, ...] = ()
    digits: str = ""
    unknown_share: float = 0.0
    started_s: float | None = None
    ended_s: float | None = None


class TurnUnderstood(Event):
    kind: Literal["turn_understood"] = "turn_understood"
    intent: Intent
    confidence: float
    topic: Topic | None = None


class AnswerRecorded(Event):
    kind: Literal["answer_recorded"] = "answer_recorded"
    question_id: str
    question_kind: str
    answer: Answer


class ReplyMeasured(Event):
    """The bot's own estimate of one reply gap and where it went, in milliseconds.

    The gap that counts is measured at the caller's socket; this one is from the caller's last
    voiced sound as our VAD saw it to the first frame of our answer handed to the line.
    """

    kind: Literal["reply_measured"] = "reply_measured"
    question_id: str
    gap_ms: float
    endpointing_ms: float
    recognition_ms: float
    dialogue_ms: float
    first_audio_ms: float


class DialogueFailed(Event):
    kind: Literal["dialogue_failed"] = "dialogue_failed"
    reason: str
