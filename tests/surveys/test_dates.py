"""When to ring: words to an instant or a span in the caller's own zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.answer import Answer, AnswerSource
from bot.core.context import TurnSource, UserTurn
from bot.core.directives import DateExpected
from bot.surveys.answers import Unclear, UnclearReason, parse
from bot.surveys.words import table

FORTNIGHT = DateExpected(horizon_days=14)
MOSCOW = ZoneInfo("Europe/Moscow")
NOW = datetime(2026, 11, 25, 14, 10, 30, tzinfo=MOSCOW)
"""A Wednesday afternoon."""


def say(text: str, now: datetime | None = NOW) -> UserTurn:
    return UserTurn(source=TurnSource.SPEECH, text=text, at=now)


def when(text: str, now: datetime = NOW, expected: DateExpected = FORTNIGHT) -> str:
    """The value without the year and the zone, or why there is none."""
    result = parse(expected, say(text, now))
    if isinstance(result, Unclear):
        return result.reason.value
    offset = f"{now:%z}"
    return str(result.value).replace(f"{now.year}-", "").replace(f"{offset[:3]}:{offset[3:]}", "")


def rows(lines: str) -> list[tuple[str, str]]:
    """«what is said | or said otherwise = value», a line each."""
    pairs = (line.split(" = ") for line in lines.strip().splitlines())
    return [(text.strip(), value.strip()) for texts, value in pairs for text in texts.split("|")]


@pytest.mark.parametrize(
    ("text", "value"),
    rows(
        """
        через полчаса | in half an hour | полчасика через полчаса = 11-25T14:40
        через час | через часик | in an hour = 11-25T15:10
        через два часа | часа через два | in two hours = 11-25T16:10
        через полтора часа = 11-25T15:40
        минут через двадцать | через двадцать минут | через 20 минут = 11-25T14:30
        через минуту | через минутку = 11-25T14:11
        сейчас | прямо сейчас | now = 11-25T14:10
        в шесть | часов в шесть | к шести | шесть | в шесть вечера | at six = 11-25T18:00
        в 18:00 | в 6 часов = 11-25T18:00
        в половине седьмого | полседьмого | в пол седьмого | в шесть тридцать | at six thirty = 11-25T18:30
        без четверти семь | без пятнадцати семь = 11-25T18:45
        в четверть восьмого = 11-25T19:15
        двадцать минут седьмого = 11-25T18:20
        в восемнадцать ноль ноль | в восемнадцать часов = 11-25T18:00
        в три | в три часа дня | в 15 часов | в пятнадцать = 11-25T15:00
        в час | в час дня | в два часа ой в час = 11-26T13:00
        в полдень | в двенадцать | at noon = 11-26T12:00
        в девять утра | в 9 утра | at nine am = 11-26T09:00
        завтра в шесть | завтра шесть | завтра вечером в шесть = 11-26T18:00
        завтра утром в восемь | завтра в восемь утра = 11-26T08:00
        послезавтра в десять = 11-27T10:00
        в пятницу в половине третьего = 11-27T14:30
        тридцатого ноября в три часа дня | тридцатого в три = 11-30T15:00
        """
    ),
)
def test_an_instant(text: str, value: str) -> None:
    assert when(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    rows(
        """
        после шести | не раньше шести | с шести | after six = 11-25T18:00/11-25T21:00
        до шести | не позже шести = 11-25T14:10/11-25T18:00
        завтра | tomorrow = 11-26T09:00/11-26T21:00
        завтра утром | утром | с утра завтра | tomorrow morning = 11-26T09:00/11-26T12:00
        завтра днём = 11-26T12:00/11-26T17:00
        вечером | сегодня вечером | к вечеру | tonight = 11-25T17:00/11-25T21:00
        завтра в обед | завтра в обеденное время = 11-26T12:00/11-26T14:00
        в обед = 11-26T12:00/11-26T14:00
        после обеда | сегодня после обеда = 11-25T14:10/11-25T17:00
        завтра до обеда | завтра в первой половине дня = 11-26T09:00/11-26T13:00
        после работы = 11-25T18:00/11-25T21:00
        в рабочее время = 11-25T14:10/11-25T18:00
        завтра с двух до пяти | завтра с 14 до 17 = 11-26T14:00/11-26T17:00
        с трёх до пяти = 11-25T15:00/11-25T17:00
        между тремя и пятью = 11-25T15:00/11-25T17:00
        в четверг = 11-26T09:00/11-26T21:00
        в среду | в следующую среду = 12-02T09:00/12-02T21:00
        в пятницу после шести = 11-27T18:00/11-27T21:00
        в понедельник утром = 11-30T09:00/11-30T12:00
        на следующей неделе | next week = 11-30T09:00/12-06T21:00
        в начале следующей недели = 11-30T09:00/12-02T21:00
        в выходные | на выходных = 11-28T09:00/11-29T21:00
        с понедельника по среду = 11-30T09:00/12-02T21:00
        двадцать седьмого | 27-го | двадцать седьмого числа = 11-27T09:00/11-27T21:00
        первого декабря | первого = 12-01T09:00/12-01T21:00
        через три дня = 11-28T09:00/11-28T21:00
        через неделю | через недельку | in a week = 12-02T09:00/12-02T21:00
        сегодня в любое время | в любое время = 11-25T14:10/11-25T21:00
        завтра нет в пятницу | не завтра а в пятницу = 11-27T09:00/11-27T21:00
        завтра только не утром = 11-26T09:00/11-26T21:00
        """
    ),
)
def test_a_span(text: str, value: str) -> None:
    assert when(text) == value


@pytest.mark.parametrize(
    ("text", "reason"),
    rows(
        """
        завтра в восемь | завтра в девять = ambiguous
        в среду или в четверг | через пару часов | через час полтора | через день | попозже = ambiguous
        не знаю | да | восемь операторов | позже | только не утром | [unk] = no_match
        ночью | тридцать первого ноября | сегодня утром | сегодня в час = out_of_range
        двадцатого | через месяц = out_of_range
        """
    ),
)
def test_no_date_is_guessed(text: str, reason: str) -> None:
    assert when(text) == reason


def test_two_readings_are_both_named() -> None:
    result = parse(FORTNIGHT, say("завтра в восемь"))
    assert result == Unclear(UnclearReason.AMBIGUOUS, ("2026-11-26T08:00+03:00", "2026-11-26T20:00+03:00"))


def test_the_caller_s_zone_and_clock_decide() -> None:
    vladivostok = NOW.astimezone(ZoneInfo("Asia/Vladivostok"))  # 21:10 there
    assert when("завтра утром", vladivostok) == "11-26T09:00/11-26T12:00"
    assert when("вечером", vladivostok) == "11-26T17:00/11-26T21:00"
    late = NOW.replace(hour=19)
    assert when("в шесть", late) == "11-26T18:00"
    assert when("после шести", late) == "11-25T19:10/11-25T21:00"
    assert when("в восемь", late) == "11-25T20:00"


def test_an_hour_is_an_hour_when_the_clocks_change() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    before = datetime(2026, 10, 25, 2, 30, tzinfo=berlin)  # at three it is two again
    result = parse(FORTNIGHT, say("через час", before))
    assert isinstance(result, Answer)
    then = datetime.fromisoformat(str(result.value))
    assert (then.astimezone(UTC) - before.astimezone(UTC)).total_seconds() == 3600


def test_a_correction_is_marked() -> None:
    result = parse(FORTNIGHT, say("завтра нет в пятницу"))
    assert isinstance(result, Answer)
    assert result.source is AnswerSource.CORRECTED


def test_without_a_clock_there_is_no_date() -> None:
    assert parse(FORTNIGHT, say("завтра", None)) == Unclear(UnclearReason.NO_CLOCK)


def test_keys_are_the_hour() -> None:
    def key(digits: str) -> object:
        result = parse(FORTNIGHT, UserTurn(source=TurnSource.DTMF, digits=digits, at=NOW))
        return result.value if isinstance(result, Answer) else result.reason

    assert key("18") == key("18#") == "2026-11-25T18:00+03:00"
    assert key("9") == key("09") == "2026-11-26T09:00+03:00"
    assert key("24") is key("*") is UnclearReason.WRONG_KEY


SOME_WORDS = st.sampled_from(
    sorted(
        table(
            "завтра сегодня в во через после до с к не нет или и шесть восемь два полчаса часа минут дня",
            "вечера половине седьмого двадцатого среду пятницу следующей неделе утром обеда ноября 18:30",
            "99:99 без четверти пол час пару любое [unk] неделю тридцать ноль больше первого",
        )
    )
)


@given(
    st.lists(SOME_WORDS, max_size=8).map(" ".join),
    st.integers(min_value=0, max_value=5 * 365 * 24 * 60),
)
@settings(deadline=None)
def test_a_date_lies_ahead_and_within_the_horizon(text: str, minutes: int) -> None:
    now = NOW + timedelta(minutes=minutes)
    result = parse(FORTNIGHT, say(text, now))
    if isinstance(result, Answer):
        begin, _, end = str(result.value).partition("/")
        start = datetime.fromisoformat(begin)
        stop = datetime.fromisoformat(end or begin)
        assert start <= stop
        assert (start - now).total_seconds() > -60
        assert (start - now).days <= 14


@pytest.mark.parametrize(
    ("text", "value"),
    rows(
        """
        через минут сорок | минут через сорок | через сорок минут = 11-25T14:50
        через минут двадцать пять = 11-25T14:35
        через часа три | часа через три = 11-25T17:10
        через часа полтора = 11-25T15:40
        через дня три | дня через три = 11-28T09:00/11-28T21:00
        через недели две = 12-09T09:00/12-09T21:00
        через минут десять пятнадцать | через часа два или три = ambiguous
        через час = 11-25T15:10
        через три четверти часа = 11-25T14:55
        через четверть часа = 11-25T14:25
        """
    ),
)
def test_a_unit_may_stand_before_its_number(text: str, value: str) -> None:
    assert when(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    rows(
        """
        в пятницу двадцать седьмого | двадцать седьмого в пятницу = 11-27T09:00/11-27T21:00
        в пятницу четвёртого | четвёртого декабря в пятницу = 12-04T09:00/12-04T21:00
        в пятницу тринадцатого | тринадцатого в пятницу | в среду двадцать седьмого = ambiguous
        в пятницу или двадцать восьмого = ambiguous
        """
    ),
)
def test_a_weekday_and_a_date_must_be_one_day(text: str, value: str) -> None:
    assert when(text) == value
