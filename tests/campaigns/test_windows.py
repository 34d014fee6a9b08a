"""Hours by the clock of whoever is rung, on days when that clock is changed too, and when they begin."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.campaigns.frame import DAY_OFF, WORKING_DAY
from bot.campaigns.windows import Closed, Window, survey_hours
from bot.surveys.schema import Calling as SurveyCalling
from bot.triage.shifts import parse_shift
from tests.campaigns.clocks import ODD_CLOCKS, inside, is_working_day

SINCE = (datetime(1970, 1, 1), datetime(2037, 1, 1))  # noqa: DTZ001  as hypothesis takes them
ALL_WEEK = "mon-sun 00:00-24:00"


def window(
    tz: str = "Europe/Moscow", hours: str = ALL_WEEK, *, country: str = "RU", **more: object
) -> Window:
    plain = Window(ZoneInfo(tz), country, (parse_shift(hours),))
    return replace(plain, **more)  # type: ignore[arg-type]


def local(tz: str, *numbers: int, fold: int = 0) -> datetime:
    return datetime(*numbers, fold=fold, tzinfo=ZoneInfo(tz)).astimezone(UTC)  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("now", "hours", "opens"),
    [
        # A Wednesday: the frame alone.
        ((2026, 12, 2, 8, 59), ALL_WEEK, (2026, 12, 2, 9, 0)),
        ((2026, 12, 2, 20, 58), ALL_WEEK, (2026, 12, 2, 20, 58)),
        ((2026, 12, 2, 20, 59), ALL_WEEK, (2026, 12, 3, 9, 0)),
        # A Saturday closes an hour earlier.
        ((2026, 12, 5, 19, 59), ALL_WEEK, (2026, 12, 6, 9, 0)),
        # Hours of one's own, with a break.
        ((2026, 12, 2, 12, 59), "mon-fri 10-13, 14-20", (2026, 12, 2, 14, 0)),
        ((2026, 12, 4, 19, 59), "mon-fri 10-13, 14-20", (2026, 12, 7, 10, 0)),
        # 31 December is a day off in exchange for another, and then there are holidays until the 10th.
        ((2026, 12, 30, 20, 0), "mon-fri 10-20", (2027, 1, 11, 10, 0)),
        # Saturday, 20 February 2027, is worked instead of Monday: a Friday, with a working day's frame.
        ((2027, 2, 20, 8, 0), "mon-fri 10-21", (2027, 2, 20, 10, 0)),
        ((2027, 2, 20, 20, 30), "mon-fri 10-21", (2027, 2, 20, 20, 30)),
        ((2027, 2, 20, 21, 0), "mon-fri 10-21", (2027, 2, 24, 10, 0)),
        # Over the night nobody has hours, whatever is written.
        ((2026, 12, 2, 23, 0), "mon-sun 21-09", None),
    ],
)
def test_the_first_moment(now: tuple[int, ...], hours: str, opens: tuple[int, ...] | None) -> None:
    found = window(hours=hours).next_open(local("Europe/Moscow", *now))
    assert found == (opens and local("Europe/Moscow", *opens))


@pytest.mark.parametrize(
    ("tz", "hours", "now", "opens"),
    [
        # At noon it was one o'clock: hours from half past twelve begin in that moment.
        ("Africa/Juba", "sat 12:30-18", (2000, 1, 15, 11, 0), (2000, 1, 15, 13, 0)),
        # Up to half past twelve they are over, and nobody is rung in what is left of them.
        ("Africa/Juba", "sat 12-12:30; sun 12-12:30", (2000, 1, 15, 11, 0), (2000, 1, 16, 12, 0)),
        # Nine o'clock was ten o'clock.
        ("Europe/Athens", "sun 9:30-20", (1979, 4, 1, 8, 0), (1979, 4, 1, 10, 0)),
        # At midnight it was five in the afternoon once more: a second evening of the same day.
        ("Antarctica/Vostok", "mon 18-19", (1994, 1, 31, 20, 0), (1994, 1, 31, 18, 0, 1)),
        # 30 December 2011 never was.
        ("Pacific/Apia", "fri-sat 10-20", (2011, 12, 29, 22, 0), (2011, 12, 31, 10, 0)),
    ],
)
def test_when_the_clocks_are_changed(
    tz: str, hours: str, now: tuple[int, ...], opens: tuple[int, ...]
) -> None:
    *numbers, fold = opens if len(opens) == 6 else (*opens, 0)
    found = window(tz, hours, country="DE").next_open(local(tz, *now))
    assert found == local(tz, *numbers, fold=fold)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"starts": date(2026, 12, 3)}, Closed.NOT_STARTED),
        ({"ends": date(2026, 12, 1)}, Closed.ENDED),
        ({"closed": (date(2026, 12, 2),)}, Closed.CLOSED_DAY),
        ({"hours": "mon 10-20"}, Closed.NO_HOURS_TODAY),
        ({"hours": "wed 15-20"}, Closed.OUTSIDE_HOURS),
        ({}, None),
    ],
)
def test_why_a_moment_is_not_inside(changed: dict[str, object], why: Closed | None) -> None:
    assert window(**changed).why_closed(local("Europe/Moscow", 2026, 12, 2, 12, 0)) is why  # type: ignore[arg-type]


def test_a_holiday_is_no_day_to_ring_on_unless_it_is_wanted() -> None:
    new_year = local("Europe/Moscow", 2027, 1, 1, 12, 0)
    assert window().why_closed(new_year) is Closed.HOLIDAY
    assert window(holidays=True).why_closed(new_year) is None
    assert window(holidays=True).why_closed(local("Europe/Moscow", 2027, 1, 1, 20, 0)) is Closed.OUTSIDE_HOURS


def test_the_hours_of_a_survey() -> None:
    hours = survey_hours(SurveyCalling(earliest="10:30", latest="18:15", days=("tue", "sat")))
    assert str(hours) == "tue 10:30-18:15; sat 10:30-18:15"


moments = st.builds(
    lambda day, seconds: (
        day[0],
        datetime.combine(day[1], time(0), tzinfo=ZoneInfo(day[0])).astimezone(UTC)
        + timedelta(seconds=seconds),
    ),
    st.sampled_from(ODD_CLOCKS),
    st.integers(-2 * 86_400, 2 * 86_400),
)


@given(st.sampled_from(sorted(available_timezones())), st.datetimes(*SINCE, timezones=st.just(UTC)))
@settings(max_examples=300, deadline=None)
def test_no_zone_and_no_moment_is_outside_the_frame(tz: str, now: datetime) -> None:
    """Of all zones that there are, with all their changes."""

    def frame(day: datetime) -> tuple[int, int]:
        return WORKING_DAY if is_working_day(day) else DAY_OFF

    if window(tz, holidays=True).why_closed(now) is None:
        assert inside(now, tz, frame)
    else:
        assert not inside(now, tz, frame)


@given(moments, st.integers(8 * 60, 20 * 60), st.integers(1, 240))
@example(("Europe/Berlin", datetime(2027, 3, 28, 23, 0, tzinfo=UTC)), 19 * 60 + 59, 2)  # then a holiday
@example(("Africa/Juba", datetime(2000, 1, 15, 8, 30, tzinfo=UTC)), 12 * 60 + 10, 60)
@settings(max_examples=60, deadline=None)
def test_the_first_moment_is_the_first(where: tuple[str, datetime], start: int, minutes: int) -> None:
    """Against the clock on the wall, read minute by minute over three days."""
    tz, now = where
    end = min(start + minutes, 23 * 60 + 59)
    hours = f"mon-sun {start // 60}:{start % 60:02}-{end // 60}:{end % 60:02}"

    def opens(day: datetime) -> tuple[int, int]:
        frame = WORKING_DAY if is_working_day(day, "DE") else DAY_OFF
        return max(frame[0], start), min(frame[1], end)

    minute = now.replace(second=0, microsecond=0)
    tried = (now, *(minute + timedelta(minutes=n) for n in range(1, 3 * 1440)))
    first = next((at for at in tried if inside(at, tz, opens)), None)
    found = window(tz, hours, country="DE", holidays=True).next_open(now)
    if first is None:
        assert found is None or found > tried[-1]
    else:
        assert found == first
