"""Stand-ins for a call's neighbours, for fast tests of the call's own logic.

The line is a `ScriptedLeg` on virtual time. Words travel as loudness-free labels: `Caller.say`
plays a burst of tone and puts the words into the recogniser's queue.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from bot.call.plan import CallPlan, CallRoom, CallTexts
from bot.call.settings import CallSettings
from bot.call.speaking import Voice
from bot.core.audio import Frame, Pcm
from bot.core.context import CallContext, UserTurn, Word
from bot.core.directives import Directive, Expectation, TurnReply, Understood
from bot.core.endings import EndCause, EndKind
from bot.core.errors import DialFailed, DiskFull
from bot.core.events import CallEvent
from bot.core.ports import Transcript
from bot.core.routing import Candidate, Route, RouteOrder, RouteStep
from telephony.leg import CallLeg
from telephony.tones import tone
from tests.call.loop_clock import LoopClock

E = TypeVar("E")

FILLER, HOLD, SORRY, FAREWELL = "секунду", "соединяю", "простите", "до свидания"


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
    """A recogniser that understands what the test put into its queue."""

    vocabulary: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self.coming: deque[str] = deque()

    def open(self, rate: int, expectation: Expectation | None) -> WordStream:
        return WordStream(self.coming)


class WordStream:
    def __init__(self, coming: deque[str]) -> None:
        self._coming = coming
        self._from: float | None = None
        self._to = 0.0
        self._text: str | None = None

    async def feed(self, frame: Frame) -> str:
        if any(frame.data):
            self._from = frame.at if self._from is None else self._from
            self._to = frame.at + 0.02
        return self._text or ""

    async def settle(self) -> str:
        if self._text is None and self._from is not None and self._coming:
            self._text = self._coming.popleft()
        return self._text or ""

    async def finish(self) -> Transcript:
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
    """A router over a table of addresses: the target is the agent, and every place is free."""

    def __init__(self, agents: dict[str, str]) -> None:
        self.agents = agents
        self.claimed: list[tuple[str, str]] = []

    async def route(self, order: RouteOrder) -> Route:
        address = self.agents.get(order.target)
        if address is None:
            return Route()
        named = Candidate(agent_id=order.target, address=address, step=RouteStep.NAMED)
        return Route(candidates=(named,), owner_id=order.target)

    async def claim(self, call_id: str, agent_id: str) -> bool:
        self.claimed.append((call_id, agent_id))
        return True

    async def release(self, call_id: str, agent_id: str) -> None:
        self.claimed.remove((call_id, agent_id))


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
    agents: dict[str, str] = field(default_factory=dict)
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
            router=Desk(self.agents),
            address=self.agents.get,
            hold_music=lambda rate: tone(1.0, rate, hz=500),
            listening_sign=lambda rate: tone(0.1, rate, hz=600),
            open_recording=self.open_recording,  # type: ignore[arg-type]
            settings=self.settings,
        )

    def plan(self, *, record: bool = False) -> CallPlan:
        return CallPlan(
            attempt_id="attempt-1",
            survey_id="nps",
            context=CallContext(call_id="call-1", survey_hash="h", direction="outbound"),
            voice=Voice("ru", "ru"),
            texts=CallTexts(filler=(FILLER,), hold=(HOLD,), error=SORRY, farewell=FAREWELL),
            record=record,
        )
