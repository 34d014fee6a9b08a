"""A scenario with everything that is left of it: reports, events, stored rows, and the sound itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from bot.core.control import ControlClient
from bot.core.events import CallEvent
from bot.settings_rooms import speech_settings, store_settings
from bot.sim.capture import read_capture
from bot.sim.g711 import RATE
from bot.sim.measure import TurnList
from bot.sim.messages import PeerSpec
from bot.sim.peer_process import PeerProcess
from bot.sim.results import CallReport, SimReport
from bot.sim.run import run_scenario
from bot.sim.scenario import Scenario
from bot.speech.prompts import PromptCache
from bot.speech.synthesiser import SynthesiserClient
from bot.store import queries
from bot.store.database import Database
from tests.node.running import RunningNode

DEAD_AIR_S = 2.0
"""Nobody waits longer in silence."""

SAME, ANOTHER = 0.75, 0.6
"""Likeness above which a stretch of sound is the sentence that was looked for, and below which it is
certainly another one. Measured: a sentence with two holes of 20 ms torn into it is above 0.83, two
sentences of one voice are below 0.53 in 99 of 100 pairs (the rest share most of their words)."""

BLOCK_S, SLACK_S = 0.25, 0.2
"""A sentence is compared in blocks, each of which may have slipped a little: where packets came late on a
busy machine, the jitter buffers of both ends move what follows, by some packets each."""

Sound = NDArray[np.int16]
E = TypeVar("E", bound=CallEvent)


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a sound (in seconds) something is, or what is most like it, and how like (1: the same)."""

    at_s: float
    likeness: float


def place_of(piece: Sound, sound: Sound) -> Place:
    """The best place of `piece` in `sound`."""
    if piece.size > sound.size:
        return Place(0.0, 0.0)
    at = int(np.argmax(_cosines(piece, sound)))
    slack = round(SLACK_S * RATE)
    alike = whole = 0.0
    for block, begin in _blocks(piece):
        around = sound[max(at + begin - slack, 0) : at + begin + block.size + slack]
        power = float(np.square(block, dtype=np.float64).sum())
        whole += power
        alike += power * float(_cosines(block, around).max()) if power else 0.0
    return Place(at / RATE, alike / whole if whole else 0.0)


def _blocks(piece: Sound) -> list[tuple[Sound, int]]:
    edges = np.linspace(0, piece.size, max(round(piece.size / (BLOCK_S * RATE)), 1) + 1).astype(int)
    return [(piece[begin:end], int(begin)) for begin, end in pairwise(edges)]


def _cosines(piece: Sound, sound: Sound) -> NDArray[np.float64]:
    """The cosine of `piece` and what is there, for every place where it fits into `sound`."""
    wanted, whole = piece.astype(np.float64), sound.astype(np.float64)
    size = 1 << (piece.size + sound.size).bit_length()
    product = np.fft.irfft(np.fft.rfft(whole, size) * np.conj(np.fft.rfft(wanted, size)), size)
    sums = np.concatenate([[0.0], np.cumsum(whole**2)])
    power = float(wanted @ wanted)
    there = np.maximum(
        sums[piece.size :] - sums[: -piece.size], power / 100
    )  # next to nothing is like nothing
    cosines: NDArray[np.float64] = product[: there.size] / np.sqrt(there * power)
    return cosines


@dataclass(frozen=True, slots=True)
class Capture:
    """What a telephone sent and received, on its own clock."""

    turns: TurnList
    sent: Sound
    received: Sound

    @classmethod
    def read(cls, folder: Path, name: str) -> Capture:
        return cls(*read_capture(folder / f"{name}.json"))


@dataclass(frozen=True, slots=True)
class Talk:
    """What came of a scenario."""

    report: SimReport
    events: list[CallEvent]
    folder: Path

    def call(self, name: str) -> CallReport:
        (found,) = [call for call in self.report.calls if call.name == name]
        return found

    def of(self, name: str, kind: type[E]) -> list[E]:
        """The events of one kind in one call."""
        call_id = self.call(name).call_id
        return [event for event in self.events if event.call_id == call_id and isinstance(event, kind)]

    def capture(self, name: str) -> Capture:
        return Capture.read(self.folder, name)


async def talk(
    node: RunningNode,
    script: Scenario,
    folder: Path,
    control: ControlClient,
    on_event: Callable[[CallEvent], None] = lambda event: None,
) -> Talk:
    events: list[CallEvent] = []

    def see(event: CallEvent) -> None:
        events.append(event)
        on_event(event)

    report = await run_scenario(script, control, node.sip, folder, see)
    return Talk(report, events, folder)


@asynccontextmanager
async def agents(control: ControlClient, *specs: PeerSpec) -> AsyncIterator[dict[str, PeerProcess]]:
    """Agents' telephones, each under the entry of the agents' table that is its name."""
    async with AsyncExitStack() as stack:
        peers = await asyncio.gather(*(PeerProcess.start(spec) for spec in specs))
        for peer in peers:
            stack.push_async_callback(peer.close)
            await control.request("set_agent", target=peer.spec.name, uri=peer.uri)
        yield {peer.spec.name: peer for peer in peers}


def sentence(node: RunningNode, text: str) -> Sound:
    """What the node says for a text, as it keeps it on disk."""

    async def read() -> bytes:
        speech = speech_settings(node.settings)
        synthesiser = SynthesiserClient(speech.synthesiser)
        try:
            cache = PromptCache(synthesiser, speech.prompts)
            return (await cache.get(text, voice="", language="ru", rate=RATE)).data
        finally:
            await synthesiser.close()

    return np.frombuffer(asyncio.run(read()), "<i2")


def stored(node: RunningNode, call_id: str) -> queries.Call:
    """A call as SQL has it, read past the node."""

    async def read() -> Any:
        async with Database.open(store_settings(node.settings)) as database:
            return await queries.call(database, call_id)

    found = asyncio.run(read())
    assert isinstance(found, queries.Call)
    return found
