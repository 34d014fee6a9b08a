"""One caller, the agents of a route, and what these people do, on virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from itertools import pairwise
from typing import Any, TypeVar

from bot.call.session import CallSession
from bot.core.directives import Callback, End, Transfer
from bot.core.endings import Disposition
from bot.core.events import (
    Answered,
    CallbackPromised,
    CaseOpened,
    HandoverConnected,
    HandoverRinging,
    ListeningStarted,
    PromptStarted,
)
from bot.core.routing import DESK
from telephony.scripted import ScriptedLeg
from telephony.tones import tone
from telephony.virtual_time import run
from tests.call.fakes import DUE_AT, WORDS, Bench

E = TypeVar("E")

ORDER = Transfer(target="responsible", reason="low_score", text="сейчас соединю", whisper="недоволен")
NOBODY = "все заняты"
FAILED = (Callback(by="agent"), End(disposition=Disposition.CALLBACK, text=NOBODY))
DEAD_AIR_S = 2.0


class Scene:
    """One caller, the agents of a route, and a survey that says `ORDER`."""

    def __init__(self, *agents: str, **settings: Any) -> None:
        self.bench = Bench()
        self.bench.settings = replace(self.bench.settings, **settings)
        self.bench.dialogue.replies.extend([(ORDER,), FAILED])
        self.bench.phones.ringing_s = 1.0
        self.caller: ScriptedLeg
        self.session: CallSession
        self.phones: dict[str, ScriptedLeg] = {}
        self.names = agents
        self.prefix, self.suffix = "sip:", "@test.invalid"
        self.picks_up = True

    def play(self, *acts: Callable[[Scene], Coroutine[Any, Any, None]]) -> Disposition:
        """The call to its end, with what the people do beside it; then nothing may be left over."""

        async def call() -> Disposition:
            self.caller = ScriptedLeg()
            for name in self.names:
                self.add(name)
            self.session = CallSession(self.bench.plan(), self.bench.room())
            task = asyncio.create_task(self.session.inbound(self.caller))
            doing = [asyncio.create_task(act(self)) for act in acts]
            disposition = await task
            for act in doing:
                act.cancel()
            for outcome in await asyncio.gather(*doing, return_exceptions=True):
                if isinstance(outcome, Exception):
                    raise outcome
            return disposition

        disposition = run(call())
        assert self.bench.desk.taken == 0, "every place was given back"
        stopped = self.bench.phones.cancelled
        assert all(
            leg.ended.done() or f"sip:{name}@test.invalid" in stopped
            for name, leg in self.phones.items()
            if self.rang(name) and not self.caller.transfers
        ), "no phone rings for nobody"
        assert max(self.silences(), default=0.0) < DEAD_AIR_S
        return disposition

    def add(self, name: str) -> None:
        self.bench.desk.person("responsible", name, self.address(name))
        self.line(name)

    def line(self, name: str) -> None:
        """A new line for whoever is rung next by this name."""
        address = self.address(name)
        self.phones[name] = ScriptedLeg(direction="outbound", answered=self.picks_up)
        rung_at = f"{address}@call-1" if address.startswith(DESK) else address
        self.bench.phones.legs[rung_at] = self.phones[name]

    def address(self, name: str) -> str:
        return f"{self.prefix}{name}{self.suffix}"

    def of(self, kind: type[E]) -> list[E]:
        return self.bench.sink.of(kind)

    def rang(self, name: str) -> int:
        return sum(event.agent_id == name for event in self.of(HandoverRinging))

    def said(self) -> list[str]:
        return [event.text for event in self.of(PromptStarted)]

    async def until(self, holds: Callable[[], object]) -> None:
        await self.bench.sink.until(holds)

    async def asked(self, times: int = 1) -> None:
        """Until an agent is being asked for his word for the n-th time."""
        await self.until(lambda: self.said().count(WORDS.accept) >= times)

    async def speak(self, leg: ScriptedLeg, words: str) -> None:
        self.bench.words.coming.append(words)
        leg.say(tone(0.6, leg.rate))
        await leg.said()

    def silences(self) -> list[float]:
        """Seconds between the sounds that the caller heard; a talk is none, nor is his own turn to speak."""
        spans = [(at, at + pcm.seconds) for at, pcm in self.caller.played]
        asked = [event.media_s for event in self.of(ListeningStarted) if event.media_s is not None]
        taken = [*asked, *map(self._since_answer, self.of(HandoverConnected))]
        return [
            later[0] - earlier[1]
            for earlier, later in pairwise(spans)
            if not any(earlier[1] - 0.1 <= at <= later[0] for at in taken)
        ]

    def _since_answer(self, event: HandoverConnected) -> float:
        (answered,) = self.of(Answered)
        return (event.at - answered.at).total_seconds()

    def owed(self, reason: str) -> None:
        """A case with an owner and a deadline, and the caller was told where he was still there."""
        (promised,), (case,) = self.of(CallbackPromised), self.of(CaseOpened)
        for owed in (promised, case):
            assert (owed.reason, owed.owner_id, owed.due_at) == (reason, "chief", DUE_AT)
        assert case.callback


def accepts(name: str, key: str = "1") -> Callable[[Scene], Coroutine[Any, Any, None]]:
    """An agent who presses a key when asked, talks a while, and hangs up."""

    async def act(scene: Scene) -> None:
        await scene.asked()
        await asyncio.sleep(0.5)
        scene.phones[name].press(key)
        await scene.until(lambda: scene.of(HandoverConnected))
        await talk(scene, name)
        scene.phones[name].remote_hang_up()

    return act


async def talk(scene: Scene, name: str, seconds: float = 3.0) -> None:
    agent = scene.phones[name]
    before = len(scene.caller.relayed), len(agent.relayed)
    scene.caller.say(tone(seconds, 8000))
    agent.say(tone(seconds, 8000))
    await agent.said()
    assert any(any(frame.data) for frame in scene.caller.relayed[before[0] :])
    assert any(any(frame.data) for frame in agent.relayed[before[1] :])
