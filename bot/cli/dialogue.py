"""`otklik dialogue`: train Rasa, test how well it understands, talk to it by keyboard."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import aiohttp
import typer
from rich.console import Console
from rich.table import Table

from bot.cli.sections import replace_section
from bot.cli.survey_talk import talk
from bot.core.directives import Understood
from bot.core.intents import Intent
from bot.words import words
from dialogue.evaluation import Evaluation, evaluate, never_trained, read_sentences
from dialogue.launch import FOLDER
from dialogue.parsing import Nlu
from dialogue.report import intents_report
from dialogue.running import running_rasa
from dialogue.training import train as train_rasa
from dialogue.training import trained_sentences

PROJECT = FOLDER.parent
HELD_OUT = PROJECT / "tests/data/nlu/held_out_0_3.tsv"
SECTION = "dialogue test"
LEAST_MACRO_F1 = 0.93
FAILED = 1

app = typer.Typer(no_args_is_help=True)
_console = Console()


@app.command("train")
def train() -> None:
    """Обучить Rasa — только если данные изменились."""
    progress = Console(stderr=True)
    done = train_rasa(lambda step: progress.print(f"  Rasa: {step}", markup=False, highlight=False))
    _console.print(
        words("Модель диалога обучена.", "The dialogue's model is trained.")
        if done
        else words("Модель диалога уже обучена на этих данных.", "The dialogue's model is up to date.")
    )


@app.command("test")
def measure(
    files: Annotated[
        list[Path] | None,
        typer.Argument(help=words("Файлы TSV: intent, topic, слова", "TSV files: intent, topic, words")),
    ] = None,
    least: Annotated[
        float, typer.Option(help=words("Наименьшая macro-F1", "The least macro F1"), min=0.0, max=1.0)
    ] = LEAST_MACRO_F1,
    mistakes: Annotated[bool, typer.Option(help=words("Показать ошибки", "Show the mistakes"))] = False,
    write: Annotated[
        Path | None,
        typer.Option(help=words("Записать таблицы в этот документ", "Write the tables into this document")),
    ] = None,
) -> None:
    """Проверить понимание на отложенных фразах, которых нет в обучении; код 1, если macro-F1 ниже порога."""
    paths = files or [HELD_OUT]
    written = [sentence for path in paths for sentence in read_sentences(path)]
    sentences = never_trained(written, trained_sentences())
    left_out = len(written) - len(sentences)
    _console.print(
        words(
            f"Фраз {len(written)}; {left_out} есть в обучении и не считаются.",
            f"{len(written)} sentences; {left_out} are in the training data and do not count.",
        )
    )
    train_rasa()
    found = asyncio.run(_understand([sentence.text for sentence in sentences]))
    result = evaluate(sentences, found)
    _show(result)
    if mistakes:
        for sentence, got in result.mistakes:
            _console.print(
                f"{sentence.text}: {sentence.intent} → {got.intent} {got.confidence:.2f}", markup=False
            )
    if write is not None:
        replace_section(write, SECTION, intents_report(result, [path.name for path in paths], left_out))
    if result.macro_f1 < least:
        raise typer.Exit(FAILED)


@app.command("shell")
def shell(
    survey: Annotated[
        Path, typer.Option("--survey", help=words("Файл опроса", "A survey file"), dir_okay=False)
    ] = PROJECT / "survey_defs" / "nps.yaml",
) -> None:
    """Поговорить с ботом с клавиатуры; то же, что otklik survey talk."""
    talk(str(survey))


async def _understand(texts: Sequence[str]) -> list[Understood | None]:
    """What the real Rasa server makes of these words, through /model/parse."""
    with tempfile.TemporaryDirectory() as folder, running_rasa(Path(folder) / "log.txt") as (url, token):
        async with aiohttp.ClientSession() as http:
            return [found async for _, found in Nlu(url, http, token).understand_each(texts)]


def _show(result: Evaluation) -> None:
    table = Table(title=words("Понимание по намерениям", "Understanding by intent"))
    for title in ("intent", "precision", "recall", "F1", "n", words("путает с", "taken for")):
        table.add_column(title)
    confusion = result.confusion
    for intent in result.intents:
        scores = result.scores(intent)
        wrong = [
            f"{other} {confusion[intent, other]}"
            for other in Intent
            if other is not intent and confusion[intent, other]
        ]
        figures = (f"{value:.3f}" for value in (scores.precision, scores.recall, scores.f1))
        table.add_row(intent, *figures, str(scores.support), ", ".join(wrong))
    _console.print(table)
    _console.print(
        f"macro-F1 {result.macro_f1:.4f}, "
        + words("темы жалоб", "topics of complaints")
        + f" {result.topic_accuracy:.3f}, "
        + words("похвал принято за жалобу", "praise taken for a complaint")
        + f" {result.taken_for(Intent.PRAISE, Intent.COMPLAIN)}, n = {len(result.results)}",
        highlight=False,
    )
