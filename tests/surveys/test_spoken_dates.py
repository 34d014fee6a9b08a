"""Days and times as they are read back to a caller."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.surveys.spoken_dates import spoken_date

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
MOMENTS = st.integers(0, 3 * 365 * 24 * 60).map(lambda minutes: FIRST + timedelta(minutes=minutes))


@pytest.mark.parametrize(
    ("value", "russian", "english"),
    [
        (
            "2026-11-25T15:00+03:00",
            "в среду, двадцать пятого ноября, в пятнадцать часов",
            "on Wednesday, November 25, at 3 pm",
        ),
        (
            "2026-12-01T09:30+03:00",
            "во вторник, первого декабря, в девять тридцать",
            "on Tuesday, December 1, at 9:30 am",
        ),
        (
            "2026-11-30T21:05+03:00",
            "в понедельник, тридцатого ноября, в двадцать один ноль пять",
            "on Monday, November 30, at 9:05 pm",
        ),
        (
            "2026-11-24T09:00+03:00/2026-11-24T12:00+03:00",
            "во вторник, двадцать четвёртого ноября, с девяти до двенадцати",
            "on Tuesday, November 24, between 9 am and 12 pm",
        ),
        (
            "2026-11-24T18:30+03:00/2026-11-24T21:00+03:00",
            "во вторник, двадцать четвёртого ноября, с восемнадцати тридцати до двадцати одного",
            "on Tuesday, November 24, between 6:30 pm and 9 pm",
        ),
        (
            "2026-11-28T09:00+03:00/2026-11-28T21:00+03:00",
            "в субботу, двадцать восьмого ноября",
            "on Saturday, November 28",
        ),
        ("2026-11-23T09:00+03:00/2026-11-27T18:00+03:00", "", ""),
    ],
)
def test_a_date_is_read_back(value: str, russian: str, english: str) -> None:
    assert spoken_date(value, "ru") == russian
    assert spoken_date(value, "en") == english


@given(MOMENTS, st.integers(0, 12))
def test_every_moment_can_be_said_and_none_sounds_like_another(at: datetime, hours: int) -> None:
    said = spoken_date(at.isoformat(timespec="minutes"), "ru")
    assert said
    assert not any(sign.isdigit() for sign in said)
    assert spoken_date(f"{at.isoformat()}/{at.replace(hour=23, minute=59).isoformat()}", "ru")
    later = at + timedelta(hours=hours, minutes=1)
    assert spoken_date(later.isoformat(timespec="minutes"), "ru") != said
