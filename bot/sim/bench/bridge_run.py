"""Runs the bridges of a benchmark: real parties on loopback, the bridge in a process of its own."""

from __future__ import annotations

import asyncio
import random
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bot.core.errors import Unavailable
from bot.sim.bench.bridge_node import Count, Order, Ports, Told
from bot.sim.bench.clicks import QUIET_S, BridgeRecord, click, has_click, laid, write_record
from bot.sim.browser import SimBrowser
from bot.sim.g711 import RATE, Samples
from bot.sim.packets import Packet
from bot.sim.rtp import RtpSession
from bot.sim.sip_agent import SipAgent
from bot.sim.sip_call import SipCall

SIP_SIP, SIP_WEBRTC = "sip-sip", "sip-webrtc"
KINDS = (SIP_SIP, SIP_WEBRTC)

SETTLE_S = 2.0
"""Buffers have found their length by then: what comes before is a call's beginning, not its delay."""
PERIOD_S = (0.5, 0.6)
"""From one click to the next, drawn evenly, so that no phase of 20 ms is preferred."""
WAIT_S = 15.0

Measured = tuple[BridgeRecord, Samples, Samples]


class Party(Protocol):
    """One who sends and hears."""

    @property
    def rate(self) -> int: ...
    @property
    def sent(self) -> list[Packet]: ...
    @property
    def received(self) -> list[Packet]: ...

    def say(self, samples: Samples) -> None: ...

    def answer_clicks(self) -> None:
        """Send a click for each that arrives."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`calls` of each kind, `clicks` in each; every packet of both parties is late by 0 to `jitter_s`."""

    calls: int
    clicks: int
    jitter_s: float
    seed: int
    kinds: tuple[str, ...] = KINDS


class _Answering:
    """Answers each click once, however many packets it is in."""

    def __init__(self, say: Callable[[Samples], None], rate: int) -> None:
        self._say, self._rate = say, rate
        self._last = float("-inf")

    def take(self, packet: Packet) -> None:
        if not has_click(packet.samples):
            return
        if packet.at - self._last > QUIET_S:
            self._say(click(self._rate))
        self._last = packet.at


class _Phone:
    """A SIP phone that answers at once."""

    rate = RATE

    def __init__(self, jitter: Callable[[], float]) -> None:
        self.rtp = RtpSession.open()
        self.rtp.outgoing = jitter
        self.agent = SipAgent("party", self._rung)
        self._saying: set[asyncio.Task[object]] = set()

    @property
    def sent(self) -> list[Packet]:
        return self.rtp.sent

    @property
    def received(self) -> list[Packet]:
        return self.rtp.received

    async def _rung(self, call: SipCall) -> None:
        await call.answer(self.rtp)
        await asyncio.wait((call.ended,))

    def say(self, samples: Samples) -> None:
        task: asyncio.Task[object] = asyncio.create_task(self.rtp.say(samples))
        self._saying.add(task)
        task.add_done_callback(self._saying.discard)

    def answer_clicks(self) -> None:
        self.rtp.on_packet = _Answering(self.say, self.rate).take

    async def close(self) -> None:
        await self.agent.close()
        for task in self._saying:
            task.cancel()
        await self.rtp.close()


class _Page(SimBrowser):
    def answer_clicks(self) -> None:
        self.on_packet = _Answering(self.say, self.rate).take


class _Node:
    """The process with the bridge."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def tell(self, order: Order | Ports) -> Told:
        assert self._process.stdin is not None
        self._process.stdin.write(order.model_dump_json().encode() + b"\n")
        return await self.hear()

    async def hear(self) -> Told:
        """Raises Unavailable."""
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(WAIT_S):
                line = await self._process.stdout.readline()
        except TimeoutError:
            line = b""
        if not line:
            raise Unavailable("the process with the bridge does not answer", hint="what it said is above")
        return Told.model_validate_json(line)

    async def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            async with asyncio.timeout(WAIT_S):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


def _free_ports(count: int) -> tuple[int, int]:
    """A range of UDP ports of which the first and the last are free."""
    while True:
        first = random.randrange(20000, 29000, 2)
        try:
            for port in (first, first + count - 1):
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return first, first + count - 1


@asynccontextmanager
async def _node() -> AsyncIterator[_Node]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot.sim.bench.bridge_node",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    node = _Node(process)
    try:
        ports = Ports(sip=_free_ports(2)[0], rtp=_free_ports(40), webrtc=_free_ports(20))
        await node.tell(ports)
        yield node
    finally:
        await node.close()


async def run_bridges(
    plan: Plan, capture: Path | None = None, told: Callable[[BridgeRecord], None] = lambda record: None
) -> list[Measured]:
    """Every call of the plan, one after another; `told` hears of each. Raises Unavailable."""
    measured = []
    async with _node() as node:
        for kind in plan.kinds:
            for number in range(plan.calls):
                chance = random.Random(f"{plan.seed} {kind} {number}")
                found = await _call(node, plan, kind, number, chance)
                told(found[0])
                measured.append(found)
                if capture is not None:
                    write_record(capture, *found)
    return measured


async def _call(node: _Node, plan: Plan, kind: str, number: int, chance: random.Random) -> Measured:
    def jitter() -> float:
        return chance.uniform(0.0, plan.jitter_s)

    async with AsyncExitStack() as stack:
        phones = [_Phone(jitter) for _ in range(2 if kind == SIP_SIP else 1)]
        for phone in phones:
            stack.push_async_callback(phone.close)
            await phone.agent.open()
        uris = tuple(phone.agent.uri for phone in phones)
        parties: list[Party] = list(phones)
        if kind == SIP_WEBRTC:
            page = _Page(_free_ports(4), jitter)
            stack.push_async_callback(page.close)
            parties.append(page)
            answer = (await node.tell(Order(do="join", uris=uris, offer=await page.offer()))).answer
            await page.accept(answer)
            await node.hear()
        else:
            await node.tell(Order(do="join", uris=uris))
        # Either party of a kind is the one who measures, in turn.
        first, second = parties if number % 2 == 0 else reversed(parties)
        record, sent, received = await _measure(node, plan, chance, first, second)
        await node.tell(Order(do="part"))
        return record.model_copy(update={"kind": kind, "name": f"{kind}-{number + 1}"}), sent, received


async def _measure(node: _Node, plan: Plan, chance: random.Random, first: Party, second: Party) -> Measured:
    second.answer_clicks()
    await asyncio.sleep(SETTLE_S)
    before = (await node.tell(Order(do="count"))).count
    origin = time.monotonic()
    for _ in range(plan.clicks):
        first.say(click(first.rate))
        await asyncio.sleep(chance.uniform(*PERIOD_S))
    await asyncio.sleep(PERIOD_S[1])
    after = (await node.tell(Order(do="count"))).count
    seconds = time.monotonic() - origin
    count = Count(frames=after.frames - before.frames, concealed=after.concealed - before.concealed)
    sound = [laid(packets, origin, seconds, first.rate) for packets in (first.sent, first.received)]
    record = BridgeRecord(name="", kind="", rate=first.rate, frames=count.frames, concealed=count.concealed)
    return record, sound[0], sound[1]
