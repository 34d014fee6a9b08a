"""`otklik survey list`: which surveys there are, published and as files, and how the two differ."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from bot.published import Published, published_dir
from bot.settings import Settings
from bot.settings_load import load_settings
from bot.speech.measuring import SpeechMeter
from bot.surveys.canonical import SHORT_HASH
from bot.surveys.duration import duration
from bot.surveys.loader import read_survey, survey_hash
from bot.surveys.paths import paths_of
from bot.surveys.schema import Survey
from bot.words import words

app = typer.Typer(add_completion=False)

STATES = {
    "current": words("звонки идут по ней", "calls run it"),
    "older": words("прежняя версия", "an older version"),
    "draft": words("не опубликован", "not published"),
    "changed": words("файл изменён: поднимите version", "file changed: raise version"),
    "broken": words("файл не читается: otklik survey lint", "unreadable: otklik survey lint"),
}
_STYLES = {"current": "green", "older": "dim", "changed": "yellow", "broken": "red"}


@dataclass(frozen=True, slots=True)
class Row:
    """One version. `seconds` is the shortest and the longest completed call."""

    id: str
    version: int | None
    title: str
    hash: str
    questions: int | None
    seconds: tuple[int, int] | None
    state: str
    file: str


@app.command("list")
def list_surveys(
    everything: Annotated[
        bool, typer.Option("--all", help=words("И прежние версии", "Older versions, too"))
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help=words("Вывести JSON", "Print JSON"))] = False,
) -> None:
    """Какие опросы есть: опубликованные и файлы из папки опросов."""
    settings = load_settings()
    with SpeechMeter() as meter:
        rows = [row for row in _rows(settings, meter) if everything or row.file or row.state != "older"]
    if as_json:
        typer.echo(json.dumps([asdict(row) for row in rows], ensure_ascii=False, indent=2))
    elif rows:
        Console(highlight=False).print(_table(rows))
    else:
        typer.echo(
            words(
                f"Опросов ещё нет. Положите YAML-файл в {settings.surveys_dir} или опубликуйте свой: "
                "otklik survey publish ФАЙЛ",
                f"There are no surveys yet. Put a YAML file into {settings.surveys_dir}, or publish one: "
                "otklik survey publish FILE",
            )
        )


def _rows(settings: Settings, meter: SpeechMeter) -> Iterator[Row]:
    """By id and version, files after what is published."""
    found = [*_published(Published(published_dir(settings)), meter)]
    digests = {row.hash: place for place, row in enumerate(found)}
    taken = {(row.id, row.version) for row in found}
    for path in sorted([*settings.surveys_dir.glob("*.yaml"), *settings.surveys_dir.glob("*.yml")]):
        survey = read_survey(path).survey
        if survey is None:
            found.append(Row("", None, "", "", None, None, "broken", path.name))
            continue
        place = digests.get(survey_hash(survey))
        if place is not None:
            known = found[place]
            found[place] = _row(survey, meter, known.state, path)
        else:
            state = "changed" if (survey.id, survey.version) in taken else "draft"
            found.append(_row(survey, meter, state, path))
    yield from sorted(found, key=lambda row: (row.id or "~", row.version or 0))


def _published(published: Published, meter: SpeechMeter) -> Iterator[Row]:
    for version in published.versions():
        survey = published.by_hash(version.digest)
        yield _row(survey, meter, "current" if version.current else "older", None)


def _row(survey: Survey, meter: SpeechMeter, state: str, path: Path | None) -> Row:
    lasts = duration(survey, paths_of(survey), meter.seconds)
    return Row(
        id=survey.id,
        version=survey.version,
        title=survey.title,
        hash=survey_hash(survey),
        questions=len(survey.questions),
        seconds=None if lasts is None else (round(lasts[0]), round(lasts[1])),
        state=state,
        file=path.name if path else "",
    )


def _table(rows: list[Row]) -> Table:
    table = Table()
    for title in words(
        "Опрос|Версия|Заголовок|Хеш|Вопросов|Длится|Состояние|Файл",
        "Survey|Version|Title|Hash|Questions|Lasts|State|File",
    ).split("|"):
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(
            row.id or "?",
            "" if row.version is None else f"v{row.version}",
            row.title,
            row.hash[:SHORT_HASH],
            "" if row.questions is None else str(row.questions),
            _lasts(row.seconds),
            STATES[row.state],
            row.file,
            style=_STYLES.get(row.state, ""),
        )
    return table


def _lasts(seconds: tuple[int, int] | None) -> str:
    if seconds is None:
        return ""
    first, last = (f"{each // 60}:{each % 60:02}" for each in seconds)
    return first if first == last else f"{first}–{last}"
