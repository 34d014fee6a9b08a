"""What an utterance says about when, part by part: days, parts of the day, times, delays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from bot.surveys import date_words as w
from bot.surveys.clock import Clock, clock_at
from bot.surveys.morphology import lemmas
from bot.surveys.numerals import Form, Mention, mentions
from bot.surveys.words import Token


@dataclass(frozen=True, slots=True)
class Days:
    """From one day to another, both included."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Hours:
    """A part of the day, in hours."""

    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Times:
    """A time of day; `relation` says whether at it, after it or before it."""

    clock: Clock
    relation: str = "at"


@dataclass(frozen=True, slots=True)
class Delay:
    """So many minutes from now."""

    minutes: int


@dataclass(frozen=True, slots=True)
class Odd:
    """About when, but no time of it: `night`, `vague`, or `impossible` (the 31st of February)."""

    what: str


What = Days | Hours | Times | Delay | Odd


@dataclass(frozen=True, slots=True)
class Part:
    """What was said at the words `start`..`end`; `denied` as in «только не утром»."""

    what: What
    start: int
    end: int
    denied: bool = False


def parts(tokens: Sequence[Token], today: date) -> list[Part]:
    """All parts from left to right; what one of them took is not read again."""
    words = [token.text for token in tokens]
    numbers = {number.start: number for number in mentions(tokens)}
    found: list[Part] = []
    place = 0
    while place < len(words):
        part = next(_readings(tokens, words, numbers, place, today), None)
        if part is None:
            place += 1
            continue
        found.append(Part(part.what, part.start, part.end, _is_denied(words, part.start)))
        place = part.end
    return found


def _readings(
    tokens: Sequence[Token], words: Sequence[str], numbers: dict[int, Mention], place: int, today: date
) -> Iterator[Part]:
    for what in (
        _delay(words, numbers, place, today),
        _day(words, numbers, place, today),
        _week(words, place, today),
        _part_of_day(words, place),
        _time(tokens, words, place),
    ):
        if what is not None:
            yield what


def _is_denied(words: Sequence[str], start: int) -> bool:
    while start and words[start - 1] in w.AT | w.SINCE:
        start -= 1
    return start > 0 and words[start - 1] in ("не", "not", "кроме")


# From now -----------------------------------------------------------------------------------


def _delay(words: Sequence[str], numbers: dict[int, Mention], place: int, today: date) -> Part | None:
    """«Через полчаса», «через два часа», «минут через двадцать», «через неделю»."""
    if words[place] in w.NOW:
        return Part(Delay(0), place, place + 1)
    if words[place] not in ("через", "in", "спустя"):
        return None
    if (rough := _unit_first(words, numbers, place, today)) is not None:
        return rough
    amount, unit_at = _amount(words, numbers, place + 1)
    if unit_at is None:
        return None
    unit = _unit(words[unit_at]) if unit_at < len(words) else None
    end = unit_at + 1
    start = place
    if unit is None and place:  # «минут через двадцать»
        unit, end, start = _unit(words[place - 1]), unit_at, place - 1
    if end in numbers and unit == 60:  # «через час-полтора»
        amount, end = None, numbers[end].end
    if unit_at == place + 1 and list(words[unit_at : unit_at + 1]) in (["день"], ["денек"]):
        amount = None  # «через день» is tomorrow to some and the day after to others
    if unit is None or amount is None:
        return Part(Odd("vague"), place, unit_at) if unit is not None else None
    return _after(amount * unit, start, end, today)


def _unit_first(words: Sequence[str], numbers: dict[int, Mention], place: int, today: date) -> Part | None:
    """«Через минут сорок», «через дня три»: a unit in the case that its number asks for, before it."""
    unit = _unit(words[place + 1]) if place + 1 < len(words) else None
    number = numbers.get(place + 2)
    if unit is None or number is None or words[place + 1] not in w.COUNTED:
        return None
    if number.form not in (Form.CARDINAL, Form.FRACTION):
        return None
    if number.end in numbers or words[number.end : number.end + 1] == ["или"]:
        return Part(Odd("vague"), place, number.end)  # «через минут десять-пятнадцать»
    amount = number.value + 0.5 * (number.form is Form.FRACTION)
    return _after(amount * unit, place, number.end, today)


def _after(minutes: float, start: int, end: int, today: date) -> Part:
    if minutes >= w.A_DAY:
        day = today + timedelta(days=min(round(minutes / w.A_DAY), 3660))
        return Part(Days(day, day), start, end)
    return Part(Delay(round(minutes)), start, end)


def _amount(words: Sequence[str], numbers: dict[int, Mention], place: int) -> tuple[float | None, int | None]:
    """How many, and where the unit stands; an amount of None is a rough one."""
    if place >= len(words):
        return None, None
    number = numbers.get(place)
    if number is not None:
        if number.form is Form.FRACTION:
            return number.value + 0.5, number.end
        if number.form in (Form.CARDINAL, Form.ONE):
            if number.end in numbers or words[number.end : number.end + 1] == ["или"]:
                return None, number.end  # «через час-два»
            if list(words[number.end : number.end + 2]) == ["четверти", "часа"]:
                return 0.25 * number.value, number.end + 1
            return float(number.value), number.end
        return None, None
    word = words[place]
    if word in ("полчаса", "полчасика"):
        return 0.5, place  # its own unit: the hour in it
    if word == "half":
        back = place + 1 + (words[place + 1 : place + 2] in (["an"], ["a"]))
        return 0.5, back
    if word == "четверть" and words[place + 1 : place + 2] == ["часа"]:
        return 0.25, place + 1
    if word in ("пару", "несколько", "couple", "few", "пара"):
        return None, place + 1
    if word in ("a", "an"):
        return (
            _amount(words, numbers, place + 1)
            if words[place + 1 : place + 2] == ["half"]
            else (1.0, place + 1)
        )
    return (1.0, place) if _unit(word) is not None else (None, None)


def _unit(word: str) -> int | None:
    if word in ("полчаса", "полчасика"):
        return 60
    return next((w.UNITS[lemma] for lemma in _forms(word) if lemma in w.UNITS), None)


# Days ---------------------------------------------------------------------------------------


def _day(words: Sequence[str], numbers: dict[int, Mention], place: int, today: date) -> Part | None:
    """«Завтра», «в следующую среду», «двадцатого ноября», «на выходных»."""
    word = words[place]
    if word in w.DAYS:
        day = today + timedelta(days=w.DAYS[word])
        return Part(Days(day, day), place, place + 1)
    weekday = next((w.WEEKDAYS[lemma] for lemma in _forms(word) if lemma in w.WEEKDAYS), None)
    if weekday is not None:
        day = _weekday(words, place, weekday, today)
        return Part(Days(day, day), place, place + 1)
    if any(lemma in ("выходной", "weekend", "выходные") for lemma in _forms(word)):
        saturday = today + timedelta(days=(5 - today.weekday()) % 7)
        return Part(Days(saturday, saturday + timedelta(days=1)), place, place + 1)
    number = numbers.get(place)
    return None if number is None else _date(words, number, today)


def is_weekday(word: str) -> bool:
    return not w.WEEKDAYS.keys().isdisjoint(_forms(word))


def _weekday(words: Sequence[str], place: int, weekday: int, today: date) -> date:
    """The next such day, never today; «в следующую среду» is that of the next week."""
    before = _forms(words[place - 1]) if place else frozenset()
    monday = today - timedelta(days=today.weekday())
    if not w.NEXT.isdisjoint(before):
        return monday + timedelta(days=7 + weekday)
    ahead = (weekday - today.weekday()) % 7
    return today + timedelta(days=ahead or 7)


def _date(words: Sequence[str], number: Mention, today: date) -> Part | None:
    """«Двадцатого», «25-го числа», «двадцать пятое ноября»."""
    following = words[number.end] if number.end < len(words) else ""
    month = next((w.MONTHS[lemma] for lemma in _forms(following) if lemma in w.MONTHS), None)
    nth = number.form is Form.ORDINAL and number.heard.endswith(("го", "ое", "ье", "th", "st", "nd", "rd"))
    if not 1 <= number.value <= 31 or not (month is not None or nth):
        return None
    end = number.end + (month is not None or following in ("числа", "число"))
    day = _next_date(number.value, month, today)
    what: What = Odd("impossible") if day is None else Days(day, day)
    return Part(what, number.start, end)


def _next_date(day: int, month: int | None, today: date) -> date | None:
    """The next such day from today on; None where there is none within the year."""
    year, at = today.year, today.month
    for ahead in range(13):
        years, months = divmod(at - 1 + ahead, 12)
        if month is not None and months + 1 != month:
            continue
        try:
            found = date(year + years, months + 1, day)
        except ValueError:  # not in this month
            if month is not None:
                return None
            continue
        if found >= today:
            return found
    return None


def _week(words: Sequence[str], place: int, today: date) -> Part | None:
    """«На следующей неделе», «на этой неделе», «в начале следующей недели»."""
    before = _forms(words[place - 1]) if place else frozenset()
    if not {"неделя", "неделька", "week"} & _forms(words[place]):
        return None
    monday = today - timedelta(days=today.weekday())
    stretch = next(
        (w.STRETCHES[word] for word in words[max(0, place - 2) : place] if word in w.STRETCHES), None
    )
    if not w.NEXT.isdisjoint(before):
        monday += timedelta(days=7)
    elif w.THIS.isdisjoint(before) and stretch is None:
        return None
    begin, end = stretch or (0, 6)
    first, last = monday + timedelta(days=begin), monday + timedelta(days=end)
    what: What = Odd("impossible") if last < today else Days(max(first, today), last)
    return Part(what, place, place + 1)


# Times of day -------------------------------------------------------------------------------


def _part_of_day(words: Sequence[str], place: int) -> Part | None:
    """«Утром», «после обеда», «в первой половине дня», «в рабочее время»."""
    word = words[place]
    before = words[place - 1] if place else ""
    if word in w.NIGHT:
        return Part(Odd("night"), place, place + 1)
    if word in w.VAGUE and word not in w.AFTER:
        return Part(Odd("vague"), place, place + 1)
    if word in w.HALVES_OF_DAY and words[place + 1 : place + 3] in (["половине", "дня"], ["половину", "дня"]):
        return Part(Hours(*w.HALVES_OF_DAY[word]), place, place + 3)
    if word in ("рабочее", "working") and words[place + 1 : place + 2] in (["время"], ["hours"]):
        return Part(Hours(*w.WORKING_HOURS), place, place + 2)
    if before in w.AFTER and word in w.AFTER_PARTS:
        return Part(Hours(*w.AFTER_PARTS[word]), place - 1, place + 1)
    if before in w.BEFORE and word in w.BEFORE_PARTS:
        return Part(Hours(*w.BEFORE_PARTS[word]), place - 1, place + 1)
    if word in ("любое", "любой", "anytime") or (word == "any" and words[place + 1 : place + 2] == ["time"]):
        return Part(Hours(w.DAY_BEGINS, w.DAY_ENDS), place, place + 1)
    if word in w.PARTS:
        return Part(Hours(*w.PARTS[word]), place, place + 1)
    return None


def _time(tokens: Sequence[Token], words: Sequence[str], place: int) -> Part | None:
    """«В шесть», «после шести», «не раньше шести», «с двух», «в половине седьмого», a bare «шесть»."""
    clock = clock_at(tokens, place)
    if clock is None:
        return None
    back = place
    while back and words[back - 1] in w.AT:
        back -= 1
    before = words[back - 1] if back else ""
    earlier = words[back - 2] if back > 1 else ""
    relation, start = "at", back
    if before in ("раньше", "ранее", "earlier") and earlier in ("не", "not"):
        relation, start = "after", back - 2
    elif before in ("позже", "позднее", "later") and earlier in ("не", "not"):
        relation, start = "before", back - 2
    elif before in w.AFTER or before in w.SINCE:
        relation, start = "after", back - 1
    elif before in w.BEFORE or before == "по":
        relation, start = "before", back - 1
    elif before in ("между", "between"):
        relation, start = "after", back - 1
    elif not clock.marked and back == place and not _stands_alone(words, clock):
        return None
    return Part(Times(clock, relation), start, clock.end)


def _stands_alone(words: Sequence[str], clock: Clock) -> bool:
    """«Шесть», «завтра шесть», and the end of «между двумя и тремя»."""
    if clock.start and words[clock.start - 1] in ("и", "and", "-") and {"между", "between"} & set(words):
        return True
    following = words[clock.end] if clock.end < len(words) else ""
    return not following or following in w.DAYS or following in w.PARTS or following in w.CORRECTS


def _forms(word: str) -> frozenset[str]:
    """The dictionary forms of a Russian word; an English one with and without its «s»."""
    if word.isascii():
        return frozenset((word, word.removesuffix("s")))
    return lemmas(word) if word.isalpha() else frozenset((word,))
