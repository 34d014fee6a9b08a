"""Every sentence that the author of a survey wrote to be spoken, with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bot.surveys.breaks import without_marks
from bot.surveys.lint.rules import Sheet
from bot.surveys.problems import Loc

_PIPE = re.compile(r"\{([^{}|]*)(?:\|([^{}]*))?\}")

_SAMPLES = {
    "ru": {
        "first_name": "Александра",
        "name": "Александра",
        "middle_name": "Константиновна",
        "last_name": "Владимирова",
        "department": "технической поддержки",
    },
    "en": {
        "first_name": "Alexandra",
        "name": "Alexandra",
        "middle_name": "Catherine",
        "last_name": "Montgomery",
        "department": "technical support",
    },
}
"""What stands for a field while a text is measured: long names, as a caller might well have."""


@dataclass(frozen=True, slots=True)
class Written:
    loc: Loc
    text: str

    @property
    def part(self) -> str:
        """`consent`, `questions`, `closings` and so on."""
        return str(self.loc[0])


def written(sheet: Sheet) -> Iterator[Written]:
    """In the order of the survey; sentences that are the language's defaults are not the author's."""
    return (found for found in _all(sheet) if sheet.wrote(*found.loc))


def question_texts(sheet: Sheet, index: int) -> Iterator[Written]:
    """The wordings of one question: ask, re-asks, help, the hint to the keys."""
    question = sheet.survey.questions[index]
    loc: Loc = ("questions", index)
    yield Written((*loc, "ask"), question.ask)
    for place, text in enumerate(question.reask):
        yield Written((*loc, "reask", place), text)
    if question.help:
        yield Written((*loc, "help"), question.help)
    if question.dtmf_hint:
        yield Written((*loc, "dtmf_hint"), question.dtmf_hint)


def _all(sheet: Sheet) -> Iterator[Written]:
    survey = sheet.survey
    yield Written(("company",), survey.company)
    yield Written(("consent",), survey.consent)
    yield Written(("introduction",), survey.introduction)
    for index in range(len(survey.questions)):
        yield from question_texts(sheet, index)
    for index, rule in enumerate(survey.triage):
        loc: Loc = ("triage", index)
        for name, text in (("text", rule.text), ("reask", rule.reask)):
            if text is not None:
                yield Written((*loc, name), text)
        for topic, text in rule.text_by_topic.items():
            yield Written((*loc, "text_by_topic", topic.value), text)
    if survey.voicemail is not None:
        yield Written(("voicemail", "message"), survey.voicemail.message)
    for part in ("texts", "closings"):
        for name, value in getattr(survey, part):
            yield from _within((part, name), value)


def _within(loc: Loc, value: object) -> Iterator[Written]:
    if isinstance(value, str):
        yield Written(loc, value)
    elif isinstance(value, Mapping):
        for key, text in value.items():
            yield Written((*loc, str(key)), text)
    elif isinstance(value, tuple):
        for place, text in enumerate(value):
            yield Written((*loc, place), text)


def plain(text: str) -> str:
    """The text with its fields and marks cut out: only what the author's own words are."""
    return without_marks(_PIPE.sub(lambda match: match.group(2) or " ", text))


def sample(text: str, language: str, company: str) -> str:
    """The text as a caller with long names hears it."""

    def value(match: re.Match[str]) -> str:
        field = match.group(1).strip()
        if field == "company":
            return company
        return _SAMPLES[language].get(field.rpartition(".")[2]) or match.group(2) or ""

    return " ".join(_PIPE.sub(value, text).split())
