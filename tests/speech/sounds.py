"""Sound for the tests of speech: the recorded sentences, and frames of what a test needs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from bot.core.audio import FRAME_S, Frame, Pcm, frame_bytes, silence
from bot.speech.sound import resample, to_pcm, to_samples

PROJECT = Path(__file__).parents[2]
MODELS = PROJECT / "models"
AUDIO = PROJECT / "tests" / "data" / "audio" / "ru"


@dataclass(frozen=True, slots=True)
class Clip:
    path: Path
    voice: str
    intent: str
    value: str
    text: str

    @property
    def name(self) -> str:
        return self.path.stem


def clips() -> list[Clip]:
    lines = (AUDIO / "manifest.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return [Clip(AUDIO / file, *rest) for file, *rest in rows]


def clip(name: str) -> Clip:
    return next(found for found in clips() if found.name == name)


def sound_of(path: Path, rate: int = 8000) -> Pcm:
    samples, found = soundfile.read(path, dtype="float32")
    return to_pcm(resample(samples, found, rate), rate)


def around(pcm: Pcm, before_s: float, after_s: float) -> Pcm:
    """The sound with silence before and after it."""
    return Pcm(silence(before_s, pcm.rate).data + pcm.data + silence(after_s, pcm.rate).data, pcm.rate)


def with_noise(pcm: Pcm, dbfs: float, seed: int = 7) -> Pcm:
    noise = np.random.default_rng(seed).normal(0.0, 10 ** (dbfs / 20), len(pcm.data) // 2)
    return to_pcm((to_samples(pcm) + noise).astype(np.float32), pcm.rate)


def cough(rate: int = 8000) -> Pcm:
    """A cough as its parts are described: an explosive burst, a turbulent phase that dies away, and a
    second, softer one; noise through the throat's resonances, as loud as speech."""
    rng = np.random.default_rng(11)

    def burst(seconds: float, decay_s: float, level: float) -> np.ndarray:
        time_s = np.arange(round(seconds * rate)) / rate
        noise = rng.normal(0.0, 1.0, time_s.size)
        throat = sum(
            np.exp(-time_s[:80] * 400) * np.sin(2 * np.pi * hz * time_s[:80]) for hz in (450, 1100, 2300)
        )
        shaped = np.convolve(noise, throat)[: time_s.size]
        envelope = np.minimum(time_s / 0.004, 1.0) * np.exp(-time_s / decay_s)
        return level * envelope * shaped / np.abs(shaped).max()

    parts = (burst(0.28, 0.07, 0.6), np.zeros(round(0.12 * rate)), burst(0.22, 0.06, 0.35))
    return to_pcm(np.concatenate(parts).astype(np.float32), rate)


def frames(pcm: Pcm, at: float = 0.0, *, conceal_after: float = math.inf) -> Iterator[Frame]:
    """20 ms frames; from `conceal_after` on they stand in for what did not arrive."""
    size = frame_bytes(pcm.rate)
    for index in range(len(pcm.data) // size):
        begin = round(at + index * FRAME_S, 6)
        if begin >= conceal_after:
            yield Frame(bytes(size), pcm.rate, begin, concealed=True)
        else:
            yield Frame(pcm.data[index * size : (index + 1) * size], pcm.rate, begin)


def voiced_span(pcm: Pcm, dbfs: float = -45.0) -> tuple[float, float]:
    """Seconds of the first and last 10 ms above a level: the definition that reply gaps use."""
    block = pcm.rate // 100
    samples = to_samples(pcm)[: len(pcm.data) // 2 // block * block].reshape(-1, block)
    levels = np.sqrt(np.mean(samples.astype(np.float64) ** 2, axis=1))
    loud = np.flatnonzero(levels > 10 ** (dbfs / 20))
    return float(loud[0]) * 0.01, float(loud[-1] + 1) * 0.01


def tone_frame(at: float, level: float = 0.1, rate: int = 8000) -> Frame:
    samples = level * np.sin(2 * np.pi * 440 * np.arange(frame_bytes(rate) // 2) / rate)
    return Frame(to_pcm(samples.astype(np.float32), rate).data, rate, at)


def silent_frame(at: float, rate: int = 8000, *, concealed: bool = False) -> Frame:
    return Frame(bytes(frame_bytes(rate)), rate, at, concealed)


def spoken(pattern: Iterable[bool], at: float = 0.0) -> Iterator[tuple[Frame, float]]:
    """Frames and their voice probability: a tone where the pattern is True, silence elsewhere."""
    for index, voiced in enumerate(pattern):
        begin = round(at + index * FRAME_S, 6)
        yield (tone_frame(begin), 0.95) if voiced else (silent_frame(begin), 0.01)
