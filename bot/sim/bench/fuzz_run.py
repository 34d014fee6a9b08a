"""Fuzzes a running node over SIP, SDP, RTP, RTCP, STUN and DTLS while calls go through it."""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from bot.core.control import ControlClient
from bot.sim.bench.fuzz_calls import Line, Live, LiveEnd
from bot.sim.bench.fuzz_pages import Page
from bot.sim.bench.fuzz_seeds import Seeds
from bot.sim.bench.fuzz_watch import Seen, WorkerWatch, later_growth, memory_verdict
from bot.sim.bench.mutations import Mutator
from bot.sim.bench.soaking import Verdict

KINDS = ("sip", "sdp", "rtp", "rtcp", "stun", "dtls")
WEIGHTS = (45, 18, 14, 8, 8, 7)
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
    """`lines` live calls by SIP and `pages` from browsers at any time, `rate` damaged messages a second, for
    `seconds`; calls that are on then go to their end. `number` has the survey of the same name."""

    seconds: float
    seed: int
    number: str
    keys: dict[str, str]
    lines: int = 2
    pages: int = 0
    rate: int = 200


@dataclass(frozen=True, slots=True)
class FuzzFound:
    """What came of it. `seen` is the process that holds the calls, from its first call to the last."""

    sent: dict[str, int]
    crashes: int
    ends: tuple[LiveEnd, ...]
    seen: tuple[Seen, ...]
    answers: bool

    @property
    def lost(self) -> list[str]:
        return [end.why for end in self.ends if end.why and not end.refused]

    @property
    def rss_first_mb(self) -> float:
        return self.seen[0].rss_mb if self.seen else 0.0

    @property
    def rss_last_mb(self) -> float:
        return self.seen[-1].rss_mb if self.seen else 0.0

    @property
    def rss_later_mb(self) -> float:
        """Gained in the last two thirds of the time."""
        return later_growth(self.seen)

    @property
    def memory(self) -> Verdict:
        return memory_verdict(self.seen)

    @property
    def well(self) -> bool:
        return self.answers and not self.crashes and not self.lost and self.memory is not Verdict.MISSED


async def fuzz(
    plan: Fuzzing, control: ControlClient, tell: Callable[[str], None] = lambda line: None
) -> FuzzFound:
    """Raises NodeUnavailable where the node itself goes; a worker that dies is counted."""
    node = str((await control.request("status"))["sip"])
    lines = [Line(f"live-{index}", plan.number, plan.keys, control) for index in range(plan.lines)]
    pages = [Page(f"page-{index}", plan.number, plan.keys, control) for index in range(plan.pages)]
    callers: list[Live] = [*lines, *pages]
    one_of_each: list[Live] = [*lines[:1], *pages[:1]]
    await control.watch()
    watching = asyncio.create_task(_forward(control, callers))
    watch, over, done = WorkerWatch(control), asyncio.Event(), asyncio.Event()
    try:
        # What is loaded once is loaded before the memory is looked at.
        ends = [await caller.call(node) for caller in one_of_each]
        await watch.begin()
        looking = asyncio.create_task(watch.run(done))
        talking = [asyncio.create_task(_talk(caller, node, over, tell)) for caller in callers]
        sent = await _send(plan, node, lines, pages)
        over.set()
        for task in talking:
            ends += await task
        for caller in one_of_each:  # and then it takes calls as before
            ends.append(replace(await caller.call(node), refused=False))
        done.set()
        await looking
        answers = await asyncio.to_thread(answers_options, node)
        return FuzzFound(dict(sent), watch.crashes, tuple(ends), tuple(watch.seen), answers)
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching


async def _forward(control: ControlClient, callers: Iterable[Live]) -> None:
    async for event in control.events():
        for caller in callers:
            caller.take(event)


async def _talk(caller: Live, node: str, over: asyncio.Event, tell: Callable[[str], None]) -> list[LiveEnd]:
    ends: list[LiveEnd] = []
    while not over.is_set():
        ends.append(await caller.call(node))
        tell(f"{caller.name}: {ends[-1].why or 'ok'}")
    return ends


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


async def _send(plan: Fuzzing, node: str, lines: Sequence[Live], pages: Sequence[Live]) -> Counter[str]:
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
                for target in targets(kind, (host, int(port)), lines, pages):
                    with suppress(BlockingIOError, ConnectionRefusedError):  # nobody is owed a datagram
                        sock.sendto(message, target)
            while True:  # what the node answers is not looked at, and must not pile up
                try:
                    sock.recv(65_535)
                except (BlockingIOError, ConnectionRefusedError):
                    break
            await asyncio.sleep(_TICK_S)
    return sent


def targets(
    kind: str, sip: tuple[str, int], lines: Iterable[Live], pages: Iterable[Live]
) -> list[tuple[str, int]]:
    """Where a message of a kind goes: a browser's call has one port for everything (RFC 7983)."""
    if kind in ("sip", "sdp"):
        return [sip]
    heard = [line.at for line in lines if line.at is not None]
    browsers = [page.at for page in pages if page.at is not None]
    if kind == "rtcp":
        return [*((host, port + 1) for host, port in heard), *browsers]
    return [*([sip] if kind == "stun" else []), *heard, *browsers]


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
            case "stun":
                return kind, self._mutator.packet(self._seeds.stun())
            case _:
                return kind, self._mutator.packet(self._seeds.dtls())
