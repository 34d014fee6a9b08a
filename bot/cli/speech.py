"""`otklik transcribe`, `otklik speak`, `otklik models`: speech by hand, without a call."""

from __future__ import annotations

import asyncio
import errno
import json
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from bot.core.audio import Pcm
from bot.core.errors import AudioInvalid, BadInput, DiskFull, ModelMissing, OtklikError
from bot.core.files import write_whole
from bot.logs import configure_logs
from bot.settings_load import load_settings
from bot.speech.files import read_audio
from bot.speech.models import ensure_model, read_manifest, verify_model
from bot.speech.prompts import encode
from bot.speech.recogniser import VoskRecogniser
from bot.speech.settings import SpeechSettings
from bot.speech.synthesiser import spawned_synthesiser
from bot.words import words

app = typer.Typer(no_args_is_help=True)
models_app = typer.Typer(
    no_args_is_help=True, help=words("Модели речи: список и проверка", "Speech models: list, verify")
)
app.add_typer(models_app, name="models")


@app.command("transcribe")
def transcribe(
    files: Annotated[
        list[Path],
        typer.Argument(help=words("Файлы WAV или FLAC, любая частота", "WAV or FLAC files, any rate")),
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help=words("По строке JSON на файл", "One JSON line a file"))
    ] = False,
    model: Annotated[
        str, typer.Option("--model", help=words("Модель из models/manifest.toml", "A model by name"))
    ] = "",
) -> None:
    """Распознать записи русской речи: каждая — одна строка, без словаря ответов и подсказок."""
    settings = _settings()
    recogniser = _recogniser(settings, model or settings.recogniser.model)
    failed = 0
    try:
        for file in files:
            try:
                pcm = read_audio(file)
            except AudioInvalid as error:
                failed += 1
                _complain(error)
                continue
            started = time.perf_counter()
            heard = recogniser.transcribe(pcm)
            spent = time.perf_counter() - started
            if not as_json:
                typer.echo(f"{file}: {heard.text}")
                continue
            line = {
                "file": str(file),
                "text": heard.text,
                "words": [word.model_dump() for word in heard.words],
                "real_time_factor": round(spent / pcm.seconds, 4) if pcm.data else 0.0,
            }
            typer.echo(json.dumps(line, ensure_ascii=False))
    finally:
        recogniser.close()
    if failed:
        raise typer.Exit(BadInput.exit_status)


@app.command("speak")
def speak(
    text: Annotated[str, typer.Argument(help=words("Текст по-русски", "A Russian text"))],
    output: Annotated[Path, typer.Option("--output", "-o", help=words("Файл WAV", "A WAV file"))],
    voice: Annotated[str, typer.Option(help=words("Голос: ru, ru+f3, …", "A voice: ru, ru+f3, …"))] = "",
    rate: Annotated[
        int, typer.Option(help=words("Частота, Гц", "Samples a second"), min=8000, max=16000)
    ] = 8000,
) -> None:
    """Произнести текст и записать его в файл — так, как его услышат в звонке."""
    pcm = asyncio.run(_speak(_settings(), text, voice, rate))
    _write(output, encode(pcm))
    typer.echo(f"{output}: {pcm.seconds:.2f} {words('с', 's')}", err=True)


@models_app.command("list")
def list_models() -> None:
    """Какие модели известны и какие из них установлены."""
    settings = _settings()
    table = Table()
    for title in (
        words("модель", "model"),
        words("вид", "kind"),
        words("лицензия", "licence"),
        words("есть", "here"),
        words("откуда", "source"),
    ):
        table.add_column(title, overflow="fold")
    for entry in read_manifest(settings.models_dir).values():
        here = bool(entry.package) or _is_installed(entry.name, settings)
        mark = words("да", "yes") if here else words("нет", "no")
        table.add_row(entry.name, entry.kind, entry.licence, mark, entry.source)
    Console().print(table)


@models_app.command("verify")
def verify(
    names: Annotated[
        list[str] | None,
        typer.Argument(help=words("Имена; без них все установленные", "Names; without, all installed")),
    ] = None,
) -> None:
    """Перечитать файлы моделей и сверить их с известными суммами SHA-256."""
    settings = _settings()
    wanted = names or [
        entry.name
        for entry in read_manifest(settings.models_dir).values()
        if entry.shipped or entry.package or _is_installed(entry.name, settings)
    ]
    worst = 0
    for name in wanted:
        try:
            verified = verify_model(name, settings.models_dir, settings.var_dir)
        except ModelMissing as error:
            worst = error.exit_status
            _complain(error)
        else:
            typer.echo(f"{name}: {words('в порядке', 'ok')} ({verified})")
    if worst:
        raise typer.Exit(worst)


def _settings() -> SpeechSettings:
    """The settings; and logs, from warnings up, go to stderr: stdout is the commands' own."""
    configure_logs("warning")
    return load_settings().speech_settings()


def _recogniser(settings: SpeechSettings, model: str) -> VoskRecogniser:
    path = ensure_model(model, settings.models_dir, settings.var_dir)
    return VoskRecogniser(path, settings.recogniser)


async def _speak(settings: SpeechSettings, text: str, voice: str, rate: int) -> Pcm:
    async with spawned_synthesiser(settings) as synthesiser:
        return await synthesiser.speak(text, voice=voice, language="ru", rate=rate)


def _is_installed(name: str, settings: SpeechSettings) -> bool:
    try:
        ensure_model(name, settings.models_dir, settings.var_dir)
    except ModelMissing:
        return False
    return True


def _write(path: Path, content: bytes) -> None:
    try:
        write_whole(path.absolute(), content, durable=False, mode=0o644)
    except OSError as exc:
        kind = DiskFull if exc.errno == errno.ENOSPC else AudioInvalid
        raise kind(f"cannot write {path}: {exc.strerror}", hint="choose another file") from exc


def _complain(error: OtklikError) -> None:
    typer.echo(f"otklik: {error}", err=True)
