"""`otklik bench amd`: the confusion table of answerers and the time to decide, on clips with a manifest."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from bot.call.answering.confusion import Clip, Judged, Summary, read_manifest, summary
from bot.call.answering.recorded import Reader, classify
from bot.cli.amd import NAMES, reader
from bot.core.answerer import Answerer
from bot.core.errors import BadInput
from bot.settings import PROJECT
from bot.speech.files import read_audio
from bot.speech.vad import SileroVad
from bot.words import words

_SHORT: dict[Answerer, tuple[str, str]] = {
    Answerer.HUMAN: ("чел.", "human"),
    Answerer.VOICEMAIL: ("авт.", "voicem."),
    Answerer.ANNOUNCEMENT: ("опер.", "announ."),
    Answerer.IVR: ("меню", "ivr"),
    Answerer.SECRETARY: ("секр.", "secret."),
    Answerer.SILENCE: ("тиш.", "silence"),
    Answerer.FAX: ("факс", "fax"),
}

CLIPS = PROJECT / "tests" / "data" / "amd"


def amd(
    data: Annotated[
        Path, typer.Option(help=words("Папка с manifest.tsv", "A folder with manifest.tsv"))
    ] = CLIPS,
    part: Annotated[
        Literal["all", "tuning", "held_out"],
        typer.Option(help=words("Какая половина", "Which half")),
    ] = "all",
    as_json: Annotated[
        bool, typer.Option("--json", help=words("Один объект JSON", "One JSON object"))
    ] = False,
    by: Annotated[
        Literal["recognised", "none", "true"],
        typer.Option(
            "--words",
            help=words("Слова: распознанные, никаких, верные", "Words: as recognised, none, the true ones"),
        ),
    ] = "recognised",
    model: Annotated[
        str, typer.Option("--model", help=words("Модель из models/manifest.toml", "A model by name"))
    ] = "",
) -> None:
    """Насколько верно и быстро бот узнаёт, кто взял трубку."""
    clips = [clip for clip in read_manifest(data) if part in ("all", clip.part)]
    if not clips:
        raise BadInput(words(f"в {data} нет записей части {part}", f"{data} has no clips of part {part}"))
    with reader(model, by_words=by == "recognised") as reading:
        judged = [_judge(clip, clip.true_words() if by == "true" else reading) for clip in clips]
    parts = {name: [one for one in judged if one.clip.part == name] for name in _parts(clips)}
    if as_json:
        typer.echo(json.dumps({name: as_object(ones) for name, ones in parts.items()}, ensure_ascii=False))
        return
    console = Console()
    for name, ones in parts.items():
        _show(console, name, ones)


def _parts(clips: Sequence[Clip]) -> list[str]:
    return list(dict.fromkeys(clip.part for clip in clips))


def _judge(clip: Clip, reading: Callable[[int], Reader] | None) -> Judged:
    pcm = read_audio(clip.file)
    heard = classify(pcm, SileroVad(pcm.rate).probability, reading, answered_s=clip.answered_s)
    return Judged(clip, heard.verdicts[0] if heard.verdicts else None, heard.last)


def as_object(judged: Sequence[Judged]) -> dict[str, Any]:
    """Times in seconds: from the answer, and (`late_s`) from the moment at which one could know."""
    found = summary(judged)
    return {
        "clips": found.clips,
        "right": found.right,
        "human_as_machine": {"clips": found.human_as_machine, "of": found.humans},
        "machine_as_human": {"clips": found.machine_as_human, "of": found.machines},
        "confusion": {truth.value: dict(row) for truth, row in found.table.items() if row},
        "decided_s": {key.value: {"p50": p50, "p95": p95} for key, (p50, p95) in found.decided.items()},
        "late_s": {key.value: {"p50": p50, "p95": p95} for key, (p50, p95) in found.late.items()},
        "wrong": [
            {
                "file": one.clip.file.name,
                "class": one.clip.answerer.value,
                "verdict": one.last.answerer.value if one.last else None,
                "reasons": list(one.last.reasons) if one.last else [],
            }
            for one in judged
            if not one.right
        ],
    }


def _show(console: Console, name: str, judged: Sequence[Judged]) -> None:
    found = summary(judged)
    title = {"tuning": words("настройка", "tuning"), "held_out": words("проверка", "held out")}
    console.print(_confusion(title.get(name, name), found))
    console.print(_times(found))
    right = words("верно", "right")
    worst = words("человек принят за машину", "a person taken for a machine")
    missed = words("машина принята за человека", "a machine taken for a person")
    console.print(
        f"{right}: {found.right}/{found.clips}; {worst}: {found.human_as_machine}/{found.humans}; "
        f"{missed}: {found.machine_as_human}/{found.machines}\n"
    )


def _confusion(title: str, found: Summary) -> Table:
    table = Table(title=title, box=box.SIMPLE)
    table.add_column(words("на деле \\ решено", "truth \\ verdict"), no_wrap=True)
    for answerer in Answerer:
        table.add_column(words(*_SHORT[answerer]), justify="right", no_wrap=True)
    table.add_column("—", justify="right")
    for truth, row in found.table.items():
        if row:
            counts = [str(row[verdict.value] or "") for verdict in Answerer]
            table.add_row(words(*NAMES[truth]), *counts, str(row[""] or ""))
    return table


def _times(found: Summary) -> Table:
    table = Table(box=box.SIMPLE)
    table.add_column(words("секунд: p50 / p95", "seconds: p50 / p95"), no_wrap=True)
    table.add_column(words("от ответа", "since the answer"), justify="right", no_wrap=True)
    table.add_column(
        words("с тех пор, как можно знать", "since one could know"), justify="right", no_wrap=True
    )
    for truth, (p50, p95) in found.decided.items():
        late50, late95 = found.late[truth]
        table.add_row(words(*NAMES[truth]), f"{p50:.2f} / {p95:.2f}", f"{late50:.2f} / {late95:.2f}")
    return table
