"""What the columns of a file mean: by their headings, by what was said before, by what is said now."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from enum import StrEnum

from bot.core.errors import BadInput

REASON = "причина"
"""The column of a report of refused rows that says why; never read."""


class Meaning(StrEnum):
    """What a column is for. `OWN` is kept under its own heading, `NOTHING` is left out."""

    PHONE = "phone"
    OTHER_PHONE = "other_phone"
    FULL_NAME = "full_name"
    LAST_NAME = "last_name"
    FIRST_NAME = "first_name"
    MIDDLE_NAME = "middle_name"
    EXTERNAL_ID = "external_id"
    TZ = "tz"
    REGION = "region"
    CITY = "city"
    LANGUAGE = "language"
    DEPARTMENT = "department"
    MANAGER = "manager"
    CONSENT_AT = "consent_at"
    CONSENT_SOURCE = "consent_source"
    CONSENT_WORDS = "consent_words"
    DO_NOT_CALL = "do_not_call"
    OWN = "field"
    NOTHING = "-"


_MANY = (Meaning.OTHER_PHONE, Meaning.OWN, Meaning.NOTHING)

_GUESSES: dict[Meaning, str] = {
    Meaning.PHONE: "телефон|телефоны|номер телефона|мобильный|мобильный телефон|сотовый|сотовый телефон|"
    "моб|моб тел|моб телефон|тел|контактный телефон|телефон клиента|номер абонента|msisdn|phone|"
    "phone number|mobile|mobile phone|cell|cell phone|telephone|tel",
    Meaning.OTHER_PHONE: "другой телефон|доп телефон|дополнительный телефон|телефон 2|телефон2|"
    "второй телефон|рабочий телефон|домашний телефон|раб телефон|дом телефон|"
    "other phone|phone 2|phone2|work phone|home phone",
    Meaning.FULL_NAME: "фио|ф и о|клиент|имя клиента|фамилия имя отчество|фио клиента|полное имя|"
    "имя и фамилия|фамилия и имя|full name|fullname|name|customer|customer name|contact name",
    Meaning.LAST_NAME: "фамилия|last name|lastname|surname|family name",
    Meaning.FIRST_NAME: "имя|first name|firstname|given name",
    Meaning.MIDDLE_NAME: "отчество|middle name|middlename|patronymic",
    Meaning.EXTERNAL_ID: "id|номер клиента|ид|ид клиента|id клиента|код клиента|код|лицевой счет|"
    "внешний id|crm id|external id|externalid|customer id|client id|contact id",
    Meaning.TZ: "часовой пояс|пояс|таймзона|time zone|timezone|tz",
    Meaning.REGION: "регион|область|субъект|субъект рф|регион проживания|region|state|province",
    Meaning.CITY: "город|населенный пункт|город проживания|city|town",
    Meaning.LANGUAGE: "язык|language|lang",
    Meaning.DEPARTMENT: "отдел|подразделение|филиал|department|branch",
    Meaning.MANAGER: "менеджер|ответственный|персональный менеджер|сотрудник|куратор|manager|owner|agent|"
    "assigned to",
    Meaning.CONSENT_AT: "согласие|дата согласия|согласие получено|согласие дано|consent|consent at|"
    "consent date|consent given at",
    Meaning.CONSENT_SOURCE: "источник согласия|откуда согласие|где дано согласие|consent source",
    Meaning.CONSENT_WORDS: "текст согласия|слова согласия|consent text|consent words",
    Meaning.DO_NOT_CALL: "не звонить|не беспокоить|отказ от звонков|стоп|стоп лист|do not call|dnc|donotcall|"
    "opt out|optout",
    Meaning.NOTHING: f"{REASON}|reason",
}
_BY_HEADING = {heading: meaning for meaning, headings in _GUESSES.items() for heading in headings.split("|")}


def _plain(heading: str) -> str:
    return " ".join(re.sub(r"[\W_]+", " ", heading.lower().replace("ё", "е")).split())


def guess(heading: str) -> Meaning:
    """What a heading means in Russian or English; `OWN` where it is none that is known."""
    return _BY_HEADING.get(_plain(heading), Meaning.OWN)


def headings_key(columns: Sequence[str]) -> str:
    """One key for one set of headings, in any order; the column of a report's reasons does not count."""
    plain = sorted(heading for heading in map(_plain, columns) if heading != REASON)
    return hashlib.sha256("\n".join(plain).encode()).hexdigest()


def said_mapping(options: Sequence[str]) -> dict[str, Meaning]:
    """`--map column=field` as it was written. Raises BadInput."""
    said: dict[str, Meaning] = {}
    for option in options:
        heading, sign, field = option.rpartition("=")
        if not sign or not heading.strip():
            raise BadInput(f"--map «{option}»: нужно столбец=поле", hint='например --map "Моб.=phone"')
        try:
            said[heading.strip()] = Meaning(field.strip())
        except ValueError as error:
            raise BadInput(
                f"--map «{option}»: поля «{field}» нет", hint=f"поля: {', '.join(Meaning)}"
            ) from error
    return said


def meanings(columns: Sequence[str], said: Mapping[str, Meaning]) -> dict[str, Meaning]:
    """Of every column. A second column of telephones holds further ones; a second one of anything else, that
    nobody spoke of, is kept as it is. Raises BadInput for what was said of columns that are not there or
    twice of one thing, and for a file without telephones."""
    spoken = {_known(heading, columns): meaning for heading, meaning in said.items()}
    found = {column: spoken.get(column) or guess(column) for column in columns}
    taken: dict[Meaning, str] = {}
    for column in sorted(columns, key=lambda each: each not in spoken):  # what was said comes first
        meaning = found[column]
        if meaning in _MANY:
            continue
        if meaning not in taken:
            taken[meaning] = column
        elif column in spoken:
            raise BadInput(
                f"«{taken[meaning]}» и «{column}»: оба столбца названы {meaning}",
                hint="один из них назовите иначе",
            )
        else:
            found[column] = Meaning.OTHER_PHONE if meaning is Meaning.PHONE else Meaning.OWN
    if Meaning.PHONE not in taken:
        raise BadInput(
            f"непонятно, в каком столбце телефон; столбцы: {', '.join(columns)}",
            hint=f'назовите его: --map "{columns[0]}=phone"',
        )
    return found


def _known(heading: str, columns: Sequence[str]) -> str:
    for column in columns:
        if _plain(column) == _plain(heading):
            return column
    near = get_close_matches(heading, columns, n=1)
    raise BadInput(
        f"столбца «{heading}» в файле нет",
        hint=f"может быть, «{near[0]}»?" if near else f"столбцы: {', '.join(columns)}",
    )
