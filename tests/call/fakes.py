"""Stand-ins for a call's neighbours, for fast tests of the call's own logic.

The line is a `ScriptedLeg` on virtual time. Words travel as loudness-free labels: `Caller.say`
plays a burst of tone and puts the words into the recogniser's queue.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, TypeVar

from bot.call.plan import CallPlan, CallRoom, CallTexts
from bot.call.settings import CallSettings
from bot.call.speaking import Voice
from bot.core.audio import Frame, Pcm
from bot.core.context import CallContext, UserTurn, Word
from bot.core.directives import Directive, Expectation, TurnReply, Understood
from bot.core.endings import EndCause, EndKind
from bot.core.errors import DialFailed, DiskFull, RecogniserUnavailable, Unavailable
from bot.core.events import CallEvent
from bot.core.ports import Transcript
from bot.core.returning import OpenMatter, Returning
from bot.core.routing import Candidate, Route, RouteOrder, RouteStep, Skipped
from bot.surveys.handover_words import RUSSIAN
from telephony.leg import CallLeg
from telephony.tones import tone
from tests.call.loop_clock import LoopClock

E = TypeVar("E")

DUE_AT = datetime(2026, 3, 2, 12, tzinfo=UTC)

FILLER, HOLD, SORRY, FAREWELL = "секунду", "соединяю", "простите", "до свидания"
RECORDED = "запись"
WORDS = RUSSIAN


class Sink:
    """Keeps events in memory; `full` makes it a full disk."""

    def __init__(self) -> None:
        self.events: list[CallEvent] = []
        self.full = False
        self._grown = asyncio.Event()

    async def until(self, holds: Callable[[], object]) -> None:
        """Waits until this is true after some event."""
        while not holds():
            self._grown.clear()
            await self._grown.wait()

    async def commit(self, event: CallEvent) -> None:
        if self.full:
            raise DiskFull("no space left")
        self.events.append(event)
        self._grown.set()

    def kinds(self) -> list[str]:
        return [event.kind for event in self.events]

    def of(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]


class Voices:
    """Every prompt is a tone of 50 ms a letter, so that its length tells which one was played."""

    async def prepare(self, texts: tuple[str, ...], *, voice: str, language: str, rate: int) -> None: ...

    async def get(self, text: str, *, voice: str, language: str, rate: int) -> Pcm:
        return tone(0.05 * len(text), rate)


class Loudness:
    """Voice is whatever is not digital silence."""

    async def probability(self, frame: Frame) -> float:
        return 1.0 if any(frame.data) else 0.0


class Words:
    """A recogniser that understands what the test put into its queue; `partial` is what it makes of any
    sound before."""

    vocabulary: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self.coming: deque[str] = deque()
        self.partial = ""
        self.dead = False
        self.finish_s = 0.0

    def open(self, rate: int, expectation: Expectation | None) -> WordStream:
        if self.dead:
            raise RecogniserUnavailable("gone")
        return WordStream(self.coming, lambda: self.partial, self.finish_s)


class WordStream:
    def __init__(self, coming: deque[str], partial: Callable[[], str] = str, finish_s: float = 0.0) -> None:
        self._coming = coming
        self._partial = partial
        self._finish_s = finish_s
        self._from: float | None = None
        self._to = 0.0
        self._text: str | None = None

    async def feed(self, frame: Frame, voice: float = 1.0) -> str:
        if any(frame.data):
            self._from = frame.at if self._from is None else self._from
            self._to = frame.at + 0.02
        return self._text or (self._partial() if self._from is not None else "")

    async def settle(self) -> str:
        if self._text is None and self._from is not None and self._coming:
            self._text = self._coming.popleft()
        return self._text or ""

    async def finish(self) -> Transcript:
        await asyncio.sleep(self._finish_s)
        text = await self.settle()
        start = self._from or 0.0
        words = tuple(Word(text=word, start=start, end=self._to, confidence=1.0) for word in text.split())
        return Transcript(text, words)

    def close(self) -> None: ...


@dataclass
class Dialogue:
    """Answers each turn with the next of `replies`: directives, an error to raise, or a callable."""

    replies: deque[tuple[Directive, ...] | Exception] = field(default_factory=deque)
    turns: list[UserTurn] = field(default_factory=list)
    slow_s: float = 0.0
    parsed: list[str] = field(default_factory=list)

    async def start(self, context: CallContext) -> TurnReply:
        return await self._next()

    async def turn(self, call_id: str, turn: UserTurn) -> TurnReply:
        self.turns.append(turn)
        return await self._next()

    async def parse(self, text: str) -> Understood | None:
        self.parsed.append(text)
        return None

    async def _next(self) -> TurnReply:
        if self.slow_s:
            await asyncio.sleep(self.slow_s)
        reply = self.replies.popleft()
        if isinstance(reply, Exception):
            raise reply
        return TurnReply(directives=reply)


class Phones:
    """What is reached by dialling: a leg by URI, or busy."""

    def __init__(self) -> None:
        self.legs: dict[str, CallLeg] = {}
        self.ringing_s = 0.0
        self.cancelled: list[str] = []

    async def dial(
        self, uri: str, timeout_s: float, placed: Callable[[CallLeg], None] | None = None
    ) -> CallLeg:
        try:
            await asyncio.sleep(self.ringing_s)
        except asyncio.CancelledError:
            self.cancelled.append(uri)
            raise
        if uri not in self.legs:
            raise DialFailed("busy", cause=EndCause(EndKind.BUSY, 486))
        leg = self.legs[uri]
        if placed is not None:
            placed(leg)
        await leg.established(timeout_s)
        return leg


class Desk:
    """Routing as the test has it: `people` by target, each with an address and so many `places`; `claims`
    are those that are taken now."""

    def __init__(self) -> None:
        self.people: dict[str, list[Candidate]] = {}
        self.skipped: tuple[Skipped, ...] = ()
        self.places: dict[str, int] = {}
        self.claims: dict[str, set[str]] = {}
        self.orders: list[RouteOrder] = []
        self.owner_id = "chief"
        self.down = False

    def person(self, target: str, agent_id: str, address: str = "", *, voicemail: bool = True) -> None:
        candidate = Candidate(
            agent_id=agent_id,
            address=address or f"sip:{agent_id}@test.invalid",
            step=RouteStep.OWNER,
            voicemail=voicemail,
        )
        self.people.setdefault(target, []).append(candidate)
        self.people.setdefault(agent_id, [candidate])

    @property
    def taken(self) -> int:
        return sum(map(len, self.claims.values()))

    async def route(self, order: RouteOrder) -> Route:
        self._must_be_up()
        self.orders.append(order)
        return Route(
            candidates=tuple(self.people.get(order.target, ())),
            skipped=self.skipped,
            owner_id=self.owner_id,
            due_at=DUE_AT,
        )

    async def claim(self, call_id: str, agent_id: str) -> bool:
        self._must_be_up()
        calls = self.claims.setdefault(agent_id, set())
        if call_id not in calls and len(calls) >= self.places.get(agent_id, 1):
            return False
        calls.add(call_id)
        return True

    async def release(self, call_id: str, agent_id: str) -> None:
        self._must_be_up()
        self.claims.get(agent_id, set()).discard(call_id)

    def _must_be_up(self) -> None:
        if self.down:
            raise Unavailable("control is away")


async def nobody_returns(remote: str) -> OpenMatter | None:
    return None


class NoRecording:
    def __call__(self, call_id: str, rate: int) -> object:
        raise AssertionError("this survey is not recorded")


@dataclass
class Bench:
    """A room with all its stand-ins in reach."""

    sink: Sink = field(default_factory=Sink)
    dialogue: Dialogue = field(default_factory=Dialogue)
    words: Words = field(default_factory=Words)
    phones: Phones = field(default_factory=Phones)
    voices: Voices = field(default_factory=Voices)
    desk: Desk = field(default_factory=Desk)
    returning: Returning = nobody_returns
    settings: CallSettings = field(default_factory=CallSettings)
    open_recording: Callable[[str, int], object] = field(default_factory=NoRecording)

    def room(self) -> CallRoom:
        return CallRoom(
            dialogue=self.dialogue,
            recogniser=self.words,
            vad=lambda rate: Loudness(),
            prompts=self.voices,
            sink=self.sink,
            clock=LoopClock(),
            watcher=lambda event: None,
            dial=self.phones.dial,
            router=self.desk,
            returning=self.returning,
            hold_music=lambda rate: tone(1.0, rate, hz=500),
            listening_sign=lambda rate: tone(0.1, rate, hz=600),
            open_recording=self.open_recording,  # type: ignore[arg-type]
            settings=self.settings,
        )

    def plan(
        self,
        *,
        record: bool = False,
        call_id: str = "call-1",
        direction: Literal["inbound", "outbound"] = "outbound",
    ) -> CallPlan:
        return CallPlan(
            attempt_id="attempt-1",
            survey_id="nps",
            context=CallContext(call_id=call_id, survey_hash="h", direction=direction),
            voice=Voice("ru", "ru"),
            texts=CallTexts(
                filler=(FILLER,),
                hold=(HOLD,),
                error=SORRY,
                farewell=FAREWELL,
                agent_recorded=RECORDED,
                handover=WORDS,
            ),
            record=record,
        )
