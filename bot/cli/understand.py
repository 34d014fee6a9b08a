"""`otklik understand`: one utterance a line from standard input, what a call would make of it on each."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import aiohttp
import typer
from rich.console import Console

from bot.cli.lines import read_lines
from bot.core.errors import BadInput, Place
from bot.surveys.interpretation import Asked, Interpretation, asked_in_survey, asked_on_scale, interpret
from bot.surveys.loader import load_survey
from bot.words import words
from dialogue.parsing import Nlu
from dialogue.running import running_rasa
from dialogue.training import train

MOST_CHARACTERS = 2000
"""More than a minute of speech: what is longer is nobody's answer, and only its beginning is read."""

TOO_LONG = "too_long"

app = typer.Typer(no_args_is_help=False)

_LINE_BREAKS = {ord(mark): f"\\u{ord(mark):04x}" for mark in "\x85\u2028\u2029"}
"""Ends of a line for some readers: escaped, so that one object is one line for all of them."""


class Scale(StrEnum):
    NPS = "0-10"
    CSAT_5 = "1-5"
    CSAT_3 = "1-3"
    YES_NO = "yes_no"


@app.command("understand")
def understand(
    scale: Annotated[
        Scale | None, typer.Option(help=words("Какого ответа ждём", "What answer is expected"))
    ] = None,
    survey: Annotated[
        Path | None, typer.Option(help=words("Файл опроса, YAML", "A survey file, YAML"), dir_okay=False)
    ] = None,
    question: Annotated[
        str | None, typer.Option(help=words("Вопрос этого опроса", "A question of that survey"))
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help=words("По объекту JSON на строку", "A JSON object a line"))
    ] = False,
) -> None:
    """Что бот поймёт: по реплике на строку из стандартного ввода, по ответу на строку в выводе.

    Тот же код, что в звонке. `escalate`: пора предложить человека — жалоба, просьба позвать
    сотрудника или низкий ответ (по правилам опроса; без него 0–6 из 10, 1–2 из 5, 1 из 3).
    """
    asked = _asked(scale, survey, question)
    if sys.stdin is None:
        raise BadInput(
            words("стандартный ввод закрыт", "standard input is closed"),
            hint='echo "девять" | otklik understand',
        )
    console = Console(stderr=True, highlight=False)
    train(lambda step: console.print(f"  Rasa: {step}", markup=False))
    console.print(words("Запускаю Rasa…", "Starting Rasa…"), style="dim")
    with tempfile.TemporaryDirectory() as folder, running_rasa(Path(folder) / "log.txt") as rasa:
        if sys.stdin.isatty():
            console.print(
                words("По реплике на строку, Ctrl-D — конец.", "One utterance a line, Ctrl-D ends.")
            )
        try:
            asyncio.run(_answer(*rasa, sys.stdin.fileno(), asked, as_json))
        except BrokenPipeError:  # whoever read the answers has had enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _asked(scale: Scale | None, survey: Path | None, question: str | None) -> Asked | None:
    """Raises BadInput, SurveyInvalid."""
    if (survey is None) is not (question is None):
        raise BadInput(words("--survey и --question нужны вместе", "--survey and --question go together"))
    if scale is not None and survey is not None:
        raise BadInput(words("нужно одно из двух: --scale или --survey", "either --scale or --survey"))
    if scale is not None:
        return asked_on_scale(scale.value)
    if survey is None or question is None:
        return None
    loaded = load_survey(survey)
    known = [each.id for each in loaded.questions]
    if question not in known:
        raise BadInput(
            words(f"в опросе нет вопроса «{question}»", f"the survey has no question {question!r}"),
            hint=words("есть: ", "it has: ") + ", ".join(known),
            place=Place(str(survey)),
        )
    return asked_in_survey(loaded, question)


async def _answer(url: str, token: str, source: int, asked: Asked | None, as_json: bool) -> None:
    whole: asyncio.Queue[str] = asyncio.Queue()  # lines as they came, while their beginnings are parsed

    async def beginnings() -> AsyncIterator[str]:
        async for line in read_lines(source):
            whole.put_nowait(line)
            yield line[:MOST_CHARACTERS]

    async with aiohttp.ClientSession() as http:
        async for text, found in Nlu(url, http, token).understand_each(beginnings()):
            line = whole.get_nowait()
            meaning = interpret(text, found, asked)
            if len(line) > len(text):
                meaning = _without_value(meaning)
            _print(_as_json(line, meaning) if as_json else _as_words(line, meaning, asked))


def _without_value(meaning: Interpretation) -> Interpretation:
    return Interpretation(meaning.intent, meaning.confidence, meaning.topic, None, TOO_LONG, meaning.escalate)


def _print(line: str) -> None:
    sys.stdout.buffer.write(line.encode() + b"\n")
    sys.stdout.buffer.flush()


def _as_json(text: str, meaning: Interpretation) -> str:
    fields = {
        "text": text,
        "intent": meaning.intent.value,
        "confidence": round(meaning.confidence, 4),
        "topic": meaning.topic.value if meaning.topic else None,
        "value": meaning.value,
        "reason": meaning.reason,
        "escalate": meaning.escalate,
    }
    return json.dumps(fields, ensure_ascii=False).translate(_LINE_BREAKS)


def _as_words(text: str, meaning: Interpretation, asked: Asked | None) -> str:
    topic = f"/{meaning.topic}" if meaning.topic else ""
    parts = [f"{meaning.intent}{topic} {meaning.confidence:.2f}"]
    if asked is not None:
        parts.append(f"= {meaning.value}" if meaning.value is not None else f"— ({meaning.reason})")
    if meaning.escalate:
        parts.append(words("предложить сотрудника", "offer a person"))
    return f"{text.translate(_LINE_BREAKS)}\t{'  '.join(parts)}"
