"""Makes the clips of this folder and their manifest: `.venv/bin/python tests/data/amd/make.py`.

Speech is eSpeak NG's (the project's synthesiser) and, for some people, a clip of `people`;
tones and noise are computed here. Every clip goes through a telephone's band, gets noise, and is
stored in A-law at 8 kHz, as a line carries it. What is said stands in `scripts.py`.

eSpeak's pitch flutters by a state that nothing resets, so making the clips anew changes them by some
samples (and `bench amd` by perhaps a clip): make them only to change them.
"""

from __future__ import annotations

import asyncio
import csv
import sys
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent))

from pieces import V21, Clip, Mark, Music, Pause, Piece, Recorded, Say, Tones
from scripts import CLIPS

from bot.speech.settings import SpeechSettings
from bot.speech.sound import to_samples
from bot.speech.synthesiser import SynthesiserClient, spawned_synthesiser

RATE = 8000
FOLDER = Path(__file__).parent
PEOPLE = FOLDER / "people"
SPEECH_DBFS = -20.0
Wave = NDArray[np.float64]


def sine(hz: float, seconds: float, dbfs: float) -> Wave:
    """With 5 ms ramps."""
    count = round(seconds * RATE)
    wave = 10 ** (dbfs / 20) * np.sin(2 * np.pi * hz / RATE * np.arange(count))
    edge = np.linspace(0, 1, 40)
    wave[:40] *= edge
    wave[-40:] *= edge[::-1]
    return wave


def v21(seconds: float, noise: np.random.Generator) -> Wave:
    """Channel 2 of ITU-T V.21: 300 bit/s, 1650 Hz for 1 and 1850 Hz for 0; flags, then data."""
    flags = [0, 1, 1, 1, 1, 1, 1, 0] * round(seconds * 300 / 16)
    bits = np.array(flags + list(noise.integers(0, 2, round(seconds * 300) - len(flags))))
    hz = np.repeat(np.where(bits == 1, 1650.0, 1850.0), RATE // 300 + 1)[: round(seconds * RATE)]
    return 0.2 * np.sin(2 * np.pi * np.cumsum(hz) / RATE)


def music(seconds: float, noise: np.random.Generator) -> Wave:
    """Chords that change twice a second."""
    parts = []
    for _ in range(round(seconds * 2)):
        root = 220.0 * 2 ** (noise.integers(0, 12) / 12)
        parts.append(sum(sine(root * ratio, 0.5, -26.0) for ratio in (1, 1.25, 1.5, 2)))
    return np.concatenate(parts)


def noise_of(kind: str, count: int, noise: np.random.Generator) -> Wave:
    """With an RMS of 1."""
    white = noise.standard_normal(count)
    if kind == "white":
        wave = white
    elif kind == "pink":
        spectrum = np.fft.rfft(white)
        wave = np.fft.irfft(spectrum / np.sqrt(np.arange(1, len(spectrum) + 1)), count)
    elif kind == "hum":
        time = np.arange(count) / RATE
        wave = sum(np.sin(2 * np.pi * 50 * n * time) / n for n in (1, 3, 5, 7)) + 0.3 * white
    elif kind == "street":
        slow = np.interp(np.arange(count), np.arange(0, count + RATE, RATE // 2), _hills(count, noise))
        spectrum = np.fft.rfft(white)
        spectrum[np.fft.rfftfreq(count, 1 / RATE) > 900] *= 0.25
        wave = np.fft.irfft(spectrum, count) * slow
    else:
        raise ValueError(kind)
    return wave / np.sqrt(np.mean(wave**2))


def _hills(count: int, noise: np.random.Generator) -> Wave:
    return noise.uniform(0.3, 1.5, len(np.arange(0, count + RATE, RATE // 2)))


def telephone(wave: Wave) -> Wave:
    """300-3400 Hz (ITU-T G.712), by cutting the spectrum with slopes of 100 Hz."""
    spectrum = np.fft.rfft(wave)
    hz = np.fft.rfftfreq(len(wave), 1 / RATE)
    spectrum *= np.clip((hz - 200) / 100, 0, 1) * np.clip((3500 - hz) / 100, 0, 1)
    return np.fft.irfft(spectrum, len(wave))


class Studio:
    def __init__(self, synthesiser: SynthesiserClient) -> None:
        self._synthesiser = synthesiser
        self._takes: dict[tuple[str, str], Wave] = {}

    async def speech(self, text: str, voice: str, tempo: float) -> Wave:
        """One take a sentence: what a recording says twice is the same to the sample."""
        if (text, voice) not in self._takes:
            pcm = await self._synthesiser.speak(text, voice=voice, rate=RATE)
            self._takes[text, voice] = to_samples(pcm).astype(np.float64)
        take = self._takes[text, voice]
        return np.interp(np.arange(0, len(take) - 1, tempo), np.arange(len(take)), take)

    async def piece(self, piece: Piece, clip: Clip, noise: np.random.Generator) -> Wave:
        match piece:
            case Say(text=text):
                return await self.speech(text, clip.voice, clip.tempo)
            case Pause(seconds=seconds):
                return np.zeros(round(seconds * RATE))
            case Tones(parts=parts):
                return np.concatenate(
                    [sine(hz, s, clip.tone_dbfs) if hz else np.zeros(round(s * RATE)) for hz, s in parts]
                )
            case Music(seconds=seconds):
                return music(seconds, noise)
            case V21(seconds=seconds):
                return v21(seconds, noise)
            case Recorded(file=file):
                return np.asarray(soundfile.read(PEOPLE / file)[0], dtype=np.float64)
            case Mark():
                return np.zeros(0)

    async def make(self, clip: Clip, seed: int) -> tuple[Wave, dict[str, float]]:
        """The sound, and the times of the marks."""
        noise = np.random.default_rng(seed)
        parts: list[Wave] = []
        marks: dict[str, float] = {}
        for piece in clip.pieces:
            if isinstance(piece, Mark):
                marks[piece.name] = sum(map(len, parts)) / RATE
            parts.append(await self.piece(piece, clip, noise))
        wave = telephone(np.concatenate(parts)) * 10 ** (clip.gain_db / 20)
        level = 10 ** ((SPEECH_DBFS + clip.gain_db - clip.snr_db) / 20)
        return wave + level * noise_of(clip.noise, len(wave), noise), marks


async def main() -> None:
    rows = []
    async with spawned_synthesiser(SpeechSettings()) as synthesiser:
        studio = Studio(synthesiser)
        for seed, clip in enumerate(CLIPS):
            wave, marks = await studio.make(clip, seed)
            path = FOLDER / clip.part / f"{clip.name}.wav"
            path.parent.mkdir(exist_ok=True)
            soundfile.write(path, np.clip(wave, -1, 1), RATE, subtype="ALAW")
            answered = 0.0 if clip.answered == "start" else marks.get("answered", "")
            knowable = marks.get("knowable", len(wave) / RATE)
            rows.append(
                (
                    f"{clip.part}/{clip.name}.wav",
                    clip.answerer,
                    clip.part,
                    _time(answered),
                    _time(knowable),
                    clip.voice or "-",
                    f"{clip.noise} {clip.snr_db:g} dB",
                    clip.told,
                )
            )
    with (FOLDER / "manifest.tsv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(["file", "class", "part", "answered_s", "knowable_s", "voice", "noise", "what"])
        writer.writerows(rows)


def _time(seconds: float | str) -> str:
    return seconds if isinstance(seconds, str) else f"{seconds:.2f}"


if __name__ == "__main__":
    asyncio.run(main())
