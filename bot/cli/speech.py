"""`otklik transcribe`, `otklik say`: speech by hand, without a call."""

from __future__ import annotations

import asyncio
import errno
import json
import time
from pathlib import Path
from typing import Annotated

import typer

from bot.core.audio import Pcm
from bot.core.errors import AudioInvalid, BadInput, DiskFull, OtklikError
from bot.core.files import write_whole
from bot.logs import configure_logs
from bot.settings_load import load_settings
from bot.speech.files import read_audio
from bot.speech.models import ensure_model
from bot.speech.normalise import spoken_text
from bot.speech.prompts import encode
from bot.speech.recogniser import VoskRecogniser
from bot.speech.settings import SpeechSettings
from bot.speech.synthesiser import spawned_synthesiser
from bot.speech.transcribing import words_of
from bot.surveys.breaks import faults
from bot.surveys.schema import LANGUAGES
from bot.words import words

app = typer.Typer(no_args_is_help=True)


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
            heard = words_of(recogniser, pcm)
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


@app.command("say")
def say(
    text: Annotated[str, typer.Argument(help=words("Текст", "A text"))],
    output: Annotated[Path, typer.Option("--output", "-o", help=words("Файл WAV", "A WAV file"))],
    voice: Annotated[str, typer.Option(help=words("Голос: ru, ru+f3, …", "A voice: ru, ru+f3, …"))] = "",
    rate: Annotated[
        int, typer.Option(help=words("Частота, Гц", "Samples a second"), min=8000, max=16000)
    ] = 8000,
    language: Annotated[str, typer.Option(help=words("Язык текста: ru, en", "Its language: ru, en"))] = "ru",
    show_text: Annotated[
        bool,
        typer.Option("--text", help=words("Показать и текст, как он читается", "Print the text as read")),
    ] = False,
) -> None:
    """Произнести текст и записать его в файл — так, как его услышат в звонке.

    Пауза между словами: <break time="500ms"/>. Ударение: плюс перед гласной, зам+ок.
    """
    if language not in LANGUAGES:
        raise BadInput(
            words(f"на языке «{language}» Otklik не говорит", f"Otklik does not speak «{language}»"),
            hint=words("--language бывает ", "--language is one of ") + ", ".join(LANGUAGES),
        )
    if not any(letter.isalnum() for letter in text):
        raise BadInput(words("в тексте нечего произносить", "the text has nothing to be spoken"))
    for fault in faults(text):
        raise BadInput(f"{fault.near}: {fault.message}", hint=words("уберите её", "remove it"))
    pcm = asyncio.run(_say(_settings(), text, voice, language, rate))
    _write(output, encode(pcm))
    if show_text:
        typer.echo(spoken_text(text, language))
    typer.echo(f"{output}: {pcm.seconds:.2f} {words('с', 's')}", err=True)


def _settings() -> SpeechSettings:
    """The settings; and logs, from warnings up, go to stderr: stdout is the commands' own."""
    configure_logs("warning")
    return load_settings().speech_settings()


def _recogniser(settings: SpeechSettings, model: str) -> VoskRecogniser:
    path = ensure_model(model, settings.models_dir, settings.var_dir)
    return VoskRecogniser(path, settings.recogniser)


async def _say(settings: SpeechSettings, text: str, voice: str, language: str, rate: int) -> Pcm:
    async with spawned_synthesiser(settings) as synthesiser:
        return await synthesiser.speak(text, voice=voice, language=language, rate=rate)


def _write(path: Path, content: bytes) -> None:
    try:
        write_whole(path.absolute(), content, durable=False, mode=0o644)
    except OSError as exc:
        kind = DiskFull if exc.errno == errno.ENOSPC else AudioInvalid
        raise kind(
            words(f"{path} не записать: {exc.strerror}", f"cannot write {path}: {exc.strerror}"),
            hint=words("выберите другой файл", "choose another file"),
        ) from exc


def _complain(error: OtklikError) -> None:
    typer.echo(f"otklik: {error}", err=True)
