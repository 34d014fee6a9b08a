"""Child processes: started in order, watched, restarted alone, stopped in reverse order.

A child is ready when its probe says so; a child that dies is started again by itself after a pause
that doubles from death to death. What it prints goes to `<log_dir>/<name>.log`. No child outlives
its supervisor: the kernel kills it when the supervisor's process dies, however that dies.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio import FIRST_COMPLETED
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

import structlog

from bot.core.clock import Clock, SystemClock
from bot.core.errors import BadInput, Unavailable
from bot.logs import why_it_stopped

log = structlog.get_logger()

PROBE_EVERY_S = 0.1
"""A probe that said no is asked again after this long, or at once when the child dies."""
PROBE_TIMEOUT_S = 5.0
KEPT_LOGS = 5
GIVES_UP = frozenset({BadInput.exit_status, Unavailable.exit_status})
"""Exit statuses by which a child says that a person must do something: trying again does not help."""
LAUNCHER = """
import ctypes, os, sys
PR_SET_PDEATHSIG = 1
parent, signal, niceness, program = *map(int, sys.argv[1:4]), sys.argv[4:]
if ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0) != 0 or os.getppid() != parent:
    sys.exit("the supervisor is gone")
try:
    os.setpriority(os.PRIO_PROCESS, 0, niceness)
    with open("/proc/self/autogroup", "w") as group:
        group.write(str(niceness))
except FileNotFoundError:
    pass
except PermissionError:
    print("no precedence: this user may not ask for it", file=sys.stderr)
try:
    os.execvp(program[0], program)
except OSError as error:
    print(f"{program[0]}: {error.strerror}", file=sys.stderr)
    sys.exit(127)
"""
"""Becomes the child's program after asking the kernel to end it when the thread that forked it ends
(prctl(2)): the thread of our event loop. Not a `preexec_fn`: that runs Python between fork and exec,
which may deadlock where there are threads.

A child is a session, and where the kernel groups sessions (autogroups, sched(7)) the niceness of a process
counts within its own one only: the session has to be given it as well."""


class ChildState(StrEnum):
    STARTING = "starting"
    READY = "ready"
    WAITING = "waiting"  # it died; it is started again after a pause
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"  # it could not be started


Probe = Callable[[], Coroutine[Any, Any, bool]]
"""Whether the child serves. What it raises means not yet, and is told if the child never gets there."""
OnState = Callable[[str, ChildState], None]


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """One child. `env` is its whole environment, or None for ours; `grace` asks it to stop, and `orphaned` is
    what the kernel sends it when we are gone (SIGKILL where it has nothing to bring to an end). `niceness`
    below 0 is precedence over others (setpriority(2)): given where the system lets us."""

    name: str
    argv: Sequence[str | Path]
    ready: Probe
    env: Mapping[str, str] | None = None
    cwd: Path | None = None
    ready_timeout_s: float = 60.0
    stop_timeout_s: float = 10.0
    niceness: int = 0
    grace: signal.Signals = signal.SIGTERM
    orphaned: signal.Signals = signal.SIGKILL


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """`start_attempts` deaths before a child was ever ready are its failure, as is a single one whose
    exit status is in GIVES_UP. Once it was ready it is started again for ever: `first_s` after a
    death, twice as long after each further one, `most_s` at most, and from `first_s` again once it
    lived for `healthy_s`."""

    start_attempts: int = 3
    first_s: float = 0.5
    most_s: float = 30.0
    healthy_s: float = 60.0

    def pause(self, deaths: int) -> float:
        """Seconds to wait after the `deaths`-th death in a row, counted from 1."""
        return min(self.most_s, self.first_s * 2.0 ** min(deaths - 1, 30))


class _Death(NamedTuple):
    reason: str
    status: int | None = None


@dataclass(slots=True)
class _Child:
    spec: ChildSpec
    state: ChildState = ChildState.STOPPED
    process: asyncio.subprocess.Process | None = None
    watch: asyncio.Task[None] | None = None
    came_up: asyncio.Event = field(default_factory=asyncio.Event)


class Supervisor:
    """`start()`, then `watch()` for as long as the node lives, then `stop()`."""

    def __init__(
        self,
        children: Sequence[ChildSpec],
        *,
        log_dir: Path,
        on_state: OnState = lambda name, state: None,
        clock: Clock | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        policy: RestartPolicy = RestartPolicy(),
    ) -> None:
        self._children = {spec.name: _Child(spec) for spec in children}
        self._log_dir = log_dir
        self._on_state = on_state
        self._clock = clock or SystemClock()
        self._sleep = sleep
        self._policy = policy

    async def start(self) -> None:
        """Start the children one after another, each when the one before is ready.

        Raises Unavailable where one cannot be started; those that were are stopped again.
        """
        self._log_dir.mkdir(parents=True, exist_ok=True)
        try:
            for child in self._children.values():
                rotate(self._log_file(child))
                child.came_up.clear()
                child.watch = asyncio.create_task(self._look_after(child), name=f"watch {child.spec.name}")
                up = asyncio.create_task(child.came_up.wait())
                await asyncio.wait({up, child.watch}, return_when=FIRST_COMPLETED)
                up.cancel()
                if child.watch.done():
                    await child.watch  # raises what went wrong
        except BaseException:
            await self.stop()
            raise

    async def watch(self) -> None:
        """Returns never; raises if looking after a child itself fails."""
        watches = [child.watch for child in self._children.values() if child.watch is not None]
        done, _ = await asyncio.wait(watches, return_when=FIRST_COMPLETED)
        for task in done:
            await task

    async def stop(self) -> None:
        """Stop the children, the last started first: `grace`, and SIGKILL after `stop_timeout_s`."""
        for child in reversed(self._children.values()):
            if child.watch is not None:
                child.watch.cancel()
                (failure,) = await asyncio.gather(child.watch, return_exceptions=True)
                if not isinstance(failure, asyncio.CancelledError | Unavailable):
                    log.error("child not looked after", child=child.spec.name, reason=repr(failure))
                child.watch = None
            await self._end(child)

    def state(self, name: str) -> ChildState:
        return self._children[name].state

    def missing(self) -> list[str]:
        """The children that do not serve now."""
        return [name for name, child in self._children.items() if child.state is not ChildState.READY]

    def pid(self, name: str) -> int | None:
        """The child's process id; None while it does not run."""
        process = self._children[name].process
        return process.pid if process is not None and process.returncode is None else None

    def pids(self) -> dict[str, int | None]:
        """Every child's process id."""
        return {name: self.pid(name) for name in self._children}

    async def __aenter__(self) -> Supervisor:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    # One child -------------------------------------------------------------------------------

    async def _look_after(self, child: _Child) -> None:
        """One child's life, death after death. Raises Unavailable if it never comes up."""
        deaths = 0
        while True:
            self._set(child, ChildState.STARTING)
            began = self._clock.monotonic()
            reason, status = await self._one_life(child)
            lived = self._clock.monotonic() - began
            deaths = 1 if lived >= self._policy.healthy_s else deaths + 1
            hopeless = deaths >= self._policy.start_attempts or status in GIVES_UP
            if not child.came_up.is_set() and hopeless:
                self._set(child, ChildState.FAILED)
                raise self._failure(child, reason)
            pause = self._policy.pause(deaths)
            log.warning(
                "child died", child=child.spec.name, reason=reason, lived_s=round(lived, 3), pause_s=pause
            )
            self._set(child, ChildState.WAITING)
            await self._sleep(pause)

    async def _one_life(self, child: _Child) -> _Death:
        """From start to death."""
        process = child.process = await self._spawn(child)
        gone = asyncio.create_task(process.wait())
        try:
            unready = await self._unready(child.spec, gone)
            if not gone.done():
                if unready is not None:
                    await self._end(child)
                    return _Death(unready)
                child.came_up.set()
                self._set(child, ChildState.READY)
                log.info("child ready", child=child.spec.name, pid=process.pid)
            status = await gone
            _kill_group(process)
            child.process = None
            return _Death(_how_it_died(status), status)
        finally:
            gone.cancel()

    async def _spawn(self, child: _Child) -> asyncio.subprocess.Process:
        spec = child.spec
        with self._log_file(child).open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", "-c", LAUNCHER),
                *map(str, (os.getpid(), spec.orphaned.value, spec.niceness)),
                *map(str, spec.argv),
                env=dict(spec.env) if spec.env is not None else None,
                cwd=spec.cwd,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C in our terminal is ours to handle
            )
        log.info("child started", child=spec.name, pid=process.pid)
        return process

    async def _unready(self, spec: ChildSpec, gone: asyncio.Task[int]) -> str | None:
        """Ask the probe until it says yes (None), the child dies or the time is over (why not)."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + spec.ready_timeout_s
        why = "молчит"
        while not gone.done() and (left := deadline - loop.time()) > 0:
            asked = asyncio.ensure_future(asyncio.wait_for(spec.ready(), min(PROBE_TIMEOUT_S, left)))
            try:
                await asyncio.wait({asked, gone}, return_when=FIRST_COMPLETED)
            finally:
                asked.cancel()
            (answer,) = await asyncio.gather(asked, return_exceptions=True)
            if answer is True:
                return None
            if isinstance(answer, Exception):
                why = str(answer) or type(answer).__name__
                log.debug("child not ready", child=spec.name, reason=why)
            await asyncio.wait({gone}, timeout=PROBE_EVERY_S)
        return f"не готов за {spec.ready_timeout_s:g} с: {why}"

    async def _end(self, child: _Child) -> None:
        process = child.process
        if process is not None and process.returncode is None:
            self._set(child, ChildState.STOPPING)
            _signal(process, child.spec.grace)
            try:
                async with asyncio.timeout(child.spec.stop_timeout_s):
                    await process.wait()
            except TimeoutError:
                log.warning("child killed", child=child.spec.name, pid=process.pid)
        if process is not None:
            _kill_group(process)
            await process.wait()
            child.process = None
        if child.state is not ChildState.FAILED:
            self._set(child, ChildState.STOPPED)

    # Words -----------------------------------------------------------------------------------

    def _set(self, child: _Child, state: ChildState) -> None:
        if child.state is not state:
            child.state = state
            self._on_state(child.spec.name, state)

    def _log_file(self, child: _Child) -> Path:
        return self._log_dir / f"{child.spec.name}.log"

    def _failure(self, child: _Child, reason: str) -> Unavailable:
        """Why a child could not be started: in its own words, where it left any in its log."""
        file, name = self._log_file(child), child.spec.name
        tail = file.read_bytes()[-4096:].decode("utf-8", "replace").splitlines()[-5:]
        if told := why_it_stopped(tail[-1] if tail else ""):
            return Unavailable(f"{name}: {told[0]}", hint="\n  ".join([*told[1:], f"журнал: {file}"]))
        return Unavailable(f"{name}: не запускается ({reason})", hint="\n  ".join([f"журнал: {file}", *tail]))


def rotate(file: Path, keep: int = KEPT_LOGS) -> None:
    """`x.log` becomes `x.log.1`, that becomes `x.log.2`, up to `keep` old ones. An empty log stays."""
    if not file.exists() or file.stat().st_size == 0:
        return
    for number in range(keep, 0, -1):
        older = file.with_name(f"{file.name}.{number}")
        newer = file.with_name(f"{file.name}.{number - 1}") if number > 1 else file
        if newer.exists():
            newer.replace(older)


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        process.send_signal(number)


def _kill_group(process: asyncio.subprocess.Process) -> None:
    """The child, if it still lives, and whatever it started and left behind. It leads a session of its
    own, so the group's id is its pid; call this once, as soon as it is dead, before the id is reused."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _how_it_died(returncode: int) -> str:
    if returncode >= 0:
        return f"код {returncode}"
    with suppress(ValueError):
        return f"сигнал {signal.Signals(-returncode).name}"
    return f"сигнал {-returncode}"
