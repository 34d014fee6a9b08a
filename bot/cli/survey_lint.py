"""`otklik survey lint`: everything that is wrong with survey files, before one of them rings anyone."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot.linting import lint_tools
from bot.settings import Settings
from bot.settings_load import load_settings
from bot.settings_rooms import speech_settings
from bot.speech.advice import unheard
from bot.surveys.lint import RULES, lint_read
from bot.surveys.loader import read_survey
from bot.surveys.problems import Problem
from bot.surveys.schema import Survey
from bot.words import words

app = typer.Typer(no_args_is_help=True)

FOUND = 1
UNREADABLE = 2
"""Exit statuses: something to mend (warnings count), or a file that could not be read as a survey."""


@app.callback()
def _survey() -> None:
    """Опросы: проверить."""


@app.command("lint")
def lint_files(
    files: Annotated[
        list[Path] | None, typer.Argument(help=words("Файлы опросов, YAML", "Survey files, YAML"))
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help=words("Списком JSON", "A JSON list"))] = False,
    rules: Annotated[
        bool, typer.Option("--rules", help=words("Показать все правила", "List all rules"))
    ] = False,
) -> None:
    """Найти в файлах опросов всё, что помешает разговору.

    Строка на находку: файл:строка:столбец: error|warning правило: что не так (как исправить).
    Предупреждение, которое так и задумано, разрешает замечание в его строке или строкой выше:
    # lint: allow правило. Код возврата: 0 — чисто, 1 — есть что исправить, 2 — файл не читается.
    """
    if rules:
        _list_rules(as_json=as_json)
        return
    if not files:
        raise typer.BadParameter(words("нужен хотя бы один файл", "at least one file is needed"))
    console = Console(soft_wrap=True, highlight=False)
    status = 0
    listed: list[dict[str, Any]] = []
    settings = load_settings()
    with lint_tools(settings, partial(typer.echo, err=True)) as tools:
        for file in files:
            read = read_survey(file)
            problems = lint_read(file, read, tools)
            for problem in problems:
                status = max(status, UNREADABLE if problem.unreadable else FOUND)
            if not as_json:
                print_problems(console, problems)
            listed += map(problem_as_json, problems)
            if not problems and not as_json:
                console.print(Text.assemble(str(file), (words(": в порядке", ": clean"), "green")))
            if read.survey is not None:
                _tell_unheard(file, read.survey, settings)
    if as_json:
        typer.echo(json.dumps(listed, ensure_ascii=False, indent=1))
    raise typer.Exit(status)


def _tell_unheard(file: Path, survey: Survey, settings: Settings) -> None:
    """No fault of the file: here nobody understands what is said in its language."""
    if lacking := unheard(speech_settings(settings), survey.language, survey.id):
        typer.echo(f"{file}: {lacking}", err=True)


def print_problems(console: Console, problems: Iterable[Problem]) -> None:
    """A line each, as `lint` shows them."""
    for problem in problems:
        console.print(_line(problem))


def _line(problem: Problem) -> Text:
    colour = "bold red" if problem.level == "error" else "yellow"
    line = Text.assemble(f"{problem.place}: ", (problem.level, colour), f" {problem.rule}: {problem.message}")
    return line.append(f" ({problem.hint})", style="dim") if problem.hint else line


def problem_as_json(problem: Problem) -> dict[str, Any]:
    """`line` and `column` count from 1; 0 where they are not known."""
    return {
        "file": problem.place.file,
        "line": problem.place.line,
        "column": problem.place.column,
        "level": problem.level,
        "rule": problem.rule,
        "message": problem.message,
        "hint": problem.hint,
        "unreadable": problem.unreadable,
    }


def _list_rules(*, as_json: bool) -> None:
    if as_json:
        listed = [
            {"rule": rule.id, "level": rule.level, "meaning": rule.meaning, "mend": rule.mend}
            for rule in RULES.values()
        ]
        typer.echo(json.dumps(listed, ensure_ascii=False, indent=1))
        return
    table = Table()
    table.add_column(words("Правило", "Rule"), no_wrap=True)
    for title in ("", words("Что не так", "Meaning"), words("Как надо", "Mend")):
        table.add_column(title)
    for rule in RULES.values():
        table.add_row(
            rule.id, rule.level, rule.meaning, rule.mend, style="" if rule.level == "error" else "yellow"
        )
    Console(highlight=False).print(table)
