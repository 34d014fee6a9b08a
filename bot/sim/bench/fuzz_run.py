"""Fuzzes a running node over SIP, SDP, RTP, RTCP and STUN while calls go through it."""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from bot.core.control import ControlClient
from bot.sim.bench.fuzz_calls import Line, LiveEnd
from bot.sim.bench.fuzz_seeds import Seeds
from bot.sim.bench.mutations import Mutator

KINDS = ("sip", "sdp", "rtp", "rtcp", "stun")
WEIGHTS = (50, 20, 15, 8, 7)
"""Of a hundred messages; SIP has the most ways."""
_TCP_SHARE = 0.05
_TAKEN_SHARE = 0.03
"""INVITEs to a number that is answered: each that nobody confirms holds a line for eight seconds."""
NOBODY = "nobody"
"""A number without a survey: its calls are read, and refused at once."""
_TICK_S = 0.02
_ANSWER_S = 5.0


@dataclass(frozen=True, slots=True)
class Fuzzing:
    """`lines` live calls at any time, `rate` damaged messages a second, for `seconds`; calls that are on then
    go to their end."""

    seconds: float
    seed: int
    number: str
    keys: dict[str, str]
    lines: int = 2
    rate: int = 200


@dataclass(frozen=True, slots=True)
class FuzzFound:
    """What came of it. RSS (MB) is of the process that holds the calls: after its first call, at the end."""

    sent: dict[str, int]
    crashes: int
    ends: tuple[LiveEnd, ...]
    rss_first_mb: float
    rss_last_mb: float
    answers: bool

    @property
    def lost(self) -> list[str]:
        return [end.why for end in self.ends if end.why and not end.refused]

    @property
    def well(self) -> bool:
        return self.answers and not self.crashes and not self.lost


async def fuzz(
    plan: Fuzzing, control: ControlClient, tell: Callable[[str], None] = lambda line: None
) -> FuzzFound:
    """Raises NodeUnavailable where the node itself goes; a worker that dies is counted."""
    node = str((await control.request("status"))["sip"])
    lines = [Line(f"live-{index}", plan.number, plan.keys, control) for index in range(plan.lines)]
    await control.watch()
    watching = asyncio.create_task(_forward(control, lines))
    try:
        ends = [await lines[0].call(node)]  # what is loaded once is loaded before the memory is looked at
        pid = await _worker(control)
        first = _rss_mb(pid)
        over = asyncio.Event()
        workers = asyncio.create_task(_follow(control, pid, over))
        talking = [asyncio.create_task(_talk(line, node, over, tell)) for line in lines]
        sent = await _send(plan, node, lines)
        over.set()
        for task in talking:
            ends += await task
        ends.append(replace(await lines[0].call(node), refused=False))  # and then it takes calls as before
        crashes, pid = await workers
        answers = await asyncio.to_thread(answers_options, node)
        return FuzzFound(dict(sent), crashes, tuple(ends), first, _rss_mb(pid), answers)
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching


async def _forward(control: ControlClient, lines: Iterable[Line]) -> None:
    async for event in control.events():
        for line in lines:
            line.take(event)


async def _talk(line: Line, node: str, over: asyncio.Event, tell: Callable[[str], None]) -> list[LiveEnd]:
    ends: list[LiveEnd] = []
    while not over.is_set():
        ends.append(await line.call(node))
        tell(f"{line.name}: {ends[-1].why or 'ok'}")
    return ends


async def _worker(control: ControlClient) -> int:
    return int((await control.request("status")).get("pid", 0))


async def _follow(control: ControlClient, pid: int, over: asyncio.Event) -> tuple[int, int]:
    """How often the process with the calls was another one than before, and which it is at the end."""
    crashes = 0
    while True:
        ending = over.is_set()
        now = await _worker(control)
        if now != pid:
            crashes, pid = crashes + bool(now), now or pid
        if ending:
            return crashes, pid
        with suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), 1.0)


def _rss_mb(pid: int) -> float:
    """Resident memory of a process of this machine (Linux: /proc/<pid>/status)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise ProcessLookupError(f"{pid} has no memory: it has ended")


def answers_options(node: str) -> bool:
    """Whether the stack answers an OPTIONS, asked up to five times."""
    host, _, port = node.rpartition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.bind(("127.0.0.1", 0))
        asking.settimeout(_ANSWER_S / 5)
        own = f"127.0.0.1:{asking.getsockname()[1]}"
        mark = f"{random.getrandbits(64):x}"
        question = (
            f"OPTIONS sip:x@{node} SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bK{mark}\r\n"
            f"From: <sip:a@{own}>;tag={mark}\r\nTo: <sip:x@{node}>\r\nCall-ID: {mark}\r\nCSeq: 1 OPTIONS\r\n"
            "Max-Forwards: 5\r\nContent-Length: 0\r\n\r\n"
        ).encode()
        for _ in range(5):
            asking.sendto(question, (host, int(port)))
            with suppress(TimeoutError):
                return asking.recv(65_535).startswith(b"SIP/2.0 200")
    return False


async def _send(plan: Fuzzing, node: str, lines: list[Line]) -> Counter[str]:
    """Damaged messages at their rate until the time is over."""
    host, _, port = node.rpartition(":")
    sent: Counter[str] = Counter(dict.fromkeys(KINDS, 0))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.setblocking(False)
        source = Source(plan, node, f"127.0.0.1:{sock.getsockname()[1]}")
        began = time.monotonic()
        count = 0
        while (passed := time.monotonic() - began) < plan.seconds:
            while count < passed * plan.rate:
                count += 1
                kind, message = source.next()
                sent[kind] += 1
                if kind == "sip" and source.over_tcp():
                    await _over_tcp(host, int(port), message)
                    continue
                for target in _targets(kind, (host, int(port)), lines):
                    with suppress(BlockingIOError, ConnectionRefusedError):  # nobody is owed a datagram
                        sock.sendto(message, target)
            while True:  # what the node answers is not looked at, and must not pile up
                try:
                    sock.recv(65_535)
                except (BlockingIOError, ConnectionRefusedError):
                    break
            await asyncio.sleep(_TICK_S)
    return sent


def _targets(kind: str, sip: tuple[str, int], lines: list[Line]) -> list[tuple[str, int]]:
    if kind in ("sip", "sdp"):
        return [sip]
    heard = [line.at for line in lines if line.at is not None]
    if kind == "stun":
        return [sip, *heard]
    return [(host, port + (kind == "rtcp")) for host, port in heard]


async def _over_tcp(host: str, port: int, message: bytes) -> None:
    with suppress(OSError):  # the node may hang up on such a guest
        _, writer = await asyncio.open_connection(host, port)
        writer.write(message)
        await writer.drain()
        writer.close()
        await writer.wait_closed()


class Source:
    """Damaged messages without end, the same for the same seed."""

    def __init__(self, plan: Fuzzing, node: str, own: str) -> None:
        self._rng = random.Random(plan.seed)
        self._mutator = Mutator(self._rng)
        self._seeds = Seeds(node, own, self._rng, self._mutator)
        self._number = plan.number

    def over_tcp(self) -> bool:
        return self._rng.random() < _TCP_SHARE

    def next(self) -> tuple[str, bytes]:
        kind = self._rng.choices(KINDS, WEIGHTS)[0]
        number = self._number if self._rng.random() < _TAKEN_SHARE else NOBODY
        match kind:
            case "sip":
                whole = self._rng.choice(
                    (self._seeds.request, self._seeds.response, lambda: self._seeds.invite(number))
                )()
                return kind, self._mutator.text(whole)
            case "sdp":
                return kind, self._seeds.invite_with_bad_sdp(number)
            case "rtp":
                return kind, self._mutator.packet(self._seeds.rtp())
            case "rtcp":
                return kind, self._mutator.packet(self._seeds.rtcp())
            case _:
                return kind, self._mutator.packet(self._seeds.stun())
