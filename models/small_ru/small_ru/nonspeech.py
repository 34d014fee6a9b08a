"""What a line carries that is no speech: tones, keys, music, knocks, breath, fax and modem. All of it is
taught to be silence, else a key is heard as «да»."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from small_ru.telephony import LINE, Sound, at_level, background, coded, coloured, in_band

PIECE_S = 6.0
_KEYS_LOW, _KEYS_HIGH = (697, 770, 852, 941), (1209, 1336, 1477, 1633)
_TONES = (350, 400, 425, 440, 480, 620, 950, 1000, 1400, 1800, 1100, 2100)

Maker = Callable[[np.random.Generator, int], Sound]


def pieces(seconds: float, seed: int) -> Iterator[Sound]:
    """So much of it, in pieces of PIECE_S, every kind in turn; as a line brings it."""
    rng = np.random.default_rng(seed)
    for index in range(round(seconds / PIECE_S)):
        yield piece(rng, _KINDS[index % len(_KINDS)])


def kind_of(index: int) -> str:
    """What the piece of this index is."""
    return _KINDS[index % len(_KINDS)].__name__


def piece(rng: np.random.Generator, kind: Maker) -> Sound:
    length = round(PIECE_S * LINE)
    sound = kind(rng, length)
    if np.any(sound):
        sound = at_level(sound, rng.uniform(-45, -12))
    sound = sound + rng.standard_normal(length) * 10 ** rng.uniform(-0.5, 2)
    if rng.random() < 0.6:
        sound = in_band(sound, rng.uniform(150, 320), 3600)
    return coded(sound, rng)


def tone(rng: np.random.Generator, length: int) -> Sound:
    hertz = rng.choice(_TONES) if rng.random() < 0.8 else rng.uniform(200, 3000)
    sound = np.sin(2 * np.pi * hertz * np.arange(length) / LINE)
    return sound * on_and_off(rng, length) if rng.random() < 0.7 else sound


def keys(rng: np.random.Generator, length: int) -> Sound:
    """DTMF, quick and slow."""
    sound = np.zeros(length)
    seconds = np.arange(length) / LINE
    start = 0
    while start < length:
        held = slice(start, min(length, start + round(LINE * rng.uniform(0.05, 0.4))))
        low, high = rng.choice(_KEYS_LOW), rng.choice(_KEYS_HIGH)
        sound[held] = np.sin(2 * np.pi * low * seconds[held])
        sound[held] += rng.uniform(0.5, 1.2) * np.sin(2 * np.pi * high * seconds[held])
        start = held.stop + round(LINE * rng.uniform(0.03, 2))
    return sound


def music(rng: np.random.Generator, length: int) -> Sound:
    """Notes of two or three voices, plucked or held, round or sharp."""
    sound = np.zeros(length)
    seconds = np.arange(length) / LINE
    start = 0
    while start < length:
        held = slice(start, min(length, start + round(LINE * rng.uniform(0.1, 0.6))))
        note = 220 * 2 ** (rng.integers(-5, 25) / 12)
        for factor in (1.0, rng.choice([1.25, 1.5, 1.2]), 2.0):
            wave = np.sin(2 * np.pi * note * factor * seconds[held])
            sound[held] += (np.sign(wave) if rng.random() < 0.4 else wave) * rng.uniform(0.3, 1)
        sound[held] *= np.exp(-(seconds[held] - seconds[start]) * rng.uniform(0, 6))
        start = held.stop
    return sound


def knocks(rng: np.random.Generator, length: int) -> Sound:
    sound = np.zeros(length)
    for _ in range(int(rng.integers(2, 20))):
        start = int(rng.integers(0, length - 900))
        burst = rng.standard_normal(800) * np.exp(-np.arange(800) / rng.uniform(10, 200))
        sound[start : start + 800] += burst * rng.uniform(0.3, 3)
    return sound


def breath(rng: np.random.Generator, length: int) -> Sound:
    """Wind and breath into a microphone: soft swells of coloured noise."""
    noise = coloured(rng, length, rng.uniform(0.3, 0.97))
    swell = np.convolve(on_and_off(rng, length), np.hanning(800) / 400, "same")
    return noise * swell


def siren(rng: np.random.Generator, length: int) -> Sound:
    seconds = np.arange(length) / LINE
    swing = rng.uniform(20, 400) * np.sin(2 * np.pi * rng.uniform(0.2, 6) * seconds)
    phase = 2 * np.pi * np.cumsum(rng.uniform(300, 1500) + swing) / LINE
    return np.sin(phase) * on_and_off(rng, length)


def noise(rng: np.random.Generator, length: int) -> Sound:
    sound = background(rng, length, ())
    return sound * on_and_off(rng, length) if rng.random() < 0.5 else sound


def fax(rng: np.random.Generator, length: int) -> Sound:
    """A fax machine or modem: its answer or calling tone, V.21 (ITU-T: 1650 and 1850 Hz, 300 bit/s), then a
    carrier of 1700 or 1800 Hz whose phase carries 1200 to 2400 symbols a second (V.27, V.29)."""
    seconds = np.arange(length) / LINE
    parts: list[Sound] = []
    while sum(map(len, parts)) < length:
        some = seconds[: round(LINE * rng.uniform(0.3, 2.5))]
        kind = rng.random()
        if kind < 0.25:
            parts.append(np.sin(2 * np.pi * rng.choice([1100, 2100]) * some))
        elif kind < 0.55:
            low, high = [(980, 1180), (1650, 1850)][int(rng.integers(2))]
            bits = np.repeat(rng.integers(0, 2, len(some) // 26 + 1), 27)[: len(some)]
            parts.append(np.sin(2 * np.pi * np.cumsum(np.where(bits, low, high)) / LINE))
        else:
            symbol = LINE / rng.choice([1200, 1600, 2400])
            turns = rng.integers(0, 8, int(len(some) / symbol) + 2) / 8
            phase = turns[(np.arange(len(some)) / symbol).astype(int)]
            carrier = np.sin(2 * np.pi * (rng.choice([1700, 1800]) * some + phase))
            parts.append(in_band(carrier, 500, 2900))
        parts.append(np.zeros(round(LINE * rng.uniform(0, 0.6))))
    return np.concatenate(parts)[:length]


def nothing(_rng: np.random.Generator, length: int) -> Sound:
    return np.zeros(length)


def on_and_off(rng: np.random.Generator, length: int) -> Sound:
    """1 and 0 by turns, as tones of exchanges come and go."""
    on, off = rng.uniform(0.05, 1.5), rng.uniform(0.05, 4)
    phase = rng.uniform(0, on + off)
    return np.asarray((np.arange(length) / LINE + phase) % (on + off) < on, dtype=np.float64)


_KINDS: tuple[Maker, ...] = (tone, keys, music, knocks, breath, siren, noise, fax, tone, music, fax, nothing)
