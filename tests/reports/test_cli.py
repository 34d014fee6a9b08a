"""`otklik report` and `otklik export` as people type them."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.cli import export
from bot.cli.app import main
from bot.cli.bench_reports import reports as bench_reports
from bot.core.answer import AnswerStatus
from bot.core.endings import Disposition
from bot.core.errors import BadInput
from bot.store.database import Database
from bot.store.settings import StoreSettings
from tests.reports import world
from tests.reports.world import FakeCall, Reply

CALLS = [
    *(FakeCall(60 * n, replies=(Reply("nps", AnswerStatus.ANSWERED, 9),)) for n in range(30)),
    *(
        FakeCall(
            60 * n,
            agent="bob",
            replies=(Reply("nps", AnswerStatus.ANSWERED, 2),),
            topics=frozenset({"rudeness"}),
        )
        for n in range(5)
    ),
    FakeCall(1, inbound=False, answered=False, disposition=Disposition.BUSY),
]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    url = f"sqlite+aiosqlite:///{tmp_path}/otklik.sqlite"
    monkeypatch.setenv("OTKLIK_STORE__URL", url)
    monkeypatch.setenv("OTKLIK_TIMEZONE", "Europe/Berlin")
    monkeypatch.chdir(tmp_path)
    return url


@pytest.fixture
def filled(store: str) -> None:
    async def fill() -> None:
        async with Database.open(StoreSettings(store)) as db:
            await db.upgrade()
            await world.store(db, CALLS)

    asyncio.run(fill())


def otklik(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return int(ended.value.code or 0)


def test_a_report_tells_every_figure_with_its_n(filled: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert otklik("report", "--from", "25.03.2025", "--period", "month") == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "01.03.2025 – 31.03.2025 Europe/Berlin" in shown
    assert "NPS 35 71,4 (42,7…88,9)" in shown
    assert "промоутеры 30, нейтралы 0, критики 5" in shown
    assert "ответил человек 35 97,2 %" in shown
    assert "набрано и принято: 36" in shown
    assert "Темы жалоб: грубость 5" in shown


def test_few_answers_are_marked_in_words_too(filled: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert otklik("report", "--from", "2025-03-25", "--to", "2025-03-25", "--by", "employee") == 0
    shown = capsys.readouterr().out
    of_ann, of_bob = (" ".join(shown[shown.index(f" {who} ") :].split()[:10]) for who in ("ann", "bob"))
    assert "−100,0 n=5" in of_bob
    assert "мало" in of_bob
    assert "100,0 n=30" in of_ann
    assert "мало" not in of_ann


def test_the_same_as_json(filled: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert otklik("report", "--from", "2025-03-25", "--period", "week", "--by", "day", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["period"]["first"], found["period"]["start"]) == ("2025-03-24", "2025-03-23T23:00:00+00:00")
    [nps] = found["scores"]
    assert (nps["n"], nps["promoters"], nps["detractors"], nps["codes"]) == (35, 30, 5, {"2": 5, "9": 30})
    assert [row["key"] for row in found["rows"]] == [f"2025-03-{day}" for day in range(24, 31)]
    assert [row["funnel"][0]["count"] for row in found["rows"]] == [0, 36, 0, 0, 0, 0, 0]


def test_without_calls_it_says_so(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert otklik("report") == 0
    assert "звонков нет" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--from", "завтра"], "не дата"),
        (["--to", "2025-03-01"], "нет --from"),
        (["--from", "2025-03-02", "--to", "2025-03-01"], "раньше"),
        (["--from", "2025-03-02", "--to", "2025-03-03", "--period", "day"], "вместе"),
    ],
)
def test_a_period_that_is_none_is_refused(
    store: str, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    assert otklik("report", *arguments) == 2
    assert told in capsys.readouterr().err


def test_an_export_tells_what_it_wrote(
    filled: None, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gave_way: list[bool] = []

    @contextmanager
    def giving_way() -> Iterator[None]:  # the process is the tests' own
        yield
        gave_way.append((tmp_path / "out.csv").exists())

    monkeypatch.setattr(export, "giving_way", giving_way)
    assert otklik("export", "--from", "2025-03-25", "--employee", "bob", "-o", "out.csv") == 0
    assert gave_way == [True]
    assert "звонков 5, ответов 5" in capsys.readouterr().out
    lines = (tmp_path / "out.csv").read_text(encoding="utf-8-sig").splitlines()
    assert len(lines) == 6
    assert (tmp_path / "out.csv").stat().st_mode & 0o777 == 0o600


GIVES_WAY = """
from bot.cli.export import AUTOGROUP, giving_way, os
session = lambda: AUTOGROUP.read_text().split()[-1] if AUTOGROUP.exists() else ""
before = session()
with giving_way():
    print(os.sched_getscheduler(0), os.nice(0), before, session())
print(session())
"""


def test_an_export_works_while_nobody_else_wants_to() -> None:
    done = subprocess.run(
        [sys.executable, "-c", GIVES_WAY], capture_output=True, text=True, check=True, start_new_session=True
    )
    policy, niceness, *sessions = map(int, done.stdout.split())
    assert policy == os.SCHED_IDLE
    assert niceness == export.NICENESS
    assert sessions in ([], [0, export.NICENESS, 0]), "its session steps back with it, and for so long"


def test_a_kernel_that_wants_to_be_asked_later_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    class Busy(type(tmp_path)):  # type: ignore[misc]
        def write_text(self, text: str) -> int:
            if len(waits) < 2:
                raise BlockingIOError
            return int(super().write_text(text))

    monkeypatch.setattr(export, "AUTOGROUP", Busy(tmp_path / "autogroup"))
    monkeypatch.setattr("time.sleep", waits.append)
    export._step(19)
    assert (len(waits), (tmp_path / "autogroup").read_text()) == (2, "19")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["-o", "no/such/out.csv"], "папки"),
        (["-o", "out.csv", "--delimiter", "ab"], "один знак"),
        (["-o", "out.csv", "--delimiter", '"'], "один знак"),
    ],
)
def test_an_export_that_cannot_be_is_refused(
    store: str, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    assert otklik("export", *arguments) == 2
    assert told in capsys.readouterr().err


def test_the_benchmark_measures_every_figure(capsys: pytest.CaptureFixture[str]) -> None:
    bench_reports(answers=500, runs=1, as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert (found["database"], found["answers"]) == ("sqlite", 500)
    assert {each["period"] for each in found["figures"]} == {"day", "week", "month", "quarter", "year"}
    assert all(
        0 < each["p50_ms"] <= each["max_ms"]
        for each in (*found["figures"], *found["pages"], *found["journal"])
    )
    assert {each["figure"] for each in found["pages"]} == {"overview", "employees"}


def test_the_benchmark_leaves_a_database_with_calls_alone(filled: None, store: str) -> None:
    with pytest.raises(BadInput, match="есть звонки"):
        bench_reports(answers=500, database=store)
