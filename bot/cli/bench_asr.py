"""`otklik bench asr`: how well a model hears, how fast, and what it takes."""

from __future__ import annotations

import asyncio
import json
import resource
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from bot.core.audio import Pcm
from bot.core.errors import BadInput
from bot.core.ports import Transcript
from bot.logs import configure_logs
from bot.settings import PROJECT
from bot.settings_load import load_settings
from bot.speech.asr_bench import (
    CONDITIONS,
    Heard,
    Item,
    by_voice,
    hear_all,
    read_set,
    rejected,
    telephone_noise,
)
from bot.speech.files import read_audio
from bot.speech.models import ensure_model
from bot.speech.recogniser import VoskRecogniser
from bot.speech.settings import SpeechSettings
from bot.speech.sound import to_pcm
from bot.speech.synthesiser import spawned_synthesiser
from bot.speech.transcribing import voiced
from bot.words import words
from telephony.tones import dtmf, hold_music, ringback, tone

SHIPPED = Path("tests/data/speech")
"""The set that comes with the project, below its folder."""
RATE = 8000
_SECONDS = 3.0


def asr(
    folder: Annotated[
        Path | None,
        typer.Option(
            "--set",
            help=words("Папка с manifest.tsv; без неё — из проекта", "A folder with manifest.tsv; else ours"),
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help=words("Вывод в JSON", "JSON output"))] = False,
    model: Annotated[str, typer.Option(help=words("Модель из otklik models list", "A model by name"))] = "",
) -> None:
    """Верно ли слышит модель: слова по голосам и помехам, незнакомые слова, шумы; скорость и память."""
    items = read_set(folder or PROJECT / SHIPPED)
    configure_logs("warning")
    settings = load_settings().speech_settings()
    name = model or settings.recogniser.model
    path = ensure_model(name, settings.models_dir, settings.var_dir)
    spoken = asyncio.run(_spoken(items, settings))
    before = _peak_mb()
    recogniser = VoskRecogniser(path, settings.recogniser)
    meter = _Meter(recogniser)
    try:
        heard = list(hear_all(items, lambda item: sound_of(item, spoken), meter.hear))
    finally:
        recogniser.close()
    found = {
        "model": name,
        "set": str(folder or SHIPPED),
        "words": {
            voice: {condition: share.share for condition, share in shares.items()}
            for voice, shares in by_voice(heard).items()
        },
        "unknown_rejected": rejected(heard, "unknown").share,
        "noise_rejected": rejected(heard, "noise").share,
        "rtf": round(meter.spent_s / max(meter.heard_s, 1e-9), 4),
        "memory_mb": round(_peak_mb() - before, 1),
        "wrong": [
            {"source": each.item.source, "voice": each.item.voice, "condition": each.condition,
             "text": each.item.text, "heard": each.text}
            for each in heard if _is_wrong(each)
        ],
    }  # fmt: skip
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=1))
    else:
        _show(found)


class _Meter:
    """Hears as a call does, and counts the seconds of sound and of a processor that the recogniser took: what
    else runs here does not count, and the voice activity is the line's own."""

    def __init__(self, recogniser: VoskRecogniser) -> None:
        self._recogniser = recogniser
        self.heard_s = 0.0
        self.spent_s = 0.0

    def hear(self, pcm: Pcm) -> Transcript:
        started = time.thread_time()
        transcript = self._recogniser.transcribe(pcm)
        self.spent_s += time.thread_time() - started
        self.heard_s += pcm.seconds
        return voiced(pcm, self._recogniser.settings.least_voice).believed(transcript)


async def _spoken(items: Sequence[Item], settings: SpeechSettings) -> dict[Item, Pcm]:
    """What the synthesiser says, ahead of the measurement. Raises SynthesiserUnavailable."""
    said = [item for item in items if item.source == "say"]
    if not said:
        return {}
    async with spawned_synthesiser(settings) as synthesiser:
        return {
            item: await synthesiser.speak(item.text, voice=item.voice, language="ru", rate=RATE)
            for item in said
        }


def sound_of(item: Item, spoken: Mapping[Item, Pcm]) -> Pcm:
    """Raises BadInput for a source that is not known, AudioInvalid for a file that is no sound."""
    kind, _, what = item.source.partition(":")
    match kind:
        case "say":
            return spoken[item]
        case "dtmf":
            return dtmf(what, RATE)
        case "tone":
            return tone(_SECONDS, RATE, hz=float(what))
        case "ringback":
            return ringback(_SECONDS, RATE)
        case "music":
            return hold_music(RATE)
        case "noise":
            power = 10 ** (float(what) / 20)
            return to_pcm(telephone_noise(round(_SECONDS * RATE), RATE, item.source) * power, RATE)
    if what:
        raise BadInput(
            words(f"источник «{item.source}» не известен", f"the source «{item.source}» is not known"),
            hint=words("файл, ", "a file, ") + "say, dtmf:, tone:, noise:, music, ringback",
        )
    return read_audio(item.folder / item.source)


def _is_wrong(heard: Heard) -> bool:
    return bool(heard.errors if heard.item.kind == "speech" else heard.known_words)


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _show(found: Mapping[str, Any]) -> None:
    table = Table(title=words("Верных слов", "Words heard rightly"))
    table.add_column(words("голос", "voice"))
    for condition in CONDITIONS:
        table.add_column(condition, justify="right")
    for voice, shares in found["words"].items():
        table.add_row(voice, *(f"{share:.1%}" for share in shares.values()))
    console = Console(highlight=False)
    console.print(table)
    console.print(
        words(
            f"Незнакомые слова не приняты за знакомые: {found['unknown_rejected']:.0%}. "
            f"Шумы не приняты за слова: {found['noise_rejected']:.0%}.\n"
            f"{found['model']}: доля реального времени {found['rtf']}, память {found['memory_mb']} МБ.",
            f"Unknown words not taken for known ones: {found['unknown_rejected']:.0%}. "
            f"Noise not taken for words: {found['noise_rejected']:.0%}.\n"
            f"{found['model']}: real-time factor {found['rtf']}, memory {found['memory_mb']} MB.",
        )
    )
