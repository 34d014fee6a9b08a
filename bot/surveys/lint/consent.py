"""Consent: said before anything is recorded, true, and by somebody who gives a name."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.surveys.lint.rules import Check, Sheet, Tools, error, warning
from bot.surveys.lint.written import plain
from bot.surveys.problems import Problem

UNSAID = error(
    "consent-without-recording",
    "разговор записывается (record: true), а в согласии этого не сказано",
    "скажите в consent, что разговор записывается, или поставьте record: false",
)
UNTRUE = warning(
    "consent-untrue",
    "в согласии сказано, что разговор записывается, а record: false",
    "уберите эти слова или поставьте record: true",
)
NAMELESS = warning(
    "caller-not-named",
    "ни согласие, ни вступление не говорит, от какой компании звонок",
    "назовите компанию: {company}",
)

RULES = (UNSAID, UNTRUE, NAMELESS)

_RECORDED = {
    "ru": re.compile(r"\b(?:за|про)пис(?:ыва|ь|и|ан)\w*|\bаудиозапис\w*"),
    "en": re.compile(r"\brecord(?:ed|ing|s)?\b"),
}
_NOT_RECORDED = {
    "ru": re.compile(r"\b(?:не|без)\s+(?:\w+\s+)?(?:записыва|запис[ьи]|записан)\w*"),
    "en": re.compile(r"\b(?:not|isn't|without)\s+(?:being\s+|be\s+|a\s+)?record(?:ed|ing)\b"),
}
_TALK_RECORDED = {
    "ru": re.compile(r"\b(?:разговор|беседа|звонок)\s+(?:\w+\s+)?запис(?:ыва|ан)\w*"),
    "en": re.compile(r"\b(?:call|talk|conversation)\s+(?:\w+\s+){1,2}recorded\b"),
}


def recording(sheet: Sheet, _tools: Tools) -> Iterator[Problem]:
    survey = sheet.survey
    said = plain(survey.consent).casefold()
    denied = bool(_NOT_RECORDED[survey.language].search(said))
    if survey.record and (denied or not _RECORDED[survey.language].search(said)):
        yield sheet.problem(UNSAID, ("consent",), UNSAID.meaning)
    if not survey.record and not denied and _TALK_RECORDED[survey.language].search(said):
        yield sheet.problem(UNTRUE, ("consent",), UNTRUE.meaning)


def company(sheet: Sheet, _tools: Tools) -> Iterator[Problem]:
    survey = sheet.survey
    first_words = f"{survey.consent} {survey.introduction}"
    if "{company}" not in first_words and survey.company.casefold() not in first_words.casefold():
        yield sheet.problem(NAMELESS, ("consent",), NAMELESS.meaning)


CHECKS: tuple[Check, ...] = (recording, company)
