"""Wording: one question at a time, said otherwise the second time, and never where nobody listens."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.surveys.breaks import without_marks
from bot.surveys.lint.rules import Check, Sheet, Tools, error, warning
from bot.surveys.lint.written import plain, written
from bot.surveys.problems import Problem
from bot.surveys.questions import OpenQuestion, YesNoQuestion
from bot.surveys.words import split

SAME = error(
    "reask-repeats-ask",
    "переспрос слово в слово повторяет вопрос: кого не поняли, тот услышит то же самое",
    "спросите другими словами",
)
DOUBLE = warning(
    "double-barrelled",
    "в одном вопросе спрошено о двух вещах, и неясно, на что получен ответ",
    "разделите на два вопроса",
)
EITHER_OR = warning(
    "yes-no-alternative",
    "на вопрос с «или» нельзя ответить «да» или «нет»",
    "спросите об одном, или сделайте вопрос видом choice",
)
UNHEARD = warning(
    "unheard-question",
    "вопрос там, где ответа не слушают: дальше сразу идёт следующая фраза",
    "перенесите вопрос в questions или скажите утверждением",
)

RULES = (SAME, DOUBLE, EITHER_OR, UNHEARD)

_AND_OR = re.compile(r"\bи\s*/\s*или\b|\band\s*/\s*or\b", re.IGNORECASE)
_YES_OR_NO = re.compile(r"\b(?:да|yes)\s*,?\s+(?:или|or)\s+(?:нет|no)\b", re.IGNORECASE)
_OR = re.compile(r"\b(?:или|or)\b", re.IGNORECASE)
_ASKS = {
    *("confirm", "confirm_either", "offer", "offer_by_topic", "offer_reask"),
    *("offer_callback", "offer_callback_by_topic", "offer_callback_reask"),
}
"""Texts that are followed by listening."""


def repeated(sheet: Sheet, _tools: Tools) -> Iterator[Problem]:
    """The schema refuses the very same letters; here are the very same words."""
    for index, question in enumerate(sheet.survey.questions):
        said = {split(without_marks(question.ask))}
        for place, text in enumerate(question.reask):
            if split(without_marks(text)) in said:
                message = f"вопрос «{question.id}»: переспрос повторяет то, что уже сказано"
                yield sheet.problem(SAME, ("questions", index, "reask", place), message)
            said.add(split(without_marks(text)))


def double(sheet: Sheet, _tools: Tools) -> Iterator[Problem]:
    for index, question in enumerate(sheet.survey.questions):
        ask = plain(question.ask)
        marks = len(re.findall(r"\?+", ask))
        if _AND_OR.search(ask) or (marks > 1 and not isinstance(question, OpenQuestion)):
            what = "«и/или»" if _AND_OR.search(ask) else f"вопросов {marks}"
            message = f"вопрос «{question.id}»: в одном ask {what}"
            yield sheet.problem(DOUBLE, ("questions", index, "ask"), message)


def alternative(sheet: Sheet, _tools: Tools) -> Iterator[Problem]:
    for index, question in enumerate(sheet.survey.questions):
        if not isinstance(question, YesNoQuestion):
            continue
        if _OR.search(_YES_OR_NO.sub("", plain(question.ask))) and not _AND_OR.search(question.ask):
            message = f"вопрос «{question.id}»: на «{question.ask}» не ответить «да» или «нет»"
            yield sheet.problem(EITHER_OR, ("questions", index, "ask"), message)


def unheard(sheet: Sheet, _tools: Tools) -> Iterator[Problem]:
    for found in written(sheet):
        listened = found.part in ("questions", "triage", "company") or _ASKS & set(found.loc)
        if not listened and "?" in found.text:
            name = found.loc[1] if len(found.loc) > 1 else found.loc[0]
            yield sheet.problem(UNHEARD, found.loc, f"{name}: вопрос, ответа на который не слушают")


CHECKS: tuple[Check, ...] = (repeated, double, alternative, unheard)
