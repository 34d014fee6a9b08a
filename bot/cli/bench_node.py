"""A node for a benchmark that counts what it costs: a process of its own, without its callers."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from bot.cli.bench_reply_gap import SURVEYS
from bot.cli.demo import demo_settings
from bot.core.control import ControlClient
from bot.logs import configure_logs
from bot.settings import Settings
from bot.settings_load import as_environment, load_settings
from bot.settings_sip import SipSection
from bot.sim.bench.load import Load, Watched, load, watched
from bot.sim.bench.pieces import Piece
from bot.sim.bench.plan import PlannedCall, plan_calls, scenario_of
from bot.sim.results import CallReport
from bot.sim.scenario import Call
from bot.supervisor import ChildSpec, Supervisor
from bot.words import words

START_S = 240.0

console = Console(stderr=True, highlight=False)


@dataclass(frozen=True, slots=True)
class Callers:
    """What they say, in so many turns of a call, drawn by this seed, and the noise around them (dBFS)."""

    pieces: Sequence[Piece]
    turns: int
    seed: int
    noise_dbfs: float | None = None

    def scripted(self, calls: int, at_once: int, clips: Path) -> tuple[Sequence[PlannedCall], Sequence[Call]]:
        """So many different calls, planned and as the simulator runs them; what they say goes to `clips`."""
        planned = plan_calls(self.pieces, self.seed, calls, self.turns, at_once)
        scenario = scenario_of(planned, self.pieces, clips, at_once, noise_dbfs=self.noise_dbfs)
        return planned, scenario.calls


@dataclass(frozen=True, slots=True)
class BenchNode:
    """A node that takes calls."""

    settings: Settings
    control: ControlClient
    watched: Watched

    @property
    def sip(self) -> str:
        return f"{self.settings.sip.host}:{self.settings.sip.port}"


def bench_settings(name: str, lines: int = 100) -> Settings:
    """A node of its own beside whatever runs, with the survey of the benchmarks alone. The log of what the
    callers do outlives its folder."""
    set_up = load_settings()
    own = demo_settings(set_up, f"{name}-{os.getpid()}")
    settings = own.model_copy(
        update={"surveys": SURVEYS, "sip": SipSection(port=own.sip.port, max_calls=lines)}
    )
    for folder in (set_up.log_dir, settings.var_dir):
        folder.mkdir(parents=True, exist_ok=True)
    configure_logs(settings.log_level, file=set_up.log_dir / "callers.log")
    return settings


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[BenchNode]:
    """`otklik serve` with these settings; its folder goes with it, unless something went wrong. Raises
    Unavailable with its own words where it does not come up."""
    tell(words("запускаю узел", "starting a node"))
    spec = ChildSpec(
        "node",
        [Path(sys.executable).with_name("otklik"), "serve"],
        ready=lambda: _ready(settings),
        env={**os.environ, **as_environment(settings)},
        ready_timeout_s=START_S,
        stop_timeout_s=settings.call.drain_s + 30.0,
    )
    async with Supervisor([spec], log_dir=settings.log_dir) as supervisor:
        pid = supervisor.pid("node")
        assert pid is not None
        async with await ControlClient.connect(settings.control_socket) as control:
            status = await control.request("status")
            yield BenchNode(settings, control, watched(pid, status["children"]))
    shutil.rmtree(settings.var_dir)


async def _ready(settings: Settings) -> bool:
    async with await ControlClient.connect(settings.control_socket) as control:
        return bool((await control.request("status"))["ready"])


async def hold(node: BenchNode, callers: Callers, calls: int, stop: asyncio.Event) -> Load:
    """So many calls at once, one on each line."""
    tell(words(f"звонков сразу: {calls}", f"calls at once: {calls}"))
    with tempfile.TemporaryDirectory(prefix="otklik-bench-") as folder:
        planned, scripted = callers.scripted(calls, calls, Path(folder))
        return await load(
            zip(planned, scripted, strict=True),
            calls,
            node.watched,
            node.control,
            node.sip,
            seed=callers.seed,
            stop=stop,
            on_report=Told(every=10),
        )


@contextmanager
def stopping() -> Iterator[asyncio.Event]:
    """Set by Ctrl-C or SIGTERM: the measurement ends with what it has. The second one ends it at once."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    task = asyncio.current_task()
    assert task is not None

    def asked() -> None:
        if stop.is_set():
            task.cancel()
        else:
            tell(words("заканчиваю с тем, что есть…", "ending with what there is…"))
            stop.set()

    numbers = (signal.SIGINT, signal.SIGTERM)
    for number in numbers:
        loop.add_signal_handler(number, asked)
    try:
        yield stop
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


def tell(what: str) -> None:
    """A step, on stderr."""
    console.print(f"[dim]·[/] {what}")


class Told:
    """How far the calls are, on stderr: a line every so many of them, and each that failed, with what is
    needed to find out why."""

    def __init__(self, every: int) -> None:
        self._every = every
        self._ended = 0

    def __call__(self, call: CallReport, failed: str) -> None:
        self._ended += 1
        if failed:
            for why in call.failures or [failed]:
                console.print(f"✗ {call.name}: {why}", style="bold red")
            console.print(_course(call), style="dim", markup=False)
        if self._ended % self._every == 0:
            tell(words(f"звонков закончено: {self._ended}", f"calls ended: {self._ended}"))


def _course(call: CallReport) -> str:
    """A call that failed, in a few words: how long, what its caller said, and what was said to him last."""
    said, unsaid = ", ".join(call.said) or "-", ", ".join(call.unasked) or "-"
    wordless = ", ".join(call.unanswered) or "-"
    heard = " | ".join(prompt.text for prompt in call.heard[-3:]) or "-"
    return words(
        f"  {call.call_id}, {call.seconds:.0f} с, линия: {call.ended or '-'}, "
        f"телефон замирал: {call.stalls}, потеряно пакетов: {call.packets_lost}; "
        f"сказано: {said}; не сказано: {unsaid}; не нашёл слов на: {wordless}; услышал: {heard}",
        f"  {call.call_id}, {call.seconds:.0f} s, line: {call.ended or '-'}, held up: {call.stalls}, "
        f"packets lost: {call.packets_lost}; said: {said}; not said: {unsaid}; "
        f"had no words for: {wordless}; heard last: {heard}",
    )
