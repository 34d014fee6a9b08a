"""`otklik survey show`: a survey's questions and rules on one screen."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot.cli.surveys import SURVEY_HELP, find_survey, name_of
from bot.surveys.conditions import Condition, written
from bot.surveys.schema import Branch, Calling, Question, TriageRule, expectation_of
from bot.words import words

app = typer.Typer(no_args_is_help=True)


_DAYS = {
    "mon": ("пн", "Mon"),
    "tue": ("вт", "Tue"),
    "wed": ("ср", "Wed"),
    "thu": ("чт", "Thu"),
    "fri": ("пт", "Fri"),
    "sat": ("сб", "Sat"),
    "sun": ("вс", "Sun"),
}


@app.callback()
def _survey() -> None:
    """Опросы: что есть и что в них."""


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(metavar="FILE", help=SURVEY_HELP)],
) -> None:
    """Показать вопросы и правила опроса."""
    survey = find_survey(name)
    console = Console(highlight=False)
    heading = f"{survey.title} · {name_of(survey)}"
    console.print(Text(heading, style="bold"))
    console.print(_calling(survey.calling))
    table = Table(words("Вопрос", "Question"), words("Ответ", "Answer"), words("Когда", "When"), "")
    for question in survey.questions:
        table.add_row(question.id, _expected(question), _when(question.when), question.ask)
        for branch in question.then:
            table.add_row("", "", _when(branch.when), _where(branch), style="dim")
    for rule in survey.triage:
        table.add_row(rule.id, "", _when(rule.when), _does(rule), style="dim")
    console.print(table)


def _does(rule: TriageRule) -> str:
    """What a triage rule does, and for whom."""
    match rule.offer or rule.do:
        case "human":
            return words(f"предложить сотрудника: {rule.target}", f"offer a person: {rule.target}")
        case "callback":
            return words(f"предложить звонок: {rule.by}", f"offer a callback: {rule.by}")
        case "case":
            return words(f"завести случай: {rule.target}", f"open a case: {rule.target}")
        case _:
            return words("пометить", "note it")


def _expected(question: Question) -> str:
    expected = expectation_of(question)
    if expected.kind == "scale":
        return f"{question.kind} {expected.low}–{expected.high}"
    return question.kind


def _where(branch: Branch) -> str:
    where = f"→ {branch.goto}" if branch.goto else words("→ конец", "→ the end")
    return where if branch.at_most is None else f"{where} (≤ {branch.at_most})"


def _calling(calling: Calling) -> str:
    every = len(calling.days) == len(_DAYS)
    days = words("ежедневно", "daily") if every else ", ".join(words(*_DAYS[day]) for day in calling.days)
    return words(
        f"Звонки: до {calling.max_attempts} раз, не чаще чем через {calling.hours_between:g} ч, "
        f"с {calling.earliest} до {calling.latest} у клиента, {days}",
        f"Calling: up to {calling.max_attempts} times, {calling.hours_between:g} h apart, "
        f"{calling.earliest}-{calling.latest} customer's time, {days}",
    )


def _when(condition: Condition | None) -> str:
    return "" if condition is None else written(condition)
