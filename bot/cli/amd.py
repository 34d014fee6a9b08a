"""`otklik amd`: who took the call, by recordings of how they were answered."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.call.answering.classifier import Verdict
from bot.call.answering.recorded import Heard, Reader, classify
from bot.core.answerer import Answerer
from bot.core.errors import AudioInvalid, BadInput
from bot.logs import configure_logs
from bot.settings_load import load_settings
from bot.speech.files import read_audio
from bot.speech.models import ensure_model
from bot.speech.recogniser import VoskRecogniser
from bot.speech.vad import SileroVad
from bot.words import words

app = typer.Typer(add_completion=False)

NAMES: dict[Answerer, tuple[str, str]] = {
    Answerer.HUMAN: ("человек", "human"),
    Answerer.VOICEMAIL: ("автоответчик", "voicemail"),
    Answerer.ANNOUNCEMENT: ("оператор связи", "announcement"),
    Answerer.IVR: ("голосовое меню", "voice menu"),
    Answerer.SECRETARY: ("голосовой секретарь", "virtual secretary"),
    Answerer.SILENCE: ("тишина", "silence"),
    Answerer.FAX: ("факс", "fax"),
}


@app.command("amd")
def amd(
    files: Annotated[
        list[Path],
        typer.Argument(help=words("Записи WAV или FLAC, любая частота", "WAV or FLAC files, any rate")),
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help=words("По строке JSON на файл", "One JSON line a file"))
    ] = False,
    answered: Annotated[
        float,
        typer.Option(
            min=0.0, help=words("Когда ответили, с от начала", "When it was answered, s from the start")
        ),
    ] = 0.0,
    unanswered: Annotated[
        bool,
        typer.Option(
            "--unanswered", help=words("Так и не ответили: всё до ответа", "Never answered: all is early")
        ),
    ] = False,
    by_words: Annotated[
        bool, typer.Option("--words/--no-words", help=words("Распознавать слова", "Recognise words"))
    ] = True,
    model: Annotated[
        str, typer.Option("--model", help=words("Модель из models/manifest.toml", "A model by name"))
    ] = "",
) -> None:
    """Кто взял трубку: человек, автоответчик, оператор связи, меню, секретарь, тишина или факс."""
    failed = 0
    with reader(model, by_words=by_words) as reading:
        for file in files:
            try:
                pcm = read_audio(file)
            except AudioInvalid as error:
                failed += 1
                typer.echo(f"otklik: {error}", err=True)
                continue
            heard = classify(
                pcm, SileroVad(pcm.rate).probability, reading, answered_s=None if unanswered else answered
            )
            typer.echo(
                json.dumps({"file": str(file), **as_object(heard)}, ensure_ascii=False)
                if as_json
                else f"{file}: {_line(heard)}"
            )
    if failed:
        raise typer.Exit(BadInput.exit_status)


@contextmanager
def reader(model: str = "", *, by_words: bool = True) -> Iterator[Callable[[int], Reader] | None]:
    """What opens a recogniser at a rate; None where words are not wanted. Raises ModelMissing."""
    configure_logs("warning")
    if not by_words:
        yield None
        return
    settings = load_settings().speech_settings()
    path = ensure_model(model or settings.recogniser.model, settings.models_dir, settings.var_dir)
    recogniser = VoskRecogniser(path, settings.recogniser)
    try:
        yield lambda rate: recogniser.decoder(rate, None)
    finally:
        recogniser.close()


def as_object(heard: Heard) -> dict[str, Any]:
    """The verdict that stands (`class` null where nothing was to be told), and all of them in order."""
    last = heard.last
    stands = _verdict(last) if last else {"class": None, "reasons": [], "at": None, "revised": False}
    return {**stands, "seconds": round(heard.seconds, 3), "verdicts": [_verdict(v) for v in heard.verdicts]}


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "class": verdict.answerer.value,
        "reasons": list(verdict.reasons),
        "at": verdict.at,
        "revised": verdict.revised,
        "early": verdict.early,
        "outcome": verdict.outcome.value if verdict.outcome else None,
    }


def _line(heard: Heard) -> str:
    if heard.last is None:
        return words("не понять: никто не говорил", "cannot tell: nobody spoke")
    told = f"{words(*NAMES[heard.last.answerer])}, {heard.last.at:.2f} {words('с', 's')}"
    first = heard.verdicts[0]
    if first.answerer is not heard.last.answerer:
        before = words("сначала", "at first")
        told += f" ({before}: {words(*NAMES[first.answerer])}, {first.at:.2f})"
    return f"{told}: {'; '.join(heard.last.reasons)}"
