"""`otklik bench answers`: recorded answers through the recogniser and the reading."""

from __future__ import annotations

import json
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from bot.cli.sections import replace_section
from bot.core.answer import AnswerValue
from bot.logs import configure_logs
from bot.settings import PROJECT
from bot.settings_load import load_settings
from bot.speech.bench import Outcome, outcomes, read_manifest
from bot.speech.files import read_audio
from bot.speech.models import ensure_model
from bot.speech.recogniser import VoskRecogniser
from bot.speech.transcribing import words_of
from bot.words import words
from dialogue.report import table

SECTION = "bench answers"
SHIPPED = Path("tests/data/audio/ru")
"""The recordings that come with the project, below its folder."""


def answers(
    folder: Annotated[
        Path | None,
        typer.Argument(
            help=words(
                "Папка с WAV и manifest.tsv; без неё — записи из самого проекта",
                "A folder of WAV files and manifest.tsv; without one, the project's own recordings",
            )
        ),
    ] = None,
    as_json: Annotated[
        Path | None, typer.Option("--json", help=words("Записать и сюда, JSON", "Write here too, as JSON"))
    ] = None,
    write: Annotated[
        Path | None, typer.Option(help=words("Записать раздел в документ", "Write a document's section"))
    ] = None,
    model: Annotated[str, typer.Option(help=words("Модель из models/manifest.toml", "A model by name"))] = "",
) -> None:
    """Записанные ответы через Vosk и разбор: верных, неверных, пропущенных — с грамматикой и без неё."""
    recordings = read_manifest(folder or PROJECT / SHIPPED)
    configure_logs("warning")
    settings = load_settings().speech_settings()
    name = model or settings.recogniser.model
    recogniser = VoskRecogniser(
        ensure_model(name, settings.models_dir, settings.var_dir), settings.recogniser
    )
    try:
        openly = outcomes(recordings, read_audio, lambda pcm, _: words_of(recogniser, pcm))
        found = {"open": list(openly)}
        if recogniser.takes_grammars:
            closely = outcomes(recordings, read_audio, partial(words_of, recogniser))
            found = {"grammar": list(closely), **found}
    finally:
        recogniser.close()
    Console().print(_lines(found), highlight=False)
    if as_json is not None:
        as_json.write_text(json.dumps(_json(name, found), ensure_ascii=False, indent=1), encoding="utf-8")
    if write is not None:
        replace_section(write, SECTION, _markdown(name, str(folder or SHIPPED), found))


def _lines(found: dict[str, list[Outcome]]) -> str:
    """A line a way of listening, and below it what went wrong."""
    lines = []
    for way, results in found.items():
        counts = _counts(results)
        lines.append(f"{way}: " + ", ".join(f"{key} {value}" for key, value in counts.items()))
        lines += [
            f"  {each.recording.file.name} «{each.recording.text}»: "
            f"{_shown(each.recording.value)} → {_shown(each.value)} «{each.heard}»"
            for each in results
            if not each.is_right
        ]
    return "\n".join(lines)


def _counts(results: list[Outcome]) -> dict[str, int]:
    """Right, wrong and none of all; `none` is a value that was said and not taken."""
    return {
        "n": len(results),
        "right": sum(each.is_right for each in results),
        "wrong": sum(each.is_wrong for each in results),
        "none": sum(not each.is_right and not each.is_wrong for each in results),
    }


def _json(model: str, found: dict[str, list[Outcome]]) -> dict[str, Any]:
    return {
        "model": model,
        "listening": {
            way: {
                **_counts(results),
                "answers": [
                    {
                        "file": each.recording.file.name,
                        "voice": each.recording.voice,
                        "text": each.recording.text,
                        "heard": each.heard,
                        "expected": each.recording.value,
                        "value": each.value,
                    }
                    for each in results
                ],
            }
            for way, results in found.items()
        },
    }


_OUTCOMES = {"right": "верно", "wrong": "неверное значение", "none": "значение не взято"}
_TITLES = {"grammar": "С грамматикой вопроса", "open": "Без грамматики, как по умолчанию в звонке"}


def _markdown(model: str, folder: str, found: dict[str, list[Outcome]]) -> str:
    parts = [f"Записи: `{folder}`."]
    for way, results in found.items():
        counts = _counts(results)
        shares = ", ".join(
            f"{title} {counts[key]} ({counts[key] / max(1, counts['n']):.1%})"
            for key, title in (
                ("right", "верно"),
                ("wrong", "неверное значение"),
                ("none", "значение не взято"),
            )
        )
        parts.append(f"### {_TITLES[way]}\n\nМодель `{model}`, записей {counts['n']}: {shares}.")
        parts.append("Строки — что сказано, столбцы — что записано:\n\n" + _confusion(results))
    return "\n\n".join(parts)


def _confusion(results: list[Outcome]) -> str:
    pairs = Counter((_shown(each.recording.value), _shown(each.value)) for each in results)
    said = sorted({first for first, _ in pairs}, key=_order)
    taken = sorted({second for _, second in pairs} | set(said), key=_order)
    rows = [(first, *(str(pairs[first, second] or "") for second in taken)) for first in said]
    return table(("", *taken), rows)


def _shown(value: AnswerValue) -> str:
    return "—" if value is None else str(value)


def _order(shown: str) -> tuple[int, int, str]:
    return (0, int(shown), "") if shown.isdecimal() else (1, 0, shown)
