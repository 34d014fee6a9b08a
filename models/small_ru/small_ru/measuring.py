"""What a model is tuned by and measured with: sets of sounds as the far end of a telephone has them."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

from small_ru.corpus import load
from small_ru.decoding import Heard, hear, taken_for_words, word_accuracy
from small_ru.nonspeech import kind_of, pieces
from small_ru.telephony import LINE, MEASURING, WIDE, Hardship, Sound, over_telephone

_RUN_OUT_S = 0.6
"""What a line brings after the last word: else the recogniser has to guess that it was the last."""

_NOISE_S, _NOISE_SEEDS = 3600.0, (11, 12)


@dataclass(frozen=True, slots=True)
class Trial:
    """Sounds of one kind; `said` are their words, empty where there are none."""

    said: tuple[str, ...]
    sounds: tuple[Sound, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """`accuracy` of words by trial; shares of sounds without a known word that were taken for one; the
    share of real time that a processor took."""

    accuracy: dict[str, float]
    unknown_taken: float
    nonspeech_taken: float
    rtf: float


def spoken(file: Path, *, known: bool, hardship: Hardship = MEASURING) -> Trial:
    """The sentences of a voice, each over a telephone line. The same file gives the same lines."""
    rng = np.random.default_rng(zlib.crc32(file.stem.encode()))
    said, sounds = [], []
    for one in load(file):
        if one.known == known:
            said.append(one.text)
            sounds.append(_received(one.sound, rng, hardship))
    return Trial(tuple(said), tuple(sounds))


def recorded(manifest: Path, lines: int) -> dict[str, Trial]:
    """The voices of a set for `otklik bench asr`, its files of speech alone, over so many lines."""
    found: dict[str, tuple[list[str], list[Sound]]] = {}
    rng = np.random.default_rng(77)
    for line in manifest.read_text(encoding="utf-8").splitlines():
        kind, _, rest = line.partition("\t")
        if kind != "speech" or rest.startswith("say\t"):
            continue
        source, voice, text = rest.split("\t")
        samples, rate = soundfile.read(manifest.parent / source, dtype="int16")
        wide = soxr.resample(samples, rate, WIDE)
        said, sounds = found.setdefault(voice, ([], []))
        for _ in range(lines):
            said.append(text)
            sounds.append(_received(wide, rng, MEASURING))
    return {voice: Trial(tuple(said), tuple(sounds)) for voice, (said, sounds) in found.items()}


def nonspeech(seconds: float, seed: int) -> Trial:
    sounds = tuple(pieces(seconds, seed))
    return Trial(("",) * len(sounds), sounds)


def write_noises(folder: Path) -> None:
    """A set for `otklik bench asr`: an hour of what is no speech, by two seeds that no rebuild draws from."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for seed in _NOISE_SEEDS:
        for index, sound in enumerate(pieces(_NOISE_S / len(_NOISE_SEEDS), seed)):
            name = f"{kind_of(index)}_{seed}_{index:03d}.wav"
            clipped = np.clip(sound, -32768, 32767).astype(np.int16)
            soundfile.write(folder / name, clipped, LINE, subtype="ALAW")
            lines.append(f"noise\t{name}\t\t\n")
    (folder / "manifest.tsv").write_text("".join(lines), encoding="utf-8")


def measure(model: Path, known: Mapping[str, Trial], unknown: Trial, silent: Trial) -> Result:
    """Blocking. All trials in one process of Vosk."""
    trials = [*known.values(), unknown, silent]
    said = [text for trial in trials for text in trial.said]
    hearing = hear(model, said, [sound for trial in trials for sound in trial.sounds])
    each = iter(hearing.each)
    parts = [[next(each) for _ in trial.said] for trial in trials]
    accuracy = {name: word_accuracy(part) for name, part in zip(known, parts, strict=False)}
    return Result(accuracy, taken_for_words(parts[-2]), taken_for_words(parts[-1]), hearing.rtf)


def accuracy_of(model: Path, trial: Trial) -> tuple[float, Sequence[Heard]]:
    """Of words, and what was heard of each sentence."""
    hearing = hear(model, trial.said, trial.sounds)
    return word_accuracy(hearing.each), hearing.each


def _received(sound: np.typing.NDArray[np.int16], rng: np.random.Generator, hardship: Hardship) -> Sound:
    heard = over_telephone(sound, rng, (), hardship).sound
    return np.concatenate([heard, 8 * rng.standard_normal(round(_RUN_OUT_S * LINE))])
