"""Times of day in words: «в половине седьмого», «без четверти восемь», «в шесть вечера», «18:30»."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.surveys.numerals import LEXICON, Form, Mention, mentions
from bot.surveys.words import Token, table

_HOURS = table("час часа часов часам часу часик ч o'clock")
_MINUTES = table("минут минуты минута minutes")
_MORNING = table("утра am")
_DAY = table("дня")
_EVENING = table("вечера pm")
_NIGHT = table("ночи")
_MIDDAY = table("полдень полдня полудня полудню noon midday")
_HALF = table("половина половине половину пол")


@dataclass(frozen=True, slots=True)
class Clock:
    """A time of day at `start`..`end` in the words.

    `minutes` since midnight; `settled` False where it may also be twelve hours later. `marked` tells
    that the words themselves say that it is a time, «шесть» alone does not.
    """

    minutes: int
    settled: bool
    start: int
    end: int
    marked: bool = True


def clock_at(tokens: Sequence[Token], place: int) -> Clock | None:
    """The time of day that begins at a word, if one does."""
    words = [token.text for token in tokens]
    word = words[place]
    if ":" in word:
        hour, minute = (int(part) for part in word.split(":"))
        return _clock(hour, minute, place, place + 1, settled=hour > 12 or word.startswith("0"))
    if word in _MIDDAY:
        return _clock(12, 0, place, place + 1, settled=True)
    numbers = {number.start: number for number in mentions(tokens)}
    found = _to_the_hour(words, numbers, place) or _by_number(words, numbers, place)
    return _with_part(words, found) if found is not None else None


def _to_the_hour(words: Sequence[str], numbers: dict[int, Mention], place: int) -> Clock | None:
    """«Половина седьмого», «полседьмого», «четверть восьмого», «без пяти шесть», «двадцать минут шестого»."""
    word = words[place]
    following = numbers.get(place + 1)
    if word.startswith("пол") and LEXICON.get(word[3:], (0, Form.NOUN))[1] is Form.ORDINAL:
        return _clock(LEXICON[word[3:]][0] - 1, 30, place, place + 1)
    if word in _HALF and following is not None and following.form is Form.ORDINAL:
        return _clock(following.value - 1, 30, place, following.end)
    if word == "half" and words[place + 1 : place + 2] == ["past"] and place + 2 in numbers:
        return _clock(numbers[place + 2].value, 30, place, numbers[place + 2].end)
    if word == "четверть" and following is not None and following.form is Form.ORDINAL:
        return _clock(following.value - 1, 15, place, following.end)
    if word == "без":
        return _before_the_hour(words, numbers, place)
    number = numbers.get(place)
    if number is not None and number.end < len(words) and words[number.end] in _MINUTES:
        hour = numbers.get(number.end + 1)
        if hour is not None and hour.form is Form.ORDINAL:
            return _clock(hour.value - 1, number.value, place, hour.end)
    return None


def _before_the_hour(words: Sequence[str], numbers: dict[int, Mention], place: int) -> Clock | None:
    if words[place + 1 : place + 2] == ["четверти"]:
        minutes, at = 15, place + 2
    elif (number := numbers.get(place + 1)) is not None and 0 < number.value < 60:
        minutes, at = number.value, number.end
        if at < len(words) and words[at] in _MINUTES:
            at += 1
    else:
        return None
    hour = numbers.get(at)
    if hour is None or not 1 <= hour.value <= 24:
        return None
    return _clock(hour.value - 1, 60 - minutes, place, hour.end)


def _by_number(words: Sequence[str], numbers: dict[int, Mention], place: int) -> Clock | None:
    """«Шесть», «шесть часов», «восемнадцать тридцать», «семь ноль ноль»; «час» is one."""
    number = numbers.get(place)
    if number is None:
        if (
            words[place] in ("час", "часу", "часа")
            and place
            and words[place - 1] in ("в", "после", "до", "к")
        ):
            return _clock(1, 0, place, place + 1)
        return None
    if number.form not in (Form.CARDINAL, Form.ONE) or not 0 <= number.value <= 24:
        return None
    end, minute, marked = number.end, 0, False
    if end < len(words) and words[end] in _HOURS:
        end, marked = end + 1, True
    then = numbers.get(end)
    if then is not None and then.form is Form.CARDINAL and (then.value == 0 or 10 <= then.value < 60):
        minute, end, marked = then.value, then.end, True
        if minute == 0 and end in numbers and numbers[end].value == 0:
            end = numbers[end].end
    if end < len(words) and words[end] in _MINUTES and then is not None:
        end += 1
    settled = number.value > 12 or number.value == 0
    return _clock(number.value, minute, place, end, settled=settled, marked=marked)


def _with_part(words: Sequence[str], clock: Clock) -> Clock:
    """«… утра», «… вечера» behind a time settles which half of the day is meant."""
    part = words[clock.end] if clock.end < len(words) else ""
    hour, minute = divmod(clock.minutes, 60)
    if part in _MORNING:
        hour %= 12 if hour == 12 else 24
    elif part in _DAY or part in _EVENING:
        hour = hour + 12 if hour < 12 else hour
    elif part in _NIGHT:
        hour = hour + 12 if 9 <= hour < 12 else hour % 12
    else:
        return clock
    return Clock(hour * 60 + minute, True, clock.start, clock.end + 1)


def _clock(
    hour: int, minute: int, start: int, end: int, *, settled: bool = False, marked: bool = True
) -> Clock | None:
    minutes = (hour * 60 + minute) % (24 * 60)
    return Clock(minutes, settled, start, end, marked) if 0 <= hour <= 24 and 0 <= minute < 60 else None
