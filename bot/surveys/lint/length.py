"""What people bear: how long they listen, how many questions and options they put up with."""

from __future__ import annotations

from collections.abc import Iterator

from bot.surveys import asking
from bot.surveys.lint.rules import Check, Sheet, Tools, warning
from bot.surveys.lint.written import sample, written
from bot.surveys.problems import Loc, Problem
from bot.surveys.questions import ChoiceQuestion, MultiChoiceQuestion

QUESTION_S = 12.0
"""Seconds of a question, offer or re-ask.

What was said at its beginning must still be remembered at its end: of three consonants kept in mind
while doing something else, half are gone after 6 s and nine in ten after 18 s (L. and M. Peterson,
Short-term retention of individual verbal items, 1959). Whole sentences last longer, so twice 6 s.
"""

SPEECH_S = 20.0
"""Seconds of what is only listened to: consent, introduction, closings."""

OPTIONS = 5
"""Options of a spoken list: what is heard once is kept to about four items (N. Cowan, The magical
number 4 in short-term memory, 2001), and the last one heard comes back by itself."""

SLOWEST = 10.0
"""Letters a second below which nothing is spoken: of 300 prompts that ship, all of 50 letters and more
are spoken by eSpeak NG at 12.9 or faster. A text that is short at this pace needs no measuring."""

LONG = warning(
    "prompt-too-long",
    "фраза звучит дольше, чем её станут слушать",
    f"вопрос — до {QUESTION_S:g} с, остальное — до {SPEECH_S:g} с; разделите или сократите",
    needs="seconds",
)
MANY_OPTIONS = warning(
    "too-many-options",
    f"вариантов больше {OPTIONS}: на слух столько не запомнить",
    "объедините варианты или спросите в два шага",
)

RULES = (LONG, MANY_OPTIONS)


def prompts(sheet: Sheet, tools: Tools) -> Iterator[Problem]:
    if tools.seconds is None:
        return
    survey = sheet.survey
    heard = [(loc, sample(text, survey.language, survey.company)) for loc, text in _heard(sheet)]
    doubtful = [(loc, text) for loc, text in heard if not _surely_short(loc, text)]
    if not doubtful:
        return
    lengths = tools.seconds([text for _, text in doubtful], survey.language)
    for (loc, _), seconds in zip(doubtful, lengths, strict=True):
        limit = _limit(loc)
        if seconds > limit:
            message = f"{_name(loc)} звучит {seconds:.1f} с, а слушают до {limit:g} с"
            yield sheet.problem(LONG, loc, message)


def _heard(sheet: Sheet) -> Iterator[tuple[Loc, str]]:
    """As it is heard: a question's help and its hint to the keys are said in one breath."""
    for found in written(sheet):
        if found.loc[-1] not in ("help", "dtmf_hint") and found.part != "company":
            yield found.loc, found.text
    for index, question in enumerate(sheet.survey.questions):
        if question.help:
            yield ("questions", index, "help"), asking.wordings(sheet.survey, question)[-1]
        elif question.dtmf_hint:
            yield ("questions", index, "dtmf_hint"), question.dtmf_hint


def _limit(loc: Loc) -> float:
    return QUESTION_S if loc[0] in ("questions", "triage", "texts") else SPEECH_S


def _surely_short(loc: Loc, text: str) -> bool:
    """Numbers in digits are read out longer than they are written."""
    return len(text) < _limit(loc) * SLOWEST and not any(char.isdigit() for char in text)


def _name(loc: Loc) -> str:
    return next(str(step) for step in reversed(loc) if isinstance(step, str))


def options(sheet: Sheet, _tools: Tools) -> Iterator[Problem]:
    for index, question in enumerate(sheet.survey.questions):
        if isinstance(question, ChoiceQuestion | MultiChoiceQuestion) and len(question.options) > OPTIONS:
            loc: Loc = ("questions", index, "options")
            message = f"вопрос «{question.id}»: {len(question.options)} вариантов, а на слух помнят {OPTIONS}"
            yield sheet.problem(MANY_OPTIONS, loc, message)


CHECKS: tuple[Check, ...] = (prompts, options)
