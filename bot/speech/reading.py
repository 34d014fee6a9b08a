"""How people on the phone read what ru-normalizr reads otherwise: rules before it, and rules behind it.

Each rule is a pattern and what stands in its place. Those before it leave a text that is still written
(digits where the library's cases of numbers are right); those behind it mend what it said.
"""

from __future__ import annotations

import re
from collections.abc import Callable

Rule = tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]

ONES = (
    *("ноль", "один", "два", "три", "четыре", "пять", "шесть", "семь", "восемь", "девять"),
    *("десять", "одиннадцать", "двенадцать", "тринадцать", "четырнадцать"),
    *("пятнадцать", "шестнадцать", "семнадцать", "восемнадцать", "девятнадцать"),
)
TENS = ("двадцать", "тридцать", "сорок", "пятьдесят", "шестьдесят", "семьдесят", "восемьдесят", "девяносто")
HUNDREDS = (
    *("сто", "двести", "триста", "четыреста", "пятьсот"),
    *("шестьсот", "семьсот", "восемьсот", "девятьсот"),
)

_MONTHS = (
    *("января", "февраля", "марта", "апреля", "мая", "июня"),
    *("июля", "августа", "сентября", "октября", "ноября", "декабря"),
)
_MONTH = "|".join(_MONTHS)

ACRONYMS = {
    "NPS": "эн-пи-эс",
    "CSAT": "си-сат",
    "CES": "си-и-эс",
    "CRM": "си-эр-эм",
    "SMS": "эсэмэс",
    "СМС": "эсэмэс",
    "PIN": "пин",
    "VIP": "вип",
    "QR": "кью-ар",
    "IVR": "ай-ви-ар",
    "ID": "ай-ди",
    "Wi-Fi": "вай-фай",
    "WiFi": "вай-фай",
    "iPhone": "айфон",
    "Windows": "виндоус",
    "e-mail": "имейл",
    "E-mail": "имейл",
    "email": "имейл",
    "Email": "имейл",
    "ООО": "о-о-о",
    "АО": "а-о",
    "ЗАО": "зэ-а-о",
    "ПАО": "па-о",
    "ИП": "и-пэ",
    "АТС": "а-тэ-эс",
    "АЗС": "а-зэ-эс",
    "ИНН": "и-эн-эн",
    "СНИЛС": "снилс",
    "ОСАГО": "осаго",
    "КАСКО": "каско",
    "ФИО": "эф-и-о",
    "СПб": "эс-пэ-бэ",
    "ЖКУ": "жэ-ка-у",
    "тел.": "телефон",
    "доб.": "добавочный",
    "сек.": "секунд",
    "им.": "имени",
    "т.ч.": "том числе",
    "т. ч.": "том числе",
    "№№": "номера",
}

_LETTER_NAMES = (
    *("а", "бэ", "вэ", "гэ", "дэ", "е", "ё", "жэ", "зэ", "и", "й", "ка", "эль", "эм", "эн", "о"),
    *("пэ", "эр", "эс", "тэ", "у", "эф", "ха", "цэ", "че", "ша", "ща", "э", "ю", "я"),
)
_LETTERS = dict(zip("АБВГДЕЁЖЗИЙКЛМНОПРСТУФХЦЧШЩЭЮЯ", _LETTER_NAMES, strict=True))
_ROMAN = {"I": 1, "II": 2, "III": 3, "IV": 4, "V": 5, "VI": 6, "VII": 7, "VIII": 8, "IX": 9, "X": 10}


def cardinal(number: int) -> str:
    """A number from 0 to 999 in the nominative, masculine."""
    if not 0 <= number <= 999:
        raise ValueError("only 0 to 999")
    words = []
    if number >= 100:
        words.append(HUNDREDS[number // 100 - 1])
        number %= 100
    if number >= 20:
        words.append(TENS[number // 10 - 2])
        number %= 10
    if number or not words:
        words.append(ONES[number])
    return " ".join(words)


def digits(written: str) -> str:
    """One by one, as codes and accounts are read; what is no digit is a pause between groups."""
    groups = [" ".join(ONES[int(digit)] for digit in group) for group in re.findall(r"\d+", written)]
    return ", ".join(groups)


def _group(written: str) -> str:
    """A group of a phone number; its leading zeros are spoken."""
    rest = written.lstrip("0")
    return " ".join(["ноль"] * (len(written) - len(rest)) + ([cardinal(int(rest))] if rest else []))


def _phone(match: re.Match[str]) -> str:
    code, *rest = match.groups()[1:]
    groups = [code] if len(code) <= 3 else [code[:-2], code[-2:]]
    return ", ".join(("плюс семь" if match[1] == "+7" else "восемь", *map(_group, groups + rest)))


_OBLIQUE = (
    *("ноля", "одного", "двух", "трёх", "четырёх", "пяти", "шести", "семи", "восьми", "девяти", "десяти"),
    *(f"{word[:-1]}и" for word in ONES[11:]),
)
_DATIVE = {"ноля": "нолю", "одного": "одному", "двух": "двум", "трёх": "трём", "четырёх": "четырём"}
_OBLIQUE_TENS = {20: "двадцати", 30: "тридцати", 40: "сорока", 50: "пятидесяти"}


def _counted(number: int, one: str, more: str, *, dative: bool) -> str:
    """«двадцати одного часа», «к девяти часам»: a number below 60 and what it counts, in the genitive or
    the dative. `one` and `more` are the thing's forms; a feminine one ends in «ы» or «е»."""
    tens, ones = (number // 10 * 10, number % 10) if number >= 20 else (0, number)
    word = _OBLIQUE[ones]
    if dative:
        word = _DATIVE.get(word, word)
    if ones == 1 and one.startswith("минут"):
        word = "одной"
    said = " ".join(filter(None, (_OBLIQUE_TENS.get(tens, ""), word if ones or not tens else "")))
    return f"{said} {one if ones == 1 else more}"


def _declined_time(match: re.Match[str]) -> str:
    before, hour, minute = match[1], int(match[2]), int(match[3])
    dative = before.lower() == "к"
    if hour == minute == 0:
        return f"{before} полуночи"
    forms = ("часу", "часам", "минуте", "минутам") if dative else ("часа", "часов", "минуты", "минут")
    said = _counted(hour, *forms[:2], dative=dative)
    return f"{before} {said}" + (f" {_counted(minute, *forms[2:], dative=dative)}" if minute else "")


def _time(match: re.Match[str]) -> str:
    if int(match[1]) == int(match[2]) == 0:
        return "полночь"
    return f"{cardinal(int(match[1]))} {'ровно' if match[2] == '00' else _group(match[2])}"


def _date(match: re.Match[str]) -> str:
    return f"{int(match[1])} {_MONTHS[int(match[2]) - 1]}"


def _initials(match: re.Match[str]) -> str:
    return " ".join(_LETTERS.get(letter, letter) for letter in re.findall(r"[А-ЯЁ]", match[1]))


def _roman(match: re.Match[str]) -> str:
    ending = "я" if match[2].endswith(("а", "я", "ь")) and match[2] != "уровень" else "й"
    return f"{_ROMAN[match[1]]}-{ending} {match[2]}"


def _half(match: re.Match[str]) -> str:
    feminine = match[1].startswith(("минут", "тысяч", "недел", "секунд", "штук", "страниц"))
    return f"{'полторы' if feminine else 'полтора'} {match[1]}"


def _rule(pattern: str, put: str | Callable[[re.Match[str]], str], flags: int = 0) -> Rule:
    return re.compile(pattern, flags), put


_ACRONYM = (
    r"(?<![\w-])(" + "|".join(re.escape(word) for word in sorted(ACRONYMS, key=len, reverse=True)) + ")"
)
_I = re.IGNORECASE
_HH, _MM = r"([01]?\d|2[0-3])", r"([0-5]\d)"
_GENITIVE = r"\b(с|до|от|после|около|к)\s"
_RANGE = r"\s?[-–—]\s?"

BEFORE: tuple[Rule, ...] = (
    _rule(r"https?://(?:www\.)?|\bwww\.", "", _I),
    _rule(r"\b24/7\b", "круглосуточно"),
    # Initials: beside a surname, and behind it.
    _rule(r"(?<![\w.])((?:[А-ЯЁ]\.\s?){1,2})(?=[А-ЯЁ][а-яё])", lambda m: _initials(m) + " "),
    _rule(r"(?<=[а-яё]\s)((?:[А-ЯЁ]\.\s?){2})(?=[\s,;!?)]|$)", _initials),
    _rule(r"(?<=[а-яё]\s)((?:[А-ЯЁ]\.\s?){2})", lambda m: _initials(m) + " "),
    _rule(r"\bт\.\s?(?=\+?\d)", "телефон "),
    _rule(r"\bпо тел\.", "по телефону", _I),
    _rule(r"\b(на) ул\.", r"\1 улице", _I),
    _rule(r"\b(на) пр-те?\b", r"\1 проспекте", _I),
    _rule(_ACRONYM + r"(?!\w)", lambda m: ACRONYMS[m[1]]),
    # Keys.
    _rule(r"\b((?:нажмите|клавиш[ауи]|кнопк[ауи]|цифр[ауы])\s+)(\d)\b", lambda m: m[1] + ONES[int(m[2])], _I),
    _rule(r"(решётк\w+|звёздочк\w+)\s[*#]", r"\1", _I),
    _rule(r"\b(нажмите\s)#", r"\1решётку", _I),
    _rule(r"\b(нажмите\s)\*", r"\1звёздочку", _I),
    # Telephones: with their codes, and of the town.
    _rule(
        r"(?<!\w)(\+7|8)[\s-]?\(?(\d{3})\)?[\s-]?(\d{3})[\s-]?(\d{2})[\s-]?(\d{2})(?!\w)",
        _phone,
    ),
    _rule(
        r"(?<!\w)(\+7|8)[\s-]?\((\d{4,5})\)[\s-]?(\d{1,2})-(\d{2})-(\d{2})(?!\w)",
        _phone,
    ),
    _rule(
        r"(телефон\w*:?|номер\w*:?|звоните:?(?:\sпо)?)()\s(\d{2,3})-(\d{2})-(\d{2})(?!\w)",
        lambda m: f"{m[1]} {', '.join(_group(group) for group in m.groups()[2:])}",
        _I,
    ),
    # Codes, cards, accounts: digit by digit.
    _rule(
        r"\b((?:код|пин|парол)[\w-]*(?:\s[а-яёa-z-]+){0,2}:?\s)(\d{3,8})\b", lambda m: m[1] + digits(m[2]), _I
    ),
    _rule(r"(?<!\w)[*•xXхХ]{1,4}\s?(\d{4})\b", lambda m: digits(m[1])),
    _rule(r"\b(оканчива\w+ на )(\d{2,6})\b", lambda m: m[1] + digits(m[2]), _I),
    _rule(r"\b(снилс\s)(\d{3}-\d{3}-\d{3} \d{2})\b", lambda m: m[1] + digits(m[2]), _I),
    _rule(r"(?<![\w.,:/-])(?<!\d )(\d{4}(?: \d{4}){3}|\d{9,}|0\d+)(?![\w.,:/-]*\d)", lambda m: digits(m[1])),
    _rule(r"\b([A-Z]{2})-?(\d{2,5})\b", lambda m: f"{m[1]} {digits(m[2])}"),
    # Days and times.
    _rule(r"\b(0?[1-9]|[12]\d|3[01])/(0[1-9]|1[0-2])/(\d{4})\b", r"\1.\2.\3"),
    _rule(rf"\b(\d{{1,2}}){_RANGE}(\d{{1,2}})\s({_MONTH})\b", r"с \1 по \2 \3"),
    _rule(rf"\b{_HH}:{_MM}{_RANGE}{_HH}:{_MM}\b", r"с \1:\2 до \3:\4"),
    _rule(rf"\b(в|во)\s{_HH}\.{_MM}(?![\d.]*\d)", r"\1 \2:\3", _I),
    _rule(rf"{_GENITIVE}{_HH}\.(00|1[3-9]|[2-5]\d)(?![\d.]*\d)", r"\1 \2:\3", _I),
    _rule(r"\bв\s0?0:00\b", "в полночь", _I),
    _rule(rf"{_GENITIVE}{_HH}:{_MM}\b", _declined_time, _I),
    _rule(rf"\b{_HH}:{_MM}\b", _time),
    _rule(
        r"(?<!верси[яию] )(?<![\d.,№-])\b(0[1-9]|[12]\d|3[01])\.(0[1-9]|1[0-2])(?![\d-]|\.\d)"
        r"(?!\s?(?:%|процент|пункт|балл|руб|₽|к[мг]\b|[мл]\b))",
        _date,
    ),
    _rule(r"\b(верси[яию]|релиз\w*)\s(\d+)\.(\d+)", r"\1 \2 точка \3", _I),
    _rule(r"(?<![\d:])(\d{1,2}):(\d{1,2})(?![\d:])", r"\1 \2"),
    # Parts and wholes.
    _rule(r"\b(\d|10)/10\b", r"\1 из 10"),
    _rule(r"\b(оценк\w+\s)([0-5])/5\b", r"\1\2 из 5", _I),
    _rule(r"\b(дом|д\.)\s(\d+)/(\d+)", r"\1 \2 дробь \3", _I),
    _rule(r"\b1,5\s([а-яё]+)", _half, _I),
    # Sums.
    _rule(r"([$€])\s?(\d{1,3}(?:[ \u00a0]\d{3})*(?:[.,]\d+)?)", r"\2 \1"),
    _rule(r"\b((?:сумма|стоимость|цена|итого|баланс|долг|чек)(?: заказа)?)\s(?=\d)", r"\1: ", _I),
    _rule(
        r"\b(X|IX|IV|V?I{1,3}|V)\s"
        r"(этап|квартал|тур|уровень|курс|класс|группа|категория|степень|глава|часть|очередь)\b",
        _roman,
    ),
    _rule(r"\b(\d+)\+(?!\w)", r"от \1"),
    _rule(r"(?<=[\w»\"])\+(?!\w)", " плюс"),
)

_COMPOUND = rf"(?:{'|'.join((*TENS, *HUNDREDS))}|двадцати|тридцати|сорока|\w+десяти|ста|\w+сот)"
_SMALL = (
    rf"(?:{'|'.join((*ONES, *TENS))}|одн[аоуй]|одного|одной|две|двух|тр[её]х|четыр[её]х|пяти|шести|семи"
    r"|восьми|девяти|десяти|\w+надцати|двадцати|тридцати|сорока)"
)


def _thousand(match: re.Match[str]) -> str:
    """Nobody says the one of a thousand: «тысяча двести», but «двадцать одна тысяча»."""
    return match[0] if match[1] else match[2]


BEHIND: tuple[Rule, ...] = (
    _rule(rf"\b({_COMPOUND}\s)?(?:одн[ауой]{{1,2}})\s(тысяч[аиуей]{{1,2}})\b", _thousand, _I),
    _rule(r"\bодна\s(\w+[ую])\b", r"одну \1", _I),
    _rule(rf"\b({_SMALL})\s[—–]\s(?={_SMALL}\b)", r"\1-", _I),
    # The library doubles the vowels of letters.
    _rule(r"\b([аоиуэюя])\1\b", r"\1", _I),
    _rule(r"\s?\*\s?", " "),
)


def rewrite(text: str, rules: tuple[Rule, ...]) -> str:
    for pattern, put in rules:
        text = pattern.sub(put, text)
    return text
