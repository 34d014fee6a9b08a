"""A number of lines held busy on a node, and what that took: the figures of one load."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from bot.core.control import ControlClient
from bot.core.endings import Disposition
from bot.core.events import CallEnded, CallEvent, PromptStarted, TurnUnderstood
from bot.core.intents import Intent
from bot.sim.bench.figures import CallRecord, Figures, figures
from bot.sim.bench.plan import PlannedCall
from bot.sim.bench.processes import (
    CpuBook,
    everybody,
    family,
    look,
    look_main_thread,
    machine,
    open_files,
)
from bot.sim.bench.recording import EventBook, record_of
from bot.sim.results import CallReport
from bot.sim.run import hold_lines
from bot.sim.scenario import Call

LOOK_S = 0.5
"""How often the processes are looked at: a telephone lives for a minute and ends with its call."""

WISHED = frozenset(
    {Disposition.OPTED_OUT, Disposition.REFUSED, Disposition.WRONG_PERSON, Disposition.CALLBACK}
)
"""How a call may end before its time: the small model mishears one in fifty into a wish to be left alone,
and a call that ends on that wish has not failed."""


@dataclass(frozen=True, slots=True)
class Watched:
    """The processes of a node, each by its name; `root` is the one that started the others."""

    root: int
    named: dict[str, int]


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at the node, `at_s` after the load began. The parts are of its processes, by name."""

    at_s: float
    rss_mb: float
    files: int
    parts_mb: Mapping[str, float] = field(default_factory=dict)
    parts_files: Mapping[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Taken:
    """What a load took. `parts_s` are core-seconds of the node's processes by name (all others of them as
    `other`), `threads_s` those of their event loops alone; `busy` is the share of all processors' time in
    which they worked, 0..1; `free_mb` is the least memory that was left of the machine's `total_mb`."""

    seconds: float = 0.0
    node_s: float = 0.0
    callers_s: float = 0.0
    parts_s: dict[str, float] = field(default_factory=dict)
    threads_s: dict[str, float] = field(default_factory=dict)
    busy: float = 0.0
    free_mb: float = float("inf")
    total_mb: float = float("inf")
    samples: list[Sample] = field(default_factory=list)


class Meter:
    """`async with Meter(watched) as meter`: looks at the node's and the callers' processes until it ends."""

    def __init__(self, watched: Watched, look_s: float = LOOK_S) -> None:
        self._watched = watched
        self._look_s = look_s
        self._node, self._callers, self._threads = CpuBook(), CpuBook(), CpuBook()
        self.taken = Taken()

    async def __aenter__(self) -> Meter:
        self._began = time.monotonic()
        self._before = machine()
        self._old = frozenset(everybody())
        self._look()
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        self._look()
        taken, after = self.taken, machine()
        taken.seconds = time.monotonic() - self._began
        taken.node_s, taken.callers_s = self._node.total_s, self._callers.total_s
        taken.parts_s = {name: self._node.of(pid) for name, pid in self._watched.named.items()}
        taken.threads_s = {name: self._threads.of(pid) for name, pid in self._watched.named.items()}
        taken.parts_s["other"] = max(taken.node_s - sum(taken.parts_s.values()), 0.0)
        passed = after.all_s - self._before.all_s
        taken.busy = (after.busy_s - self._before.busy_s) / passed if passed else 0.0
        taken.total_mb = after.total_mb

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._look_s)  # between two looks
            self._look()

    def _look(self) -> None:
        seen = everybody()
        node = family(self._watched.root, seen)
        callers = family(os.getpid(), seen) - node
        self._node.take((seen[pid] for pid in node), self._old)
        self._callers.take((seen[pid] for pid in callers), self._old)
        threads = map(look_main_thread, self._watched.named.values())
        self._threads.take((thread for thread in threads if thread is not None), self._old)
        files = {pid: open_files(pid) for pid in node}
        here = {name: pid for name, pid in self._watched.named.items() if pid in seen}
        self.taken.samples.append(
            Sample(
                at_s=time.monotonic() - self._began,
                rss_mb=sum(seen[pid].rss_mb for pid in node),
                files=sum(files.values()),
                parts_mb={name: seen[pid].rss_mb for name, pid in here.items()},
                parts_files={name: files[pid] for name, pid in here.items() if pid in files},
            )
        )
        self.taken.free_mb = min(self.taken.free_mb, machine().free_mb)


@dataclass(frozen=True, slots=True)
class Load:
    """What came of the calls of one load. `failed` counts by reason, `wished` by the wish that calls ended
    on before their time. `late` of `packets` came late or not at all, `torn` of `prompts` broke off for a
    moment; `talked_s` is the time of all calls together."""

    lines: int
    figures: Figures
    calls: int
    failed: dict[str, int]
    wished: dict[str, int]
    talked_s: float
    packets: int
    late: int
    prompts: int
    torn: int
    taken: Taken
    records: tuple[CallRecord, ...]

    @property
    def late_share(self) -> float:
        """Of the packets, 0..1."""
        return self.late / self.packets if self.packets else 0.0

    @property
    def torn_share(self) -> float:
        """Of the prompts, 0..1."""
        return self.torn / self.prompts if self.prompts else 0.0


class LoadBook:
    """Counts what the node says of its calls."""

    def __init__(self) -> None:
        self.events = EventBook()
        self.prompts = self.torn = 0
        self.farewells: set[str] = set()
        """Calls whose caller was last understood to say goodbye."""

    def take(self, event: CallEvent) -> None:
        self.events.take(event)
        match event:
            case PromptStarted():
                self.prompts += 1
            case CallEnded(sounds_torn=torn):
                self.torn += torn
            case TurnUnderstood(intent=Intent.GOODBYE):
                self.farewells.add(event.call_id)
            case TurnUnderstood():
                self.farewells.discard(event.call_id)

    def wish(self, report: CallReport) -> str:
        """The wish that a call ended on before its time, in a word that can be counted; "" for none."""
        if report.failures:
            return ""
        if report.disposition in WISHED:
            return str(report.disposition)
        broken_off = report.disposition in {Disposition.PARTIAL, Disposition.HUNG_UP}
        return Intent.GOODBYE.value if broken_off and report.call_id in self.farewells else ""

    def failure(self, report: CallReport, planned: PlannedCall) -> str:
        """Why a call has failed, in a word that can be counted; "" for one that has not."""
        if report.failures:
            return report.failures[0]
        if self.wish(report):
            return ""
        leaves = {Disposition.PARTIAL, Disposition.HUNG_UP} if planned.leaves_at else set()
        if report.disposition in {Disposition.COMPLETED} | leaves:
            return ""
        return report.disposition or "not stored"


async def load(
    calls: Iterable[tuple[PlannedCall, Call]],
    lines: int,
    watched: Watched,
    control: ControlClient,
    sip_target: str,
    *,
    seed: int,
    stop: asyncio.Event,
    on_report: Callable[[CallReport, str], None] = lambda report, failed: None,
) -> Load:
    """Hold `lines` lines with these calls until all are over, or until `stop`: calls that are on then are
    ended and do not count. `on_report` gets each call as it ends, and why it has failed ("": it has not).
    Raises what a node or a telephone lacks."""
    book, planned = LoadBook(), dict[str, PlannedCall]()
    taken: list[CallReport] = []

    def source() -> Iterable[Call]:
        for plan, call in calls:
            planned[call.name] = plan
            yield call

    def ended(report: CallReport) -> None:
        taken.append(report)
        on_report(report, book.failure(report, planned[report.name]))

    async with Meter(watched) as meter:
        holding = asyncio.create_task(
            hold_lines(source(), lines, control, sip_target, on_event=book.take, on_report=ended)
        )
        stopped = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait((holding, stopped), return_when=asyncio.FIRST_COMPLETED)
            if holding.done():
                holding.result()
        finally:
            for task in (holding, stopped):
                task.cancel()
            await asyncio.gather(holding, stopped, return_exceptions=True)
    return load_of(lines, taken, planned, book, meter.taken, seed)


def load_of(
    lines: int,
    reports: list[CallReport],
    planned: dict[str, PlannedCall],
    book: LoadBook,
    taken: Taken,
    seed: int,
) -> Load:
    """The sum of it. Pure."""
    records = tuple(record_of(planned[report.name], report, book.events) for report in reports)
    failed = Counter(filter(None, (book.failure(report, planned[report.name]) for report in reports)))
    wished = Counter(filter(None, map(book.wish, reports)))
    return Load(
        lines=lines,
        figures=figures(records, calls=lines, rounds=max(len(reports) // lines, 1), seed=seed),
        calls=len(reports),
        failed=dict(failed),
        wished=dict(wished),
        talked_s=sum(report.seconds for report in reports),
        packets=sum(report.packets_received + report.packets_lost for report in reports),
        late=sum(report.packets_late + report.packets_lost for report in reports),
        prompts=book.prompts,
        torn=book.torn,
        taken=taken,
        records=records,
    )


def watched(root: int, children: dict[str, int | None]) -> Watched:
    """The node's processes as its order `status` names them."""
    named = {name: pid for name, pid in children.items() if pid is not None and look(pid) is not None}
    return Watched(root, {"control": root, **named})
