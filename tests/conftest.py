"""Tests of real calls get another try where the machine was held up: see tests/patience.py."""

from __future__ import annotations

import gc
import signal
from collections.abc import Generator
from pathlib import Path

import pytest
import pytest_timeout  # type: ignore[import-untyped]
from _pytest.runner import runtestprotocol
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]

from tests.patience import Fallen, Watch
from tests.prompts import keep_prompts

# How long an example takes says nothing on a machine that others use as well.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

ROOMS = ("campaigns", "cluster", "dialogue", "handover", "node", "sim", "telephony", "trust")
REAL_TIME = {Path(__file__).parent / room for room in ROOMS}

TRIES = 3

TOGETHER = {
    f"tests/{room}/test_{name}.py": fixture
    for fixture, room, names in (
        (
            "other_node",
            "node",
            ("attribution", "handover", "inbound", "postgres", "publishing", "recording_keys"),
        ),
        (
            "clustered_node",
            "trust",
            tuple(
                f"faults_{of}"
                for of in ("calls", "clock", "database", "detector", "network", "redis", "sigkill")
            ),
        ),
    )
    for name in names
}
"""Files that one process runs, for the sake of a node that they share: to start one for each process takes
longer than most of them."""

REPEATED = "once more"

STANDS = pytest.StashKey[bool]()
"""A test failed by what no late machine excuses: see `tests.patience.no_second_try`."""

_watches: dict[Path, Watch] = {}
"""The file whose tests are being run -> the watch over it: its fixtures may have made the calls."""


class ByFile(LoadFileScheduling):  # type: ignore[misc]
    """A file stays together, and so do those `TOGETHER`."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return TOGETHER.get(file, file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByFile:
    return ByFile(config, log)


def pytest_configure(config: pytest.Config) -> None:
    keep_prompts(config)
    # A shell starts what runs in the background with Ctrl-C ignored, and every program of the tests
    # would inherit that.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """Thousands of tests stay: nobody need look for garbage in them again and again."""
    gc.collect()
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files of real calls first: they take minutes, and mostly wait."""
    items.sort(key=lambda item: not _in_real_time(item.path))


def _in_real_time(path: Path) -> bool:
    """Whether calls are made there that take as long as calls do."""
    return path.parent in REAL_TIME or path.name.startswith("test_sip_")


def _watch_over(path: Path, *, anew: bool) -> Watch:
    if anew or path not in _watches:
        while _watches:
            _watches.popitem()[1].close()
        _watches[path] = Watch()
    return _watches[path]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Whether it stands, in whatever phase: what a fixture finds as it is torn down counts as well."""
    if call.excinfo is not None and call.excinfo.errisinstance(Fallen):
        item.stash[STANDS] = True
    return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """A try goes through set-up and tear-down. The last one gets a new module as well (a node, the
    calls that a module's fixture made), which is what no next item means to pytest."""
    if not _in_real_time(item.path):
        return None
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    reports: list[pytest.TestReport] = []
    repeated: list[tuple[str, object]] = []
    for left in reversed(range(TRIES)):
        watch = _watch_over(item.path, anew=left == 0)
        if repeated:
            _start_the_time_limit_anew(item)
        reports = runtestprotocol(item, log=False, nextitem=None if left == 1 else nextitem)
        failures = [_why(report) for report in reports if report.failed]
        excused = (watch.held_up or _says_so(failures)) and not item.stash.get(STANDS, False)
        if not failures or not left or not excused:
            break
        repeated.append((REPEATED, f"{item.nodeid}: {'; '.join(failures)} ({watch})"))
    for report in reports:
        report.user_properties += repeated if report.when == "call" else []
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def _start_the_time_limit_anew(item: pytest.Item) -> None:
    """The limit is set once for the whole protocol, and a first try that hung has used it up: without
    this a second one could hang for ever."""
    limits, limit = item.config.pluginmanager.hook, pytest_timeout._get_item_settings(item)
    limits.pytest_timeout_cancel_timer(item=item)
    if limit.timeout:
        limits.pytest_timeout_set_timer(item=item, settings=limit)


def _says_so(failures: list[str]) -> bool:
    """A telephone of the simulator keeps its own watch: it is a process of its own."""
    return any("was held up" in failure for failure in failures)


def _why(report: pytest.TestReport) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    return (crash.message if crash is not None else report.longreprtext).splitlines()[0]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was tried again, so that nobody takes a patient run for a smooth one."""
    lines = [
        text
        for reports in terminalreporter.stats.values()
        for report in reports
        if isinstance(report, pytest.TestReport)
        for name, text in report.user_properties
        if name == REPEATED
    ]
    if lines:
        terminalreporter.section("tried once more on a machine that was held up")
        for line in lines:
            terminalreporter.line(str(line))
