"""The supervisor with real child processes: small Python programs that do one thing each."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.core.clock import ManualClock
from bot.core.errors import Unavailable
from bot.supervisor import ChildSpec, ChildState, RestartPolicy, Supervisor, rotate

STEADY = """
    import signal, sys
    from pathlib import Path
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print("up", flush=True)
    Path(sys.argv[1]).touch()
    while True:
        signal.pause()
"""
DEAF = """
    import signal, sys
    from pathlib import Path
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    Path(sys.argv[1]).touch()
    while True:
        signal.pause()
"""
DYING = """
    import sys
    print("порт 5070 занят", file=sys.stderr)
    sys.exit(7)
"""
REFUSING = """
    import json, sys
    print("start")
    print(json.dumps({"event": "stopped", "reason": "транк молчит", "hint": "проверьте sip.trunk"}))
    sys.exit(3)
"""
PARENT = """
    import subprocess, sys, signal
    from pathlib import Path
    inner = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    Path(sys.argv[1]).write_text(str(inner.pid))
    signal.pause()
"""
QUICK = RestartPolicy(first_s=0.01, most_s=0.02)


class Sleeps:
    """Takes the pauses that the supervisor asks for, and lets them pass at once."""

    def __init__(self) -> None:
        self.asked: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.asked.append(seconds)
        await asyncio.sleep(0)


def child(name: str, program: str, folder: Path, **options: object) -> ChildSpec:
    """A child that is ready when it has made its file."""
    sign = folder / f"{name}.up"

    async def ready() -> bool:
        return sign.exists()

    argv = [sys.executable, "-c", textwrap.dedent(program), str(sign)]
    return ChildSpec(name, argv, ready, **{"ready_timeout_s": 20.0, **options})  # type: ignore[arg-type]


async def until(holds: Callable[[], bool], timeout_s: float = 20.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not holds():  # noqa: ASYNC110 - other processes change this, and they set no event of ours
            await asyncio.sleep(0.01)


def group_of(pid: int) -> str:
    """The niceness of a process's session; "" where the kernel does not group sessions."""
    group = Path(f"/proc/{pid}/autogroup")
    return " ".join(group.read_text().split()[-2:]) if group.exists() else ""


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie that its parent has not reaped yet does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


async def test_children_start_in_order_and_stop_in_reverse(tmp_path: Path) -> None:
    seen: list[tuple[str, ChildState]] = []
    specs = [child("first", STEADY, tmp_path), child("second", STEADY, tmp_path)]
    supervisor = Supervisor(
        specs, log_dir=tmp_path / "log", on_state=lambda name, state: seen.append((name, state))
    )
    async with supervisor:
        assert supervisor.state("first") is ChildState.READY
        pids = [supervisor.pid("first"), supervisor.pid("second")]
        assert all(pid is not None and alive(pid) for pid in pids)
    assert seen == [
        ("first", ChildState.STARTING),
        ("first", ChildState.READY),
        ("second", ChildState.STARTING),
        ("second", ChildState.READY),
        ("second", ChildState.STOPPING),
        ("second", ChildState.STOPPED),
        ("first", ChildState.STOPPING),
        ("first", ChildState.STOPPED),
    ]
    assert not any(alive(pid) for pid in pids if pid is not None)
    assert supervisor.pid("first") is None
    assert (tmp_path / "log/first.log").read_text() == "up\n"


async def test_a_dead_child_is_restarted_alone(tmp_path: Path) -> None:
    supervisor = Supervisor(
        [child("left", STEADY, tmp_path), child("right", STEADY, tmp_path)], log_dir=tmp_path, policy=QUICK
    )
    async with supervisor:
        left, right = supervisor.pid("left"), supervisor.pid("right")
        assert left is not None
        os.kill(left, signal.SIGKILL)
        await until(lambda: supervisor.pid("left") not in (left, None))
        await until(lambda: supervisor.state("left") is ChildState.READY)
        assert supervisor.pid("right") == right
        assert supervisor.state("right") is ChildState.READY


async def test_a_childs_precedence_holds_beyond_its_own_session(tmp_path: Path) -> None:
    async with Supervisor([child("a", STEADY, tmp_path, niceness=5)], log_dir=tmp_path) as supervisor:
        pid = supervisor.pid("a")
        assert pid is not None
        assert os.getpriority(os.PRIO_PROCESS, pid) == 5
        assert group_of(pid) in ("", "nice 5")


async def test_pauses_double_from_death_to_death_and_fall_back_after_a_long_life(tmp_path: Path) -> None:
    clock, sleeps = ManualClock(), Sleeps()
    supervisor = Supervisor(
        [child("one", STEADY, tmp_path)],
        log_dir=tmp_path,
        clock=clock,
        sleep=sleeps,
        policy=RestartPolicy(first_s=0.5, most_s=1.5, healthy_s=60),
    )

    async def kill() -> None:
        pid = supervisor.pid("one")
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await until(lambda: supervisor.pid("one") not in (pid, None))
        await until(lambda: supervisor.state("one") is ChildState.READY)

    async with supervisor:
        for _ in range(3):
            await kill()
        clock.advance(61)
        await kill()
    assert sleeps.asked == [0.5, 1.0, 1.5, 0.5]


def test_the_pause_has_a_bound() -> None:
    policy = RestartPolicy()
    assert [policy.pause(deaths) for deaths in (1, 2, 3)] == [0.5, 1.0, 2.0]
    assert policy.pause(10_000) == policy.most_s


async def test_a_child_that_never_comes_up_is_given_up_with_its_last_words(tmp_path: Path) -> None:
    sleeps = Sleeps()
    supervisor = Supervisor(
        [child("steady", STEADY, tmp_path), child("dying", DYING, tmp_path)], log_dir=tmp_path, sleep=sleeps
    )
    with pytest.raises(Unavailable, match=r"dying: .*код 7") as caught:
        await supervisor.start()
    assert "порт 5070 занят" in caught.value.hint
    assert str(tmp_path / "dying.log") in caught.value.hint
    assert len(sleeps.asked) == RestartPolicy().start_attempts - 1
    assert supervisor.state("dying") is ChildState.FAILED
    assert supervisor.state("steady") is ChildState.STOPPED  # nothing is left half-started


async def test_a_child_that_says_what_it_lacks_is_not_tried_again(tmp_path: Path) -> None:
    sleeps = Sleeps()
    supervisor = Supervisor([child("worker", REFUSING, tmp_path)], log_dir=tmp_path, sleep=sleeps)
    with pytest.raises(Unavailable) as caught:
        await supervisor.start()
    assert caught.value.message == "worker: транк молчит"
    assert caught.value.hint.splitlines() == ["проверьте sip.trunk", f"  журнал: {tmp_path}/worker.log"]
    assert sleeps.asked == []


async def test_once_it_served_a_child_is_started_again_whatever_it_says(tmp_path: Path) -> None:
    program = """
        import sys, time
        from pathlib import Path
        sign = Path(sys.argv[1])
        with sign.open("a") as file:
            file.write("start;")
        while not sign.with_suffix(".enough").exists():
            time.sleep(0.01)
        sys.exit(3)
    """
    supervisor = Supervisor([child("one", program, tmp_path)], log_dir=tmp_path, policy=QUICK)
    async with supervisor:
        (tmp_path / "one.enough").touch()
        await until(lambda: (tmp_path / "one.up").read_text().count("start") >= 3)


async def test_a_program_that_does_not_exist_is_an_error_not_a_crash(tmp_path: Path) -> None:
    async def ready() -> bool:
        return False

    supervisor = Supervisor(
        [ChildSpec("ghost", [tmp_path / "no-such-program"], ready)], log_dir=tmp_path, policy=QUICK
    )
    with pytest.raises(Unavailable, match=r"ghost: .*код 127") as caught:
        await supervisor.start()
    assert "no-such-program: No such file" in caught.value.hint


async def test_a_child_that_is_never_ready_is_ended_and_counted(tmp_path: Path) -> None:
    async def never() -> bool:
        return False

    argv = [sys.executable, "-c", "import signal; signal.pause()"]
    spec = ChildSpec("mute", argv, never, ready_timeout_s=0.3)
    policy = RestartPolicy(start_attempts=2, first_s=0.01)
    with pytest.raises(Unavailable, match=r"не готов за 0\.3 с"):
        await Supervisor([spec], log_dir=tmp_path, policy=policy).start()


async def test_why_a_probe_said_no_is_told(tmp_path: Path) -> None:
    async def refused() -> bool:
        raise ConnectionRefusedError("порт 5105 не отвечает")

    spec = ChildSpec(
        "rasa", [sys.executable, "-c", "import signal; signal.pause()"], refused, ready_timeout_s=0.3
    )
    policy = RestartPolicy(start_attempts=1)
    with pytest.raises(Unavailable, match="порт 5105 не отвечает"):
        await Supervisor([spec], log_dir=tmp_path, policy=policy).start()


async def test_a_probe_that_hangs_does_not_hide_a_death(tmp_path: Path) -> None:
    async def hangs() -> bool:
        await asyncio.Event().wait()
        return True

    spec = ChildSpec("dying", [sys.executable, "-c", "raise SystemExit(7)"], hangs, ready_timeout_s=30)
    policy = RestartPolicy(start_attempts=1)
    async with asyncio.timeout(10):
        with pytest.raises(Unavailable, match="код 7"):
            await Supervisor([spec], log_dir=tmp_path, policy=policy).start()


async def test_a_deaf_child_is_killed_after_its_time(tmp_path: Path) -> None:
    supervisor = Supervisor([child("deaf", DEAF, tmp_path, stop_timeout_s=0.2)], log_dir=tmp_path)
    await supervisor.start()
    pid = supervisor.pid("deaf")
    assert pid is not None
    async with asyncio.timeout(5):
        await supervisor.stop()
    assert not alive(pid)


async def test_what_a_child_started_ends_with_it(tmp_path: Path) -> None:
    supervisor = Supervisor([child("parent", PARENT, tmp_path)], log_dir=tmp_path)
    async with supervisor:
        await until(lambda: (tmp_path / "parent.up").read_text() != "")
        inner = int((tmp_path / "parent.up").read_text())
        assert alive(inner)
    await until(lambda: not alive(inner))


async def test_no_child_outlives_a_supervisor_that_was_killed(tmp_path: Path) -> None:
    program = f"""
        import asyncio, sys
        from pathlib import Path
        from bot.logs import configure_logs
        from bot.supervisor import ChildSpec, Supervisor

        async def main():
            configure_logs()
            async def ready():
                return True
            spec = ChildSpec("one", [sys.executable, "-c", "import signal; signal.pause()"], ready)
            supervisor = Supervisor([spec], log_dir=Path({str(tmp_path)!r}))
            await supervisor.start()
            print(supervisor.pid("one"), flush=True)
            await supervisor.watch()

        asyncio.run(main())
    """
    node = await asyncio.create_subprocess_exec(
        sys.executable, "-c", textwrap.dedent(program), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert node.stdout is not None
    pid = int(await node.stdout.readline())
    assert alive(pid)
    node.kill()
    await node.wait()
    await until(lambda: not alive(pid), timeout_s=5)


async def test_watch_says_when_looking_after_a_child_fails(tmp_path: Path) -> None:
    def refuses(name: str, state: ChildState) -> None:
        if state is ChildState.WAITING:
            raise RuntimeError("the callback broke")

    supervisor = Supervisor(
        [child("one", STEADY, tmp_path)], log_dir=tmp_path, on_state=refuses, policy=QUICK
    )
    async with supervisor:
        pid = supervisor.pid("one")
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(RuntimeError, match="the callback broke"):
            async with asyncio.timeout(10):
                await supervisor.watch()


def test_logs_are_rotated_and_old_ones_dropped(tmp_path: Path) -> None:
    file = tmp_path / "child.log"
    for number in range(4):
        file.write_text(f"run {number}")
        rotate(file, keep=2)
    assert not file.exists()
    assert (tmp_path / "child.log.1").read_text() == "run 3"
    assert (tmp_path / "child.log.2").read_text() == "run 2"
    assert not (tmp_path / "child.log.3").exists()
    rotate(file)  # nothing there: nothing to do
