"""How well a model hears: words by voice and condition, what it makes of words that it does not know, and of
sounds that are none.

A set is a folder with a `manifest.tsv` (see tests/data/speech/README.md). Conditions are made here, always
the same: what an A-law line does, and telephone noise at so many decibels below the voice.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import soundfile

from bot.core.audio import Pcm
from bot.core.errors import BadInput, Place
from bot.core.ports import Transcript
from bot.speech.sound import Samples, band, to_pcm, to_samples
from bot.surveys.words import UNKNOWN
from bot.words import words as say

MANIFEST = "manifest.tsv"
Kind = Literal["speech", "unknown", "noise"]
CONDITIONS = ("clean", "alaw", "noise_20db", "noise_12db")

Hear = Callable[[Pcm], Transcript]
Sound = Callable[["Item"], Pcm]


@dataclass(frozen=True, slots=True)
class Item:
    """One sound of a set. `source` is a file below the folder, or what is to be made."""

    kind: Kind
    source: str
    voice: str
    text: str
    folder: Path

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(self.text.split())


@dataclass(frozen=True, slots=True)
class Heard:
    """What a model made of a sound in one condition."""

    item: Item
    condition: str
    text: str
    errors: int

    @property
    def known_words(self) -> tuple[str, ...]:
        return tuple(word for word in self.text.split() if word != UNKNOWN)


def read_set(folder: Path) -> tuple[Item, ...]:
    """Raises BadInput where the folder or a column is missing, or a kind is not known."""
    path = folder / MANIFEST
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            say(f"набор записей не читается: {error.strerror}", f"the set cannot be read: {error.strerror}")
            if isinstance(error, OSError)
            else say("набор записей не в UTF-8", "the set is not in UTF-8"),
            hint=say(
                f"нужна папка с {MANIFEST}, как tests/data/speech",
                f"a folder with {MANIFEST} is wanted, as tests/data/speech",
            ),
            place=Place(str(path)),
        ) from error
    numbered = ((number, line) for number, line in enumerate(lines, 1) if line and line[0] != "#")
    return tuple(_item(folder, line, Place(str(path), number)) for number, line in numbered)


def _item(folder: Path, line: str, place: Place) -> Item:
    columns = line.split("\t")
    if len(columns) != 4:
        raise BadInput(
            say(
                "нужны четыре столбца: вид, источник, голос, слова",
                "four columns are wanted: kind, source, voice, words",
            ),
            place=place,
        )
    kind, source, voice, text = columns
    for known in get_args(Kind):
        if kind == known:
            return Item(known, source, voice, text, folder)
    raise BadInput(
        say(f"вид «{kind}» не известен", f"the kind «{kind}» is not known"),
        hint=say("бывает: ", "known: ") + ", ".join(get_args(Kind)),
        place=place,
    )


def hear_all(items: Sequence[Item], sound: Sound, hear: Hear) -> Iterator[Heard]:
    """Speech in every condition, what is unknown or no speech as it is."""
    for item in items:
        pcm = sound(item)
        for condition in CONDITIONS if item.kind == "speech" else CONDITIONS[:1]:
            text = hear(in_condition(pcm, condition, item.source + item.text)).text
            yield Heard(item, condition, text, word_errors(item.words, tuple(text.split())))


def in_condition(pcm: Pcm, condition: str, seed: str) -> Pcm:
    """The sound as a line brings it. The noise of a `seed` is always the same."""
    if condition == "clean" or not pcm.data:
        return pcm
    if condition == "alaw":
        held = io.BytesIO()
        soundfile.write(held, to_samples(pcm), pcm.rate, format="WAV", subtype="ALAW")
        held.seek(0)
        return to_pcm(soundfile.read(held, dtype="float32")[0], pcm.rate)
    below_db = float(condition.removeprefix("noise_").removesuffix("db"))
    voice = to_samples(pcm)
    power = float(np.mean(voice[np.abs(voice) > np.abs(voice).max() / 30] ** 2))
    noise = telephone_noise(len(voice), pcm.rate, seed)
    return to_pcm(voice + noise * np.float32(np.sqrt(power / 10 ** (below_db / 10))), pcm.rate)


def telephone_noise(length: int, rate: int, seed: str) -> Samples:
    """Of power 1, in the band of a telephone."""
    rng = np.random.default_rng(zlib.crc32(seed.encode()))
    noise = band(rng.normal(0.0, 1.0, length).astype(np.float32), rate, 8000)
    return np.asarray(noise / np.sqrt(np.mean(noise**2)), dtype=np.float32)


def word_errors(said: Sequence[str], heard: Sequence[str]) -> int:
    """Words put in, left out and mistaken: the least that turn one into the other (Levenshtein)."""
    row = list(range(len(heard) + 1))
    for number, word in enumerate(said, 1):
        before, row[0] = row[0], number
        for place, other in enumerate(heard, 1):
            kept = before + (word != other)
            before = row[place]
            row[place] = min(kept, row[place] + 1, row[place - 1] + 1)
    return row[-1]


@dataclass(frozen=True, slots=True)
class Share:
    """So many of all; `share` is 1 where there are none to be wrong about."""

    good: int
    all: int

    @property
    def share(self) -> float:
        return round(self.good / self.all, 4) if self.all else 1.0


def accuracy(heard: Sequence[Heard]) -> Share:
    """Words that were heard rightly: 1 less the word error rate, and 0 where errors outnumber the words."""
    words = sum(len(each.item.words) for each in heard)
    return Share(max(words - sum(each.errors for each in heard), 0), words)


def by_voice(heard: Sequence[Heard]) -> dict[str, dict[str, Share]]:
    """Accuracy by voice, then by condition; `all` are all voices."""
    speech = [each for each in heard if each.item.kind == "speech"]
    voices = dict.fromkeys(each.item.voice for each in speech)
    groups = {voice: [each for each in speech if each.item.voice == voice] for voice in voices}
    return {
        voice: {
            condition: accuracy([each for each in those if each.condition == condition])
            for condition in CONDITIONS
        }
        for voice, those in {**groups, "all": speech}.items()
    }


def rejected(heard: Sequence[Heard], kind: Literal["unknown", "noise"]) -> Share:
    """Sounds of which no word was heard that the model knows."""
    those = [each for each in heard if each.item.kind == kind]
    return Share(sum(not each.known_words for each in those), len(those))
