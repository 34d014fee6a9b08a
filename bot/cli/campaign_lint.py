"""`otklik campaign lint`: everything that is wrong with campaign files, before one of them rings anyone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from bot.campaigns.linting import lint_campaign
from bot.cli.campaign_surveys import survey_named
from bot.cli.survey_lint import FOUND, UNREADABLE, print_problems, problem_as_json
from bot.settings_load import load_settings
from bot.words import words

app = typer.Typer(add_completion=False)


@app.command("lint")
def lint(
    files: Annotated[list[Path], typer.Argument(help=words("Файлы кампаний, YAML", "Campaign files, YAML"))],
    as_json: Annotated[bool, typer.Option("--json", help=words("Списком JSON", "A JSON list"))] = False,
) -> None:
    """Найти в файлах кампаний всё, что не так: файл:строка:столбец, что не так и как исправить.

    Коды возврата те же, что у otklik survey lint: 0 — чисто, 1 — есть что исправить, 2 — не читается.
    """
    console = Console(highlight=False, soft_wrap=True)
    settings = load_settings()
    found = {file: lint_campaign(file, survey_named(settings)) for file in files}
    problems = [problem for each in found.values() for problem in each]
    if as_json:
        typer.echo(json.dumps(list(map(problem_as_json, problems)), ensure_ascii=False, indent=1))
    else:
        for file, each in found.items():
            print_problems(console, each)
            if not each:
                console.print(Text.assemble(str(file), (words(": в порядке", ": clean"), "green")))
    if problems:
        raise typer.Exit(UNREADABLE if any(problem.unreadable for problem in problems) else FOUND)
