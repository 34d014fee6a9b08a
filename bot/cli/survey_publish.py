"""`otklik survey publish`: lint a file, speak its prompts, freeze the version, let new calls run it."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bot.cli.on_database import open_database
from bot.cli.survey_lint import FOUND, UNREADABLE, print_problems
from bot.cli.surveys import name_of
from bot.core.clock import SystemClock
from bot.linting import lint_tools
from bot.logs import configure_logs
from bot.published import Published, published_dir
from bot.publishing import Publisher
from bot.settings import Settings
from bot.settings_load import load_settings
from bot.settings_rooms import speech_settings
from bot.speech.advice import unheard
from bot.speech.synthesiser import spawned_synthesiser
from bot.surveys.lint import lint
from bot.surveys.loader import load_survey, survey_hash
from bot.surveys.schema import Survey
from bot.words import words

app = typer.Typer(add_completion=False)


@app.command("publish")
def publish(
    file: Annotated[Path, typer.Argument(help=words("Файл опроса, YAML", "A survey file, YAML"))],
) -> None:
    """Проверить опрос, озвучить его фразы и заморозить версию: новые звонки пойдут по ней.

    Идущие звонки доходят до конца по своей версии. Код возврата: 0 — опубликован, 1 — есть что
    исправить, 2 — файл не читается.
    """
    settings = load_settings()
    configure_logs("warning")
    with lint_tools(settings, partial(typer.echo, err=True)) as tools:
        problems = lint(file, tools)
    if problems:
        print_problems(Console(soft_wrap=True, highlight=False), problems)
        typer.echo(words("Не опубликован.", "Not published."), err=True)
        raise typer.Exit(UNREADABLE if any(problem.unreadable for problem in problems) else FOUND)
    survey = load_survey(file)
    published = Published(published_dir(settings))
    before = published.current().get(survey.id)
    was = published.by_hash(before) if before else None
    text = file.read_text("utf-8-sig")
    prompts = asyncio.run(_publish(settings, published, survey, text, file.parent))
    _tell(survey, was, prompts)
    if lacking := unheard(speech_settings(settings), survey.language, survey.id):
        typer.echo(f"{name_of(survey)}: {lacking}", err=True)


async def _publish(settings: Settings, published: Published, survey: Survey, text: str, beside: Path) -> int:
    """How many prompts it has. Raises SurveyVersionTaken and Unavailable; then nothing is released."""
    async with open_database(settings) as database:
        publisher = Publisher(settings, published, database, SystemClock())
        await publisher.require_free(survey)
        publisher.keep_recordings(survey, beside)
        async with spawned_synthesiser(speech_settings(settings)) as synthesiser:
            with _bar() as bar:
                task = bar.add_task(words("Озвучиваю фразы", "Speaking the prompts"), total=None)
                count = await publisher.prepare(
                    survey, synthesiser, lambda done, total: bar.update(task, completed=done, total=total)
                )
        digest = await publisher.freeze(survey)
        publisher.release(digest)
        await publisher.note(digest, text=text)
    return count


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )


def _tell(survey: Survey, was: Survey | None, prompts: int) -> None:
    name = name_of(survey)
    if was is not None and survey_hash(was) == survey_hash(survey):
        typer.echo(words(f"{name}: уже опубликован, ничего не изменилось", f"{name}: published as it was"))
        return
    typer.echo(
        words(f"{name}: опубликован, фраз озвучено {prompts}", f"{name}: published, {prompts} prompts")
    )
    instead = words(f" (до сих пор v{was.version})", f" (v{was.version} until now)") if was else ""
    typer.echo(
        words(
            f"Новые звонки пойдут по этой версии{instead}, идущие — по своей.",
            f"New calls run this version{instead}, calls under way keep theirs.",
        )
    )
