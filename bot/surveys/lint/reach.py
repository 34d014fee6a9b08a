"""Reach: every question, branch and rule can come true, and nobody is asked without end."""

from __future__ import annotations

from collections.abc import Iterator

from bot.surveys.conditions import written
from bot.surveys.lint.exploring import Explored, explore
from bot.surveys.lint.rules import Check, Sheet, Tools, error, warning
from bot.surveys.problems import Problem

QUESTION = error(
    "unreachable-question",
    "вопрос, который не прозвучит ни в одном разговоре",
    "исправьте условие или переход, или уберите вопрос",
)
BRANCH = error(
    "unreachable-branch",
    "переход, который не случится ни в одном разговоре",
    "исправьте условие, переставьте переходы или уберите этот",
)
RULE = error(
    "unreachable-rule",
    "правило, которое не сработает ни в одном разговоре",
    "исправьте условие или уберите правило",
)
MANY = warning(
    "too-many-questions",
    "вопросов на самом длинном пути больше, чем люди терпят",
    "уберите вопросы или задавайте их не всем (when)",
)

RULES = (QUESTION, BRANCH, RULE, MANY)

MOST_QUESTIONS = 6
"""The bound that Otklik's surveys keep to; a follow-up asked once more counts again."""


def reach(sheet: Sheet, _tools: Tools) -> Iterator[Problem]:
    """Says nothing of what is out of reach where a survey has more ways than can be walked."""
    survey = sheet.survey
    explored = explore(survey)
    if explored.longest > MOST_QUESTIONS:
        message = f"на самом длинном пути вопросов {explored.longest}, а терпят {MOST_QUESTIONS}"
        yield sheet.problem(MANY, ("questions",), message)
    if not explored.complete:
        return
    for index, question in enumerate(survey.questions):
        if question.id not in explored.asked:
            yield _unasked(sheet, index, explored)
            continue
        for place, branch in enumerate(question.then):
            if (question.id, place) not in explored.branches:
                where = f"к «{branch.goto}»" if branch.goto else "к концу"
                message = f"вопрос «{question.id}»: переход {where} не случится никогда"
                yield sheet.problem(BRANCH, ("questions", index, "then", place), message)
    for index, rule in enumerate(survey.triage):
        if rule.id not in explored.rules:
            message = f"правило «{rule.id}» не сработает никогда: {written(rule.when)}"
            yield sheet.problem(RULE, ("triage", index, "when"), message)


def _unasked(sheet: Sheet, index: int, explored: Explored) -> Problem:
    question = sheet.survey.questions[index]
    if question.when is not None and question.id in explored.passed:
        message = f"вопрос «{question.id}» не прозвучит никогда: {written(question.when)}"
        return sheet.problem(QUESTION, ("questions", index, "when"), message)
    message = f"вопрос «{question.id}» не прозвучит никогда: все пути идут мимо"
    return sheet.problem(QUESTION, ("questions", index), message)


CHECKS: tuple[Check, ...] = (reach,)
