"""Numbers that count or name something: «два раза», «три долгих часа», «номер заказа пять».

Russian marks what is counted: after two a noun stands in the genitive singular, after five in the
genitive plural, so that «два звонка» counts and «девять, мастер молодец» does not.
"""

from __future__ import annotations

import re

from bot.surveys.company import GIVING, NOT, POINTS, Company
from bot.surveys.morphology import can_be, lemmas
from bot.surveys.numerals import LEXICON, Form, Mention
from bot.surveys.words import UNKNOWN, table

_EVERYDAY = re.compile(
    r"(раза?|минут\w*|секунд\w*|час(а|ов|ик\w*)?|день|дня|дней|недел\w*|месяц\w*|год(а|у|ом)?|лет|сут(ки|ок)"
    r"|утра|вечера|ночи|полудня|рубл\w*|копе\w+|гривен|доллар\w*|тысяч\w*|миллион\w*|процент\w*|человек\w*"
    r"|штук\w?|числа|январ\w+|феврал\w+|марта|апрел\w+|ма[яй]|июн\w+|июл\w+|август\w*|сентябр\w+|октябр\w+"
    r"|ноябр\w+|декабр\w+|am|pm|o'clock|people|men|guys|percent)"
)
"""Counted and measured in everyday speech, whatever their case."""

_ENGLISH_PLURAL = re.compile(r"[a-z]{2,}s")
_NOT_PLURAL = table("is was this his its as has does thanks yes always perhaps plus minus because us less")
_UNITS_BEFORE = table(
    "раза раз минут минуты часа часов часиков секунд дня дней недели недель месяца месяцев лет рублей",
    "человек процентов",
)
"""«Минут десять», «часа два»: a unit before its number makes it a rough one."""

_STEP = 5
"""«Пять-десять минут» is one rough count; numbers that lie farther apart, or fall, are two."""

_TIMES_TABLE = table("дважды трижды twice")
_UNCOUNTED_BEFORE = table("нет много мало хватает хватило полно никаких навалом")
"""«Десять, вопросов нет»: here the noun belongs to what follows."""

_NAMED = table(
    "номер дом квартира подъезд этаж корпус офис кабинет линия отдел окно улица проспект переулок",
    "строение участок маршрут код палата телефон number flat room line floor",
)
_OF_A_VARIANT = table("вариант ответ оценка пункт option answer")


def counts(company: Company) -> bool:
    """«Два раза», «три долгих часа», «минут десять», «пять операторов»: so many of something."""
    shared = company.place > 0 and len(company.since) == 1  # then the number before has this unit
    once_more = company.prev() == "раз" and (
        company.prev(2) in ("еще", "этот", "тот", "последний")
        or LEXICON.get(company.prev(2), (0, None))[1] is Form.ORDINAL
    )
    if company.prev() in _UNITS_BEFORE and company.prev(2) not in NOT and not shared and not once_more:
        return True
    if company.number.form is Form.ORDINAL:
        return False
    if _counted_with_next(company) or _counted_with_last(company) or company.prev() in _TIMES_TABLE:
        return True
    ahead = 2 if company.number.form is Form.ONE and company.following() in ("только", "лишь") else 1
    if can_be(company.following(), "ADVB", least=0.5) and _describes(company.following(2)):
        ahead = 2  # «два очень грубых оператора»
    while ahead < 4 and _describes(company.following(ahead)):
        if company.following(ahead) in _UNCOUNTED_BEFORE:
            return False  # «десять, никаких вопросов»
        ahead += 1
    noun = company.following(ahead)
    if POINTS.fullmatch(noun) or not noun or noun == UNKNOWN:
        return False
    if GIVING.match(noun) and can_be(noun, "VERB", least=0.05):
        return False  # «семёрку дам»: no ladies are counted
    if noun == "раз":
        return company.following(ahead + 1) not in ("уж", "так", "такое")
    if _EVERYDAY.fullmatch(noun):
        return True
    if company.following(ahead + 1) in _UNCOUNTED_BEFORE or (
        company.following(ahead + 1) == "не" and company.following(ahead + 2) in ("было", "имею", "возникло")
    ):
        return False
    if noun.isascii():
        plural = _ENGLISH_PLURAL.fullmatch(noun) is not None and noun not in _NOT_PLURAL
        return plural and company.number.value != 1
    return _agrees(company.number, noun)


def _counted_with_next(company: Company) -> bool:
    """The first of «два-три дня», «пять или шесть раз», and the two of «два из трёх операторов»."""
    if company.place + 1 >= len(company.numbers):
        return False
    later = Company(company.words, company.numbers, company.place + 1)
    rises = 0 < later.number.value - company.number.value <= _STEP
    joined = (list(company.until) in ([], ["или"], ["и"], ["может"]) and rises) or (
        list(company.until) in (["из"], ["of"], ["out", "of"])
    )
    return joined and counts(later)


def _counted_with_last(company: Company) -> bool:
    """The second of «минут пять-десять»."""
    if not company.place or list(company.since) not in ([], ["или"]):
        return False
    earlier = Company(company.words, company.numbers, company.place - 1)
    rises = 0 < company.number.value - earlier.number.value <= _STEP
    return rises and earlier.prev() in _UNITS_BEFORE


def _describes(word: str) -> bool:
    return word.endswith(("ых", "их", "ые", "ие", "ого", "его")) and can_be(word, "ADJF", least=0.3)


def _agrees(number: Mention, noun: str) -> bool:
    """Whether a noun has the case and number that counting it by `number` asks for."""
    if any(can_be(noun, name) for name in ("Name", "Surn", "Patr")) or not can_be(noun, "NOUN", least=0.3):
        return False
    if number.form is Form.ONE or (number.value % 10 == 1 and number.value % 100 != 11):
        gender = _GENDERS.get(number.heard.split()[-1])
        grammemes = ("NOUN", "sing") if gender is None else ("NOUN", "sing", gender)
        return number.form is not Form.NOUN and any(
            can_be(noun, *grammemes, case, least=0.3) for case in ("nomn", "accs", "gent")
        )
    if number.value == 0:
        return False
    if number.heard.isdecimal() or number.form in (Form.NOUN, Form.COLLECTIVE):
        few = False
    else:
        few = number.heard.split()[-1] in _FEW
    if few or (number.heard.isdecimal() and number.value in (2, 3, 4)):
        return can_be(noun, "NOUN", "sing", "gent", least=0.1)
    oblique = number.heard.split()[-1] in _OBLIQUE
    return can_be(noun, "NOUN", "plur", "gent", least=0.3) or (
        oblique and any(can_be(noun, "NOUN", "plur", case, least=0.3) for case in ("datv", "ablt", "loct"))
    )


_GENDERS = {"один": "masc", "одна": "femn", "одну": "femn", "одно": "neut"}
_FEW = table("два две три четыре")
_OBLIQUE = table(
    "двум двумя трем тремя четырем четырьмя пяти пятью шести шестью семи семью восьми восемью восьмью",
    "девяти девятью десяти десятью",
)


def is_name(company: Company) -> bool:
    """«Номер заказа пять», «на улице Ленина восемь», and numbers that go on such a one."""
    for back in (1, 2):
        word = company.prev(back)
        if back == 2 and not (can_be(company.prev(), "NOUN", least=0.3) and company.prev().isalpha()):
            break
        if POINTS.fullmatch(company.prev()) or company.prev() in _OF_A_VARIANT:
            break
        if not _NAMED.isdisjoint(lemmas(word)) if word.isalpha() else False:
            return _OF_A_VARIANT.isdisjoint(lemmas(company.prev(back + 1)) if company.prev(back + 1) else ())
    if company.place and company.numbers[company.place - 1].end == company.number.start:
        return is_name(Company(company.words, company.numbers, company.place - 1))
    return False
