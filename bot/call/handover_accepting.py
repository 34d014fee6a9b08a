"""The agent has picked up: who it is for and why, and whether he takes it.

    greeting ──► whisper ──► «нажмите один …» ──► listening ──► decided
                    ▲                                 │ neither yes nor no, a few times
                    └─────────────────────────────────┘

A key and the button count at any moment; words only once he was asked, for whoever picks up says «да»
by itself. A mailbox can do none of it, and is let go as soon as it is known for one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import structlog

from bot.call.answering.watch import AnswerWatch
from bot.call.handover_parts import Parts, Reason
from bot.call.handover_reading import DECISION, NO, WAITING, YES, decision_of
from bot.call.handover_waiting import let_go
from bot.call.listening import Ear
from bot.call.speaking import Speaker
from bot.call.talking_over import TalkOver
from bot.call.waiting import first_of
from bot.core.context import TurnSource
from bot.core.errors import LegClosed, RecogniserUnavailable, SynthesiserUnavailable
from bot.core.events import PromptStarted
from bot.surveys.breaks import without_breaks
from telephony.leg import CallLeg

log = structlog.get_logger()

By = Literal["key", "voice", "button", "auto"]

_DECIDES_S = 4.0
"""How long an agent who was asked may think before he is told again."""


@dataclass(frozen=True, slots=True)
class Decision:
    """`reason` is None where the agent takes the caller."""

    by: By = "auto"
    reason: Reason | None = None


class Accepting:
    """One agent on his line, once. `button` resolves when he decides at his desk; `told` are the sentences
    that he has heard out."""

    def __init__(
        self,
        parts: Parts,
        agent: CallLeg,
        ear: Ear,
        watch: AnswerWatch,
        *,
        over: asyncio.Future[Reason],
        button: asyncio.Future[bool],
        mailbox: bool,
    ) -> None:
        self._parts = parts
        self._agent = agent
        self._ear = ear
        self._watch = watch
        self._over = over
        self._button = button
        self._mailbox = mailbox
        self._speaker: Speaker = parts.agent_speaker(agent)
        self.told: set[str] = set()

    async def decide(self, whisper: Sequence[str]) -> Decision:
        """Whisper these sentences, and what the agent makes of them. Raises DiskFull."""
        settings = self._parts.room.settings
        asking = asyncio.ensure_future(self._ask([text for text in whisper if text]))
        keys = asyncio.ensure_future(self._keyed())
        machine = [self._watch.machine] if self._mailbox else []
        try:
            await first_of(
                asking,
                keys,
                self._button,
                self._over,
                self._agent.ended,
                *machine,
                timeout_s=settings.handover_decide_s,
            )
            if self._over.done():
                return Decision(reason=self._over.result())
            if self._button.done():
                return _decided(self._button.result(), "button")
            if keys.done() and not self._agent.ended.done():
                return _decided(keys.result(), "key")
            if self._agent.ended.done():
                return Decision(reason="agent_left")
            if self._mailbox and self._watch.machine.done():
                return Decision(reason="voicemail")
            return self._said(asking)
        finally:
            await let_go(keys)
            await let_go(asking)

    def _said(self, asking: asyncio.Future[bool | None]) -> Decision:
        if not asking.done():
            return Decision(reason="undecided")
        try:
            accepted = asking.result()
        except LegClosed:
            return Decision(reason="agent_left")
        return Decision(reason="undecided") if accepted is None else _decided(accepted, "voice")

    async def _keyed(self) -> bool:
        """The first key that decides; other keys are slips of the finger."""
        async for digit in self._agent.digits():
            if digit.key in (YES, NO):
                return digit.key == YES
        return False

    async def _ask(self, whisper: Sequence[str]) -> bool | None:
        """Tell him and listen, a few times; None where he said neither. Raises LegClosed."""
        await self._watch.turn_to_speak()
        for times in range(self._parts.room.settings.handover_whispers):
            for text in whisper:
                await self._tell(text)
            if not times:
                self._ear.unheard()  # what he said before he was asked decides nothing
            accepted = await self._hear()
            if accepted is not None:
                return accepted
        return None

    async def _tell(self, text: str) -> None:
        self._own_words(text)
        try:
            if await self._speaker.say(text, purpose="whisper"):
                self.told.add(text)
        except SynthesiserUnavailable as error:
            # He is there, and so is the caller: better asked with few words than not at all.
            log.warning("agent not told who and why", reason=error.message)

    def _own_words(self, text: str) -> None:
        """Where they come back from his line, they are no mailbox's."""
        self._watch.saw(
            PromptStarted(
                call_id=self._parts.journal.call_id,
                seq=0,
                at=self._parts.room.clock.now(),
                prompt=0,
                purpose="whisper",
                text=without_breaks(text),
                duration_s=0.0,
            )
        )

    async def _hear(self) -> bool | None:
        """The question, and the answer to it, which may come before its end."""
        over = TalkOver(self._ear, DECISION, _DECIDES_S)
        keyed = self._ear.expect_keys(WAITING)
        try:
            accept = self._parts.plan.texts.handover.accept
            self._own_words(accept)
            await self._speaker.say(accept, purpose="whisper", guard=over, interrupt=keyed)
            heard = await over.heard()
        except (SynthesiserUnavailable, RecogniserUnavailable) as error:
            log.warning("agent not asked for his word", reason=error.message)
            await asyncio.sleep(_DECIDES_S)  # a key or the button may still decide
            return None
        if heard is None or heard.source is TurnSource.DTMF:
            return None  # the line is over, or the key is taken where all keys are
        return decision_of(heard)


def _decided(accepted: bool, by: By) -> Decision:
    return Decision(by) if accepted else Decision(by, "declined")
