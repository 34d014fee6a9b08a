"""A failure counts where the machine was there, and is tried again where it was held up."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.patience import Watch

CONFTEST = """
from pathlib import Path
import tests.conftest as patience

HELD_UP = {held_up}
patience.REAL_TIME = {{Path(__file__).parent}}
patience.Watch.held_up = property(lambda watch: HELD_UP)
pytest_runtest_makereport = patience.pytest_runtest_makereport
pytest_runtest_protocol = patience.pytest_runtest_protocol
pytest_terminal_summary = patience.pytest_terminal_summary
"""

TESTS = """
import pytest

made, runs = [], []

@pytest.fixture(scope="module")
def node():
    made.append(1)
    return len(made)

def test_second_time_lucky(node):
    runs.append(1)
    assert len(runs) == 2
    assert node == 1

def test_needs_a_new_node(node):
    assert node == 2

def test_is_wrong(node):
    assert False, "wrong"
"""


FALLEN = """
import pytest
from tests.patience import no_second_try

runs = []

@pytest.fixture
def node():
    yield
    with no_second_try():
        assert len(runs) != 1, "the process is another one"

def test_loses_a_call():
    with no_second_try():
        raise LookupError("no such call")

def test_kills_the_node(node):
    runs.append(1)
    assert len(runs) > 1, "no answer"
"""
"""The second one would pass if it were tried again."""


def run(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, *, held_up: bool, tests: str = TESTS
) -> pytest.RunResult:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent.parent))
    pytester.makeconftest(CONFTEST.format(held_up=held_up))
    pytester.makepyfile(tests)
    return pytester.runpytest_subprocess("-p", "no:cacheprovider")


def test_on_a_machine_that_was_held_up_a_failure_is_tried_again_and_not_for_ever(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = run(pytester, monkeypatch, held_up=True)
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*tried once more*", "*::test_second_time_lucky: *assert 1 == 2 (woke *"])


def test_on_a_machine_that_was_there_a_failure_stands(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(pytester, monkeypatch, held_up=False).assert_outcomes(failed=3)


def test_a_call_that_was_lost_and_a_process_that_died_are_no_matter_of_the_machine(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = run(pytester, monkeypatch, held_up=True, tests=FALLEN)
    result.assert_outcomes(failed=2, errors=1)
    result.stdout.no_fnmatch_line("*tried once more*")
    for told in ("LookupError: no such call", "AssertionError: the process is another one"):
        result.stdout.fnmatch_lines(f"*Fallen: {told}*")


def test_every_try_has_a_time_limit_of_its_own(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent.parent))
    pytester.makeconftest(CONFTEST.format(held_up=True))
    pytester.makepyfile("import threading\ndef test_hangs(): threading.Event().wait()")
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "--timeout=0.5")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*tried once more*", "*Timeout*", "*Timeout*"])


def test_a_machine_that_wakes_late_was_held_up() -> None:
    late = threading.Event()

    def clock() -> float:
        """The sleeper's second look at the clock comes half a second after its first."""
        if threading.current_thread() is not threading.main_thread() and next(looks) == 1:
            late.set()
        return 0.5 if late.is_set() else 0.0

    looks = iter(range(1_000_000))
    watch = Watch(clock=clock, stolen=lambda: 0.0)
    assert late.wait(5)
    watch.close()
    assert watch.held_up
    assert "0.49 s late" in str(watch)


def test_a_host_that_takes_the_processor_holds_us_up() -> None:
    taken = 10.0
    watch = Watch(clock=lambda: 0.0, stolen=lambda: taken)
    assert not watch.held_up
    taken = 10.5
    assert watch.held_up
    watch.close()
