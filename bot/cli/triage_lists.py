"""`otklik triage list|lint|schema`: the dictionaries that surveys of this node use."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from bot.cli.survey_lint import FOUND, UNREADABLE, print_problems, problem_as_json
from bot.settings_load import load_settings
from bot.surveys.dictionary import Dictionary
from bot.surveys.dictionary_files import FOLDER, file_problems, shelf
from bot.surveys.json_schema_dictionary import dictionary_schema
from bot.words import words

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.command("list")
def list_words(
    name: Annotated[
        str | None, typer.Argument(help=words("Словарь: его фразы", "A dictionary: its phrases"))
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help=words("Вывести JSON", "Print JSON"))] = False,
) -> None:
    """Словари, которыми пользуются опросы: поставляемые и свои, из папки dictionaries рядом с опросами."""
    stock = shelf(load_settings().surveys_dir)
    chosen = [each for each in stock.dictionaries.values() if name in (None, each.id)]
    if not chosen:
        known = ", ".join(stock.dictionaries)
        raise typer.BadParameter(words(f"есть словари: {known}", f"there are: {known}"))
    if as_json:
        typer.echo(
            json.dumps([each.model_dump(mode="json") for each in chosen], ensure_ascii=False, indent=1)
        )
        return
    console = Console(highlight=False, soft_wrap=True)
    for each in chosen:
        _show(console, each, phrases=name is not None)
    print_problems(console, stock.problems)


def _show(console: Console, dictionary: Dictionary, *, phrases: bool) -> None:
    console.print(Text(f"{dictionary.id} · {dictionary.language}", style="bold"))
    for each in dictionary.lists:
        topic = f" ({each.topic.value})" if each.topic else ""
        count = words(f"фраз {len(each.words)}", f"{len(each.words)} phrases")
        console.print(Text.assemble(f"  {each.id} → ", (f"{each.signal}{topic}", "magenta"), f", {count}"))
        if phrases:
            console.print(Text(f"    {', '.join(each.words)}"))
            if each.but:
                console.print(
                    Text(f"    {words('не считается', 'not counted')}: {', '.join(each.but)}", "dim")
                )


@app.command("lint")
def lint(
    files: Annotated[
        list[Path] | None,
        typer.Argument(help=words("Файлы словарей; без них — свои этого узла", "Files; the node's own")),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help=words("Списком JSON", "A JSON list"))] = False,
) -> None:
    """Найти в словарях всё, что не так: файл:строка:столбец, что не так и как исправить.

    Коды возврата те же, что у otklik survey lint: 0 — чисто, 1 — есть что исправить, 2 — не читается.
    """
    folder = load_settings().surveys_dir / FOLDER
    chosen = files or sorted(folder.glob("*.y*ml"))
    console = Console(highlight=False, soft_wrap=True)
    problems = [problem for file in chosen for problem in file_problems(file)]
    if as_json:
        typer.echo(json.dumps(list(map(problem_as_json, problems)), ensure_ascii=False, indent=1))
    else:
        print_problems(console, problems)
        broken = {problem.place.file for problem in problems}
        for file in chosen:
            if str(file) not in broken:
                console.print(Text.assemble(str(file), (words(": в порядке", ": clean"), "green")))
        if not chosen:
            console.print(words(f"в {folder} своих словарей нет", f"no own dictionaries in {folder}"))
    if problems:
        raise typer.Exit(UNREADABLE if any(problem.unreadable for problem in problems) else FOUND)


@app.command("schema")
def schema() -> None:
    """JSON Schema файла словаря: подсказки и проверка прямо в редакторе."""
    typer.echo(json.dumps(dictionary_schema(), ensure_ascii=False, indent=2))
