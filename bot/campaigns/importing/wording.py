"""What people call the fields of a contact, and how an import ended."""

from __future__ import annotations

from collections.abc import Mapping

from bot.campaigns.importing.columns import Meaning
from bot.store.tables_contacts import ImportState
from bot.words import words

_Pair = tuple[str, str]

MEANINGS: Mapping[Meaning, _Pair] = {
    Meaning.PHONE: ("телефон", "phone"),
    Meaning.OTHER_PHONE: ("ещё телефон", "another phone"),
    Meaning.FULL_NAME: ("имя целиком", "the whole name"),
    Meaning.LAST_NAME: ("фамилия", "last name"),
    Meaning.FIRST_NAME: ("имя", "first name"),
    Meaning.MIDDLE_NAME: ("отчество", "middle name"),
    Meaning.EXTERNAL_ID: ("номер клиента", "the customer's id"),
    Meaning.TZ: ("часовой пояс", "time zone"),
    Meaning.REGION: ("регион", "region"),
    Meaning.CITY: ("город", "city"),
    Meaning.LANGUAGE: ("язык", "language"),
    Meaning.DEPARTMENT: ("отдел", "department"),
    Meaning.MANAGER: ("менеджер", "manager"),
    Meaning.CONSENT_AT: ("дата согласия", "date of consent"),
    Meaning.CONSENT_SOURCE: ("откуда согласие", "source of consent"),
    Meaning.CONSENT_WORDS: ("текст согласия", "words of consent"),
    Meaning.DO_NOT_CALL: ("не звонить", "do not call"),
    Meaning.OWN: ("своё поле", "own field"),
    Meaning.NOTHING: ("не берётся", "left out"),
}
STATES: Mapping[ImportState, _Pair] = {
    ImportState.RUNNING: ("идёт или оборван", "running, or cut off"),
    ImportState.DONE: ("закончен", "done"),
    ImportState.INTERRUPTED: ("прерван", "broken off"),
}


def meaning_word(meaning: Meaning) -> str:
    return words(*MEANINGS[meaning])
