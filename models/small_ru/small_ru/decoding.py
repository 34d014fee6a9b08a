"""A model is asked what it hears, and what it makes of it is counted."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bot.speech.asr_bench import word_errors
from small_ru.cepstra import LINE_RATE
from small_ru.corpus import save_arrays
from small_ru.graph import UNKNOWN
from small_ru.telephony import Sound


@dataclass(frozen=True, slots=True)
class Heard:
    """What was said, and what a model made of it."""

    said: str
    heard: str

    @property
    def errors(self) -> int:
        return word_errors(self.said.split(), self.heard.split())

    @property
    def takes_for_words(self) -> bool:
        return any(word != UNKNOWN for word in self.heard.split())


@dataclass(frozen=True, slots=True)
class Hearing:
    """All that a model heard; `rtf` is the share of real time that a processor took."""

    each: tuple[Heard, ...]
    rtf: float


def hear(model: Path, said: Sequence[str], sounds: Sequence[Sound]) -> Hearing:
    """Blocking. Sounds are at 8 kHz in the range of 16 bits. Raises RuntimeError where Vosk fails."""
    with tempfile.TemporaryDirectory(prefix="small-ru-") as folder:
        file = Path(folder) / "sounds.npz"
        write_sounds(file, sounds)
        command = [sys.executable, "-m", "small_ru.decode", str(model), str(file)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"Vosk cannot hear with {model}: {done.stderr.strip()[-400:]}")
    found = json.loads(done.stdout)
    seconds = sum(map(len, sounds)) / LINE_RATE
    pairs = zip(said, found["texts"], strict=True)
    return Hearing(tuple(Heard(text, heard) for text, heard in pairs), found["spent_s"] / max(seconds, 1e-9))


def word_accuracy(each: Sequence[Heard]) -> float:
    """1 less the word error rate, 0 where errors outnumber the words."""
    words = sum(len(one.said.split()) for one in each)
    return max(1 - sum(one.errors for one in each) / max(words, 1), 0.0)


def taken_for_words(each: Sequence[Heard]) -> float:
    """Share of sounds in which a word of the vocabulary was heard."""
    return sum(one.takes_for_words for one in each) / max(len(each), 1)


def write_sounds(file: Path, sounds: Sequence[Sound]) -> None:
    clipped = [np.clip(sound, -32768, 32767).astype("<i2") for sound in sounds]
    ends = np.cumsum([len(sound) for sound in clipped], dtype=np.int64)
    save_arrays(file, {"sounds": np.concatenate([*clipped, np.zeros(0, "<i2")]), "ends": ends})


def read_sounds(file: Path) -> Iterator[bytes]:
    with np.load(file) as parts:
        for sound in np.split(parts["sounds"], parts["ends"][:-1]):
            yield sound.astype("<i2").tobytes()
