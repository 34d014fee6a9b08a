"""Echo for the tests: speech-like sound, and how a far end gives it back."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tests.telephony import g711

Wave = NDArray[np.float64]
RATE = 8000

LOSSES_DB = (10.0, 20.0, 30.0)
DELAYS_S = (0.04, 0.12, 0.25)
NINE = [(loss, delay) for loss in LOSSES_DB for delay in DELAYS_S]
"""The return losses and delays under which echo control has to hold."""


def babble(seconds: float, rms_dbfs: float, *, seed: int, rate: int = RATE) -> Wave:
    """Noise with speech's long-term spectrum (falling above 500 Hz) and its syllables (4 a second)."""
    rng = np.random.default_rng(seed)
    count = round(seconds * rate)
    spectrum = np.fft.rfft(rng.standard_normal(count))
    hz = np.fft.rfftfreq(count, 1 / rate)
    wave = np.fft.irfft(spectrum * (hz > 100) / (1 + (hz / 500) ** 1.5), count)
    times = np.arange(count) / rate
    wave *= np.maximum(0.0, np.sin(2 * np.pi * 2 * times + rng.uniform(0, 6))) ** 0.5
    return wave * 10 ** (rms_dbfs / 20) / np.sqrt(np.mean(wave**2))


def given_back(sound: Wave, loss_db: float, delay_s: float, *, room: bool = False, rate: int = RATE) -> Wave:
    """What a far end returns: softer and later; `room` adds a decay of 40 ms. As long as `sound`."""
    path = np.ones(1)
    if room:
        decay = np.arange(round(0.04 * rate))
        path = np.exp(-decay / 80) * np.random.default_rng(5).standard_normal(len(decay)) * 0.35
        path[0] = 1.0
        path /= np.sqrt(np.sum(path**2))
    back = np.convolve(sound, path)[: len(sound)] * 10 ** (-loss_db / 20)
    return np.concatenate((np.zeros(round(delay_s * rate)), back))[: len(sound)]


def s16(wave: Wave) -> bytes:
    return np.clip(np.rint(wave * 32768), -32768, 32767).astype("<i2").tobytes()


def through_a_law(wave: Wave) -> Wave:
    heard = np.frombuffer(g711.decode("PCMA", g711.encode("PCMA", s16(wave))), "<i2")
    return heard / 32768.0


def dbfs(wave: Wave) -> float:
    return 10 * float(np.log10(np.mean(wave**2) + 1e-12))
