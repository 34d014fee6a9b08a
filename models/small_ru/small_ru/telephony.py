"""What happens to a voice on its way through a telephone, at random: throat, tempo, room, band, noise, codec.

Sound is in the range of 16 bits. The generator that is given decides everything, so a seed gives one sound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import soxr

Sound = npt.NDArray[np.float64]

WIDE, LINE = 16_000, 8_000
_FULL = 32768.0
_FRAME_S = 0.01
_A = 87.6
_MU = 255.0


@dataclass(frozen=True, slots=True)
class Hardship:
    """How hard a line is. Warping by a factor shifts pitch and formants together, as another throat does;
    the tempo goes with it."""

    warp: tuple[float, float]
    least_snr_db: float
    most_snr_db: float = 38.0


TRAINING = Hardship(warp=(0.78, 1.26), least_snr_db=4.0)
MEASURING = Hardship(warp=(1.0, 1.0), least_snr_db=12.0)
"""As the prototype of this model was measured: 12 to 38 dB, the voice as it is."""
NOISY = Hardship(warp=(1.0, 1.0), least_snr_db=11.0, most_snr_db=15.0)


@dataclass(frozen=True, slots=True)
class Received:
    """At 8 kHz. Moment t of what was said is heard at `lead_s + t / warp`."""

    sound: Sound
    warp: float
    lead_s: float

    def labels(self, said: npt.NDArray[np.int8], frames: int) -> npt.NDArray[np.int8]:
        """The labels of what was said, one for each 10 ms, as they come out of the telephone: later by the
        lead, faster by the warp, and 0 (silence) around them."""
        found = np.zeros(frames, np.int8)
        lead = round(self.lead_s / _FRAME_S)
        length = max(min(int(len(said) / self.warp), frames - lead), 0)
        places = np.round(np.arange(length) * self.warp + (self.warp - 1) / 2).astype(int)
        found[lead : lead + length] = said[np.clip(places, 0, len(said) - 1)]
        return found


def over_telephone(
    said: npt.NDArray[np.int16], rng: np.random.Generator, babble: Sequence[Sound], hardship: Hardship
) -> Received:
    """A sentence at 16 kHz as the far end hears it, with silence before and after. `babble` are voices at
    8 kHz that may talk in the background."""
    sound = said.astype(np.float64)
    warp = float(rng.uniform(*hardship.warp)) if rng.random() < 0.8 else 1.0
    if warp != 1.0:
        sound = soxr.resample(sound, WIDE * warp, WIDE)
    if hardship is TRAINING:
        sound = tilted(sound, rng)
    if rng.random() < 0.35:
        sound = in_a_room(sound, rng)
    lead = int(rng.integers(5, 40)) * _FRAME_S
    tail = int(rng.integers(8, 45)) * _FRAME_S
    silences = np.zeros(round(lead * LINE)), np.zeros(round(tail * LINE))
    sound = np.concatenate([silences[0], soxr.resample(sound, WIDE, LINE), silences[1]])
    if rng.random() < 0.75:
        sound = in_band(sound, rng.uniform(120, 320), rng.uniform(3100, 3750))
    sound = at_level(sound, rng.uniform(-38, -16))
    if rng.random() < 0.85:
        snr_db = rng.uniform(hardship.least_snr_db, hardship.most_snr_db)
        noise = background(rng, len(sound), babble)
        sound = sound + noise * rms(sound) / rms(noise) * 10 ** (-snr_db / 20)
    return Received(coded(sound, rng), warp, lead)


def coded(sound: Sound, rng: np.random.Generator) -> Sound:
    """Through G.711 or not, and now and then with frames of 20 ms that were lost."""
    sound = np.clip(sound, -_FULL, _FULL - 1)
    codec = rng.random()
    sound = a_law(sound) if codec < 0.6 else mu_law(sound) if codec < 0.75 else np.round(sound)
    if rng.random() < 0.06:
        frame = LINE // 50
        for start in range(0, len(sound), frame):
            if rng.random() < 0.03:
                sound[start : start + frame] = 0
    return sound


def a_law(sound: Sound) -> Sound:
    """Coded by G.711 A-law and decoded, by its formula: 7 bits of the companded value and the sign."""
    size = np.minimum(np.abs(sound) / _FULL, 1.0)
    edge, scale = 1 / _A, 1 + np.log(_A)
    companded = np.where(size < edge, _A * size, 1 + np.log(np.maximum(_A * size, 1.0))) / scale
    step = (np.floor(companded * 127.999) + 0.5) / 128
    back = np.where(step < 1 / scale, step * scale / _A, np.exp(step * scale - 1) / _A)
    return np.asarray(np.sign(sound) * back * _FULL, dtype=np.float64)


def mu_law(sound: Sound) -> Sound:
    """The same by G.711 µ-law."""
    size = np.minimum(np.abs(sound) / _FULL, 1.0)
    step = np.round(np.log1p(_MU * size) / np.log1p(_MU) * 127) / 127
    back = np.expm1(step * np.log1p(_MU)) / _MU
    return np.asarray(np.sign(sound) * back * _FULL, dtype=np.float64)


def tilted(sound: Sound, rng: np.random.Generator) -> Sound:
    """Another spectrum, gently: a slope and two broad humps or dips, as of another throat or microphone."""
    hertz = np.fft.rfftfreq(len(sound), 1 / WIDE)
    decibels = rng.uniform(-5, 5) * np.log2(np.maximum(hertz, 100) / 1000)
    for _ in range(2):
        centre, width = rng.uniform(300, 3500), rng.uniform(200, 900)
        decibels += rng.uniform(-7, 7) * np.exp(-(((hertz - centre) / width) ** 2) / 2)
    return np.fft.irfft(np.fft.rfft(sound) * 10 ** (decibels / 20), len(sound))


def in_a_room(sound: Sound, rng: np.random.Generator) -> Sound:
    """With the echoes of a room that die away in 80 to 350 ms."""
    length = int(WIDE * rng.uniform(0.08, 0.35))
    echoes = rng.standard_normal(length) * np.exp(-6.9 * np.arange(length) / length)
    echoes *= rng.uniform(0.04, 0.5) / np.sqrt(np.sum(echoes**2))
    echoes[0] = 1.0
    return convolved(sound, echoes)


def in_band(sound: Sound, low_hz: float, high_hz: float) -> Sound:
    """Between two frequencies; beyond them it falls as a filter of third order does."""
    hertz = np.fft.rfftfreq(len(sound), 1 / LINE)
    below = 1 / np.sqrt(1 + (low_hz / np.maximum(hertz, 1.0)) ** 6)
    above = 1 / np.sqrt(1 + (hertz / high_hz) ** 12)
    return np.fft.irfft(np.fft.rfft(sound) * below * above, len(sound))


def background(rng: np.random.Generator, length: int, babble: Sequence[Sound]) -> Sound:
    """Noise of a random kind: white, red, hum, or a room full of voices."""
    kind = int(rng.integers(5)) if babble else int(rng.integers(4))
    if kind == 3:
        seconds = np.arange(length) / LINE
        hum = rng.choice([50, 60, 100, 400])
        tones = np.sin(2 * np.pi * hum * seconds) + 0.3 * np.sin(6 * np.pi * hum * seconds)
        return np.asarray(tones + 0.4 * rng.standard_normal(length), dtype=np.float64)
    if kind < 3:
        return coloured(rng, length, (0.0, 0.97, 0.8)[kind])
    voices = np.zeros(length)
    for _ in range(int(rng.integers(3, 7))):
        voice = babble[int(rng.integers(len(babble)))]
        long = np.tile(voice, length // len(voice) + 1)
        voices += np.roll(long, int(rng.integers(len(voice))))[:length] * rng.uniform(0.4, 1.0)
    return voices


def coloured(rng: np.random.Generator, length: int, pole: float) -> Sound:
    """Noise whose spectrum is that of x[t] = pole * x[t - 1] + white."""
    turns = np.fft.rfftfreq(length)
    shape = 1 / np.abs(1 - pole * np.exp(-2j * np.pi * turns))
    return np.fft.irfft(np.fft.rfft(rng.standard_normal(length)) * shape, length)


def convolved(sound: Sound, response: Sound) -> Sound:
    length = len(sound) + len(response) - 1
    return np.fft.irfft(np.fft.rfft(sound, length) * np.fft.rfft(response, length), length)


def at_level(sound: Sound, dbfs: float) -> Sound:
    return sound / rms(sound) * _FULL * 10 ** (dbfs / 20)


def rms(sound: Sound) -> float:
    return float(np.sqrt(np.mean(sound**2) + 1e-9))
