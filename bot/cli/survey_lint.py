"""`otklik survey lint`: everything that is wrong with survey files, before one of them rings anyone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot.settings import Settings
from bot.settings_load import load_settings
from bot.surveys.course import DEFAULT_TARGET
from bot.surveys.lint import RULES, Tools, lint
from bot.surveys.problems import Problem
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
    with lint_tools(load_settings()) as tools:
        for file in files:
            problems = lint(file, tools)
            for problem in problems:
                status = max(status, UNREADABLE if problem.unreadable else FOUND)
            if not as_json:
                print_problems(console, problems)
            listed += map(problem_as_json, problems)
            if not problems and not as_json:
                console.print(Text.assemble(str(file), (words(": в порядке", ": clean"), "green")))
    if as_json:
        typer.echo(json.dumps(listed, ensure_ascii=False, indent=1))
    raise typer.Exit(status)


@contextmanager
def lint_tools(settings: Settings) -> Iterator[Tools]:
    """The tools of this machine, each of which is started when a survey first needs it.

    Using one raises SynthesiserUnavailable (seconds, phonemes) or ModelMissing (vocabulary).
    """
    from bot.speech.measuring import SpeechMeter

    speech = settings.speech_settings()

    def read_aloud(text: str) -> str:
        from bot.speech.normalise import normalise

        return normalise(text)

    def recorded_seconds(file: Path) -> float:
        from bot.speech.files import read_audio

        return read_audio(file).seconds

    @lru_cache
    def vocabulary(language: str) -> frozenset[str] | None:
        """None where the recogniser's model is for another language, or does not tell its words."""
        from bot.speech.models import ensure_model, find_entry
        from bot.speech.vocabulary import read_vocabulary

        entry = find_entry(speech.recogniser.model, speech.models_dir)
        if entry.language != language:
            return None
        return read_vocabulary(ensure_model(entry.name, speech.models_dir, speech.var_dir)) or None

    with SpeechMeter() as meter:
        yield Tools(
            seconds=meter.seconds,
            phonemes=meter.phonemes,
            read_aloud=read_aloud,
            vocabulary=vocabulary,
            recorded_seconds=recorded_seconds,
            targets=frozenset({DEFAULT_TARGET, *settings.handover.agents}),
        )


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
