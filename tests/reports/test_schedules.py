"""When a scheduled report is due and what it is about, and that its workbook says what the report does."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from python_calamine import CalamineWorkbook

from bot.core.answer import AnswerStatus
from bot.core.errors import BadInput
from bot.reports import schedules
from bot.reports.export.figures import OF_REPORT
from bot.reports.periods import Grain, Period
from bot.reports.report import report
from bot.reports.schedules import Definition
from bot.reports.slices import By, Scope
from bot.reports.workbook import workbook
from bot.store.database import Database
from tests.reports import world
from tests.reports.world import FakeCall, Reply

TO = ("olga@example.ru",)
ZONES = ("Europe/Berlin", "Asia/Vladivostok", "America/New_York", "Australia/Lord_Howe")


def definition(**given: object) -> Definition:
    return Definition.model_validate({"zone": "Europe/Berlin", "mail_to": TO, **given})


@pytest.mark.parametrize(
    ("given", "after", "due", "period"),
    [
        ({"every": "day"}, "2026-03-27T12:00", "2026-03-28T08:00", ("2026-03-27", "2026-03-27")),
        # Clocks go from 2 to 3 on 29 March, and from 3 to 2 on 25 October.
        ({"every": "day"}, "2026-03-28T12:00", "2026-03-29T07:00", ("2026-03-28", "2026-03-28")),
        ({"every": "day", "at": "02:30"}, "2026-03-28T12:00", "2026-03-29T01:00", ("2026-03-28",) * 2),
        ({"every": "day", "at": "02:30"}, "2026-10-24T12:00", "2026-10-25T00:30", ("2026-10-24",) * 2),
        ({"every": "day", "at": "02:30"}, "2026-10-25T00:30", "2026-10-26T01:30", ("2026-10-25",) * 2),
        (
            {"every": "week", "weekday": 7},
            "2026-03-02T00:00",
            "2026-03-08T08:00",
            ("2026-02-23", "2026-03-01"),
        ),
        ({"every": "month", "day": 28}, "2026-03-01T00:00", "2026-03-28T08:00", ("2026-02-01", "2026-02-28")),
        ({"every": "quarter"}, "2026-01-01T12:00", "2026-04-01T07:00", ("2026-01-01", "2026-03-31")),
    ],
)
def test_when_it_is_due_and_what_it_is_of(
    given: dict[str, object], after: str, due: str, period: tuple[str, str]
) -> None:
    of = definition(**given)
    found = of.following(datetime.fromisoformat(after).replace(tzinfo=UTC))
    assert found == datetime.fromisoformat(due).replace(tzinfo=UTC)
    told = of.scope(found).period
    assert (told.first.isoformat(), told.last.isoformat()) == period


@given(
    every=st.sampled_from(["day", "week", "month", "quarter"]),
    zone=st.sampled_from(ZONES),
    at=st.times().map(lambda time: f"{time:%H:%M}"),
    start=st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_every_day_week_month_and_quarter_is_told_once(
    every: str, zone: str, at: str, start: datetime
) -> None:
    of = definition(every=every, zone=zone, at=at)
    told = []
    for _ in range(5):
        start = of.following(start)
        told.append(of.scope(start).period)
    assert all(later.before() == earlier for earlier, later in pairwise(told))


@pytest.mark.parametrize(
    "given",
    [{"mail_to": ()}, {"mail_to": ("olga",)}, {"at": "9"}, {"weekday": 8}, {"day": 29}, {"zone": "Mars"}],
)
def test_what_cannot_be_sent_is_no_definition(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError) as refused:
        definition(**given)
    assert schedules.unfit(refused.value).message


async def test_a_name_is_taken_once(db: Database) -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    await schedules.add(db, "Неделя", definition(), "admin", now)
    with pytest.raises(BadInput, match="уже есть"):
        await schedules.add(db, "Неделя", definition(), "admin", now)
    for name in ("", " x", "a/b", "я" * 65):
        with pytest.raises(BadInput):
            await schedules.add(db, name, definition(), "admin", now)


async def test_the_workbook_has_the_reports_own_figures(db: Database) -> None:
    calls = [
        *(FakeCall(60 * n, replies=(Reply("nps", AnswerStatus.ANSWERED, 9),)) for n in range(30)),
        *(
            FakeCall(60 * n, agent="=bob", replies=(Reply("nps", AnswerStatus.ANSWERED, 2),))
            for n in range(5)
        ),
    ]
    await world.store(db, calls)
    period = Period.of(Grain.MONTH, world.FIRST.date(), world.ZONE)
    found = await report(db, Scope(period), datetime(2026, 3, 1, tzinfo=UTC), by=By.EMPLOYEE)
    book = CalamineWorkbook.from_object(BytesIO(workbook(found)))
    [measure] = found.scores.measures
    head, scores, *_ = book.get_sheet_by_name("Оценки").to_python()
    told = dict(zip(head, scores, strict=False))
    assert (told["значение, n"], told["промоутеры"], told["критики"]) == (35, 30, 5)
    assert measure.score.value is not None
    assert told["значение"] == pytest.approx(measure.score.value, abs=1e-3)
    _, *rows = book.get_sheet_by_name("Сотрудник").to_python()
    assert [(row[0], row[2]) for row in rows] == [(row.key, row.funnel.dialled) for row in found.rows]
    assert "=bob" in [row[0] for row in rows], "a text, and no formula"
    for table in (make(found) for make in OF_REPORT.values()):
        head, *rows = book.get_sheet_by_name(table.title).to_python(skip_empty_area=False)
        assert (head, len(rows)) == ([column.label for column in table.columns], len(table.rows))
