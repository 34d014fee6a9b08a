"""Steps and stamps: what is made, what is left alone, and what happens when it goes wrong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from steps import Failed, Step, Workshop, digest


class Bench:
    """A workshop in an empty folder with one step that counts its runs."""

    def __init__(self, root: Path) -> None:
        self.workshop = Workshop(root)
        self.source = root / "source.txt"
        self.product = root / "product/file"
        self.source.write_text("one")
        self.runs = 0
        self.breaks = False

    def _run(self) -> None:
        self.runs += 1
        self.product.parent.mkdir(exist_ok=True)
        (self.product.parent / f"left-by-{self.runs}").touch()
        if self.breaks:
            raise Failed("it broke")
        self.product.write_text("made")

    def make(self) -> dict[str, float]:
        step = Step(
            key="one",
            title="one thing",
            inputs=[self.source],
            made=[self.product],
            spoils=[self.product.parent],
            run=self._run,
        )
        with self.workshop.lock():
            return self.workshop.make([step])


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_second_run_makes_nothing(bench: Bench) -> None:
    assert list(bench.make()) == ["one"]
    assert bench.make() == {}
    assert bench.runs == 1


def test_a_changed_input_is_made_again(bench: Bench) -> None:
    bench.make()
    bench.source.write_text("two")
    bench.make()
    assert bench.runs == 2
    os.utime(bench.source, (0, 0))  # times say nothing: contents do
    bench.make()
    assert bench.runs == 2


def test_a_lost_product_is_made_again(bench: Bench) -> None:
    bench.make()
    bench.product.unlink()
    bench.make()
    assert bench.runs == 2


def test_a_broken_stamp_is_no_stamp(bench: Bench) -> None:
    bench.make()
    (bench.workshop.stamps / "one.json").write_text("{half")
    bench.make()
    assert bench.runs == 2


def test_a_failed_step_leaves_no_stamp_and_is_made_from_nothing(bench: Bench) -> None:
    bench.breaks = True
    with pytest.raises(Failed):
        bench.make()
    bench.breaks = False
    bench.make()
    assert bench.runs == 2
    assert not (bench.product.parent / "left-by-1").exists()
    assert bench.make() == {}


def test_an_input_that_changes_while_it_is_used_is_used_again(bench: Bench) -> None:
    def run() -> None:
        bench.source.write_text("later")

    step = Step(key="one", title="one", inputs=[bench.source], made=[], run=run)
    with bench.workshop.lock():
        bench.workshop.make([step])
        assert not bench.workshop.is_made(step)


def test_a_step_that_makes_nothing_has_failed(tmp_path: Path) -> None:
    step = Step(key="one", title="one", inputs=[], made=[tmp_path / "absent"], run=lambda: None)
    workshop = Workshop(tmp_path)
    with workshop.lock(), pytest.raises(Failed, match="absent"):
        workshop.make([step])


def test_folders_count_by_names_and_contents(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    (folder / "__pycache__").mkdir(parents=True)
    (folder / "a.yml").write_text("x")
    first = digest([folder])
    (folder / "__pycache__/a.pyc").write_text("anything")
    assert digest([folder]) == first
    (folder / "a.yml").rename(folder / "b.yml")
    assert digest([folder]) != first
    assert digest([folder], "salt") != digest([folder])


def test_a_failed_command_is_told_with_its_last_words(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path)
    command = [sys.executable, "-c", "import sys; print('нет места на диске'); sys.exit(4)"]
    with workshop.lock(), pytest.raises(Failed) as caught:
        workshop.run(command, hint="освободите место")
    told = str(caught.value)
    assert "4" in told
    assert "нет места на диске" in told
    assert told.endswith("освободите место")
    assert "нет места на диске" in workshop.log.read_text(encoding="utf-8")


def test_a_command_that_is_not_there_is_told(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path)
    with workshop.lock(), pytest.raises(Failed, match="no-such-command"):
        workshop.run(["no-such-command"])


def test_what_a_run_took_is_written_down(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path)
    with workshop.lock():
        workshop.record(1.23456, {"one": 1.2})
    assert json.loads((workshop.stamps / "last.json").read_text()) == {"seconds": 1.235, "made": {"one": 1.2}}


SETUP = """
    import subprocess, sys
    from pathlib import Path
    sys.path.insert(0, {tools!r})
    from steps import Step, Workshop

    root = Path(sys.argv[1])
    workshop = Workshop(root)

    def run():
        with (root / "runs").open("a") as runs:
            runs.write("x")
        workshop.run([sys.executable, "-c", sys.argv[2], root / "child"])
        (root / "made").touch()

    step = Step(key="one", title="one", inputs=[], made=[root / "made"], run=run, spoils=[root / "half"])
    try:
        with workshop.lock():
            workshop.make([step])
    except KeyboardInterrupt:
        sys.exit(130)
"""
WAITS = "import os, signal, sys; open(sys.argv[1], 'w').write(str(os.getpid())); signal.pause()"
SLOW = "import sys, time; open(sys.argv[1], 'w').write('x'); time.sleep(0.5)"


def start(root: Path, project: Path, child: str) -> subprocess.Popen[bytes]:
    program = textwrap.dedent(SETUP).format(tools=str(project / "tools"))
    return subprocess.Popen(
        [sys.executable, "-c", program, root, child], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def wait_for(file: Path) -> str:
    deadline = time.monotonic() + 20
    while not file.exists() or not file.read_text():
        assert time.monotonic() < deadline, f"{file.name} never came"
        time.sleep(0.01)
    return file.read_text()


def gone(pid: int) -> bool:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.01)
    return False


def test_two_at_once_make_it_once(tmp_path: Path, root: Path) -> None:
    first = start(tmp_path, root, SLOW)
    wait_for(tmp_path / "child")
    second = start(tmp_path, root, SLOW)
    assert [first.wait(20), second.wait(20)] == [0, 0]
    assert (tmp_path / "runs").read_text() == "x"
    for process in (first, second):
        assert process.stdout is not None
        process.stdout.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_set_up_ends_its_command_and_starts_anew(
    tmp_path: Path, root: Path, number: signal.Signals
) -> None:
    process = start(tmp_path, root, WAITS)
    pid = int(wait_for(tmp_path / "child"))
    (tmp_path / "half").mkdir()
    process.send_signal(number)
    process.communicate(timeout=20)
    assert process.returncode == 130
    assert gone(pid)
    assert not (tmp_path / ".setup/one.json").exists()

    again = start(tmp_path, root, SLOW)
    again.communicate(timeout=20)
    assert again.returncode == 0
    assert (tmp_path / "runs").read_text() == "xx"
    assert not (tmp_path / "half").exists()  # the half-made thing was thrown away


def test_a_killed_set_up_keeps_the_lock_while_its_command_runs(tmp_path: Path, root: Path) -> None:
    process = start(tmp_path, root, WAITS)
    pid = int(wait_for(tmp_path / "child"))
    process.kill()
    process.communicate(timeout=20)
    os.kill(pid, 0)  # the command lives on without its set-up, and still writes where it wrote

    second = start(tmp_path, root, SLOW)
    with pytest.raises(subprocess.TimeoutExpired):
        second.wait(0.5)
    assert (tmp_path / "runs").read_text() == "x"
    os.kill(pid, signal.SIGTERM)
    second.communicate(timeout=20)
    assert second.returncode == 0
    assert (tmp_path / "runs").read_text() == "xx"
