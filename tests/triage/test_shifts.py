from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.errors import BadInput
from bot.triage.shifts import ALWAYS, DAY_MINUTES, Shift, parse_shift, to_russian


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("mon-fri 09:00-18:00", "mon-fri 09:00-18:00"),
        ("пн-пт 9-18; сб 10.00–14.00", "mon-fri 09:00-18:00; sat 10:00-14:00"),
        ("mon,wed 09:00-13:00, 14-18", "mon 09:00-13:00, 14:00-18:00; wed 09:00-13:00, 14:00-18:00"),
        ("Fri-Mon 22:00-06:00", "mon 22:00-06:00; fri-sun 22:00-06:00"),
        ("sun 00:00-24:00", "sun 00:00-24:00"),
        ("всегда", "always"),
        ("24/7", "always"),
    ],
)  # fmt: skip
def test_a_shift_is_read_and_written(written: str, read: str) -> None:
    shift = parse_shift(written)
    assert str(shift) == read
    assert parse_shift(str(shift)) == shift


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("", "ни одного рабочего дня"),
        ("завтра 9-18", "«завтра» не день недели"),
        ("mon", "у дня нет времени"),
        ("mon 9", "«9» не промежуток"),
        ("mon 9-25", "«25» не время суток"),
        ("mon 09:75-18:00", "«09:75» не время суток"),
        ("mon 9-18; пн 19-20", "назван дважды"),
        ("mon 9-18, 17-20", "находят друг на друга"),
        ("mon 22-06; tue 05-10", "находят друг на друга"),
        ("sun 22-06; mon 05-10", "находят друг на друга"),
    ],
)
def test_a_shift_that_cannot_be_is_refused_with_the_reason(written: str, why: str) -> None:
    with pytest.raises(BadInput, match=why) as refused:
        parse_shift(written)
    assert "mon-fri 09:00-18:00" in refused.value.hint


def test_a_span_within_the_hour_that_the_clocks_leave_out_is_worked_an_hour_later() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    shift = parse_shift("sun 02:10-02:50")
    # Sunday, 2026-03-29: 02:00 becomes 03:00. Both ends are the same wall time an hour later.
    [moved] = shift.periods(date(2026, 3, 29), berlin)
    assert (moved.end - moved.start) == timedelta(minutes=40)
    [period] = shift.periods(date(2026, 4, 5), berlin)
    assert period.start == datetime(2026, 4, 5, 2, 10, tzinfo=berlin)


days = st.sampled_from(((), ((540, 1080),), ((0, 60), (600, 700)), ((1320, 1440),)))


@given(st.tuples(*([days] * 7)))
def test_what_is_written_is_read_back(spans: tuple[tuple[tuple[int, int], ...], ...]) -> None:
    shift = Shift(spans)
    if any(spans):
        assert parse_shift(str(shift)) == parse_shift(to_russian(str(shift))) == shift
    assert sum(end - start for day in ALWAYS.days for start, end in day) == 7 * DAY_MINUTES
