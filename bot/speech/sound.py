"""Sound made fit for the line: its rate and band, no silence or click at the edges, one loudness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import soxr

from bot.core.audio import Pcm
from bot.speech.loudness import loudness

Samples = npt.NDArray[np.float32]

_NARROW, _WIDE = 8000, 16000
_BANDS = {_NARROW: (200.0, 3400.0), _WIDE: (50.0, 7000.0)}
_RINGS_S = 0.05
_FADE_S = 0.005

_BLOCK_S = 0.005
_SILENCE_BELOW_PEAK_DB = 45.0
_PEAK_LIMIT = 10 ** (-1 / 20)
"""Peaks stay 1 dB below full scale, for A-law and the far end's conversions."""


def to_pcm(samples: Samples, rate: int) -> Pcm:
    """Floats in -1..1 as s16le; what is beyond is cut off."""
    whole = np.round(np.clip(samples, -1.0, 32767 / 32768) * 32768)
    return Pcm(whole.astype("<i2").tobytes(), rate)


def to_samples(pcm: Pcm) -> Samples:
    return (np.frombuffer(pcm.data, dtype="<i2") / 32768.0).astype(np.float32)


def resample(samples: Samples, rate: int, wanted: int) -> Samples:
    """Offline, at high quality: its delay is taken out, unlike that of a stream."""
    if rate == wanted or not len(samples):
        return samples
    return np.asarray(soxr.resample(samples, rate, wanted, quality="HQ"), dtype=np.float32)


def trim(samples: Samples, rate: int, before_s: float = 0.0, after_s: float | None = None) -> Samples:
    """Without the silence around the sound, but for some seconds of it, behind it as many as before it unless
    they are told; nothing where all is silent."""
    levels = _block_rms(samples, rate)
    if not len(levels) or levels.max() <= 0:
        return samples[:0]
    loud = np.flatnonzero(levels > levels.max() * 10 ** (-_SILENCE_BELOW_PEAK_DB / 20))
    block, before = _block(rate), round(before_s * rate)
    after = before if after_s is None else round(after_s * rate)
    return samples[max(loud[0] * block - before, 0) : (loud[-1] + 1) * block + after]


def level(samples: Samples, rate: int, lufs: float) -> Samples:
    """With this programme loudness, or as near to it as the peaks allow."""
    now = loudness(samples, rate)
    if not np.isfinite(now):
        return samples
    gain = min(10 ** ((lufs - now) / 20), _PEAK_LIMIT / float(np.abs(samples).max()))
    return (samples * gain).astype(np.float32)


def band(samples: Samples, rate: int, line_rate: int) -> Samples:
    """Without what a line at `line_rate` cannot carry or only carries as a rumble: a telephone ends at
    3400 Hz and is weak below 200 (ITU-T G.712), a wideband line has 50 to 7000 (G.722). Phases stay."""
    low, high = _BANDS[_NARROW if line_rate <= _NARROW else _WIDE]
    if not len(samples):
        return samples
    size = len(samples) + round(_RINGS_S * rate)
    hertz = np.fft.rfftfreq(size, 1 / rate)
    up = np.clip((hertz - low * 0.5) / (low * 0.5), 0.0, 1.0)
    down = np.clip((high * 1.1 - hertz) / (high * 0.1), 0.0, 1.0)
    weight = np.sin(np.pi / 2 * up) ** 2 * np.sin(np.pi / 2 * down) ** 2
    kept = np.fft.irfft(np.fft.rfft(samples, size) * weight, size)
    return np.asarray(kept[: len(samples)], dtype=np.float32)


def fade(samples: Samples, rate: int) -> Samples:
    """Beginning and ending in silence, however an engine begins and ends: a step is heard as a click."""
    length = min(round(_FADE_S * rate), len(samples) // 2)
    if not length:
        return samples
    ramp = np.sin(np.pi / 2 * np.arange(length) / length) ** 2
    faded = samples.astype(np.float32)
    faded[:length] *= ramp
    faded[-length:] *= ramp[::-1]
    return faded


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a prompt, and the seconds of silence behind it."""

    samples: Samples
    rate: int
    silence_s: float = 0.0


def for_the_line(samples: Samples, rate: int, line_rate: int, *, edge_s: float, lufs: float) -> Pcm:
    """A prompt as it is played, whoever spoke it: the line's band and rate, one loudness, no clicks."""
    return joined([Part(samples, rate)], line_rate, edge_s=edge_s, lufs=lufs)


def joined(parts: Sequence[Part], line_rate: int, *, edge_s: float, lufs: float) -> Pcm:
    """Several pieces as one prompt (see `for_the_line`), with zeros between them, to the sample.

    Where they meet, the pieces lose their own silence, so that a pause is as long as it says. One in which
    nothing is heard is left out, and of the pauses around it the longer one stays.
    """
    heard: list[Part] = []
    for part in parts:
        samples = resample(part.samples, part.rate, line_rate)
        if len(trim(samples, line_rate)):
            heard.append(Part(samples, line_rate, part.silence_s))
        elif heard:
            before = heard[-1]
            heard[-1] = replace(before, silence_s=max(before.silence_s, part.silence_s))
    pieces: list[Samples] = []
    for number, part in enumerate(heard):
        first, last = number == 0, number == len(heard) - 1
        cut = trim(part.samples, line_rate, edge_s if first else 0.0, edge_s if last else 0.0)
        pieces.append(band(cut, line_rate, line_rate))
        pieces.append(np.zeros(0 if last else round(part.silence_s * line_rate), dtype=np.float32))
    if not pieces:
        return Pcm(b"", line_rate)
    even = level(np.concatenate(pieces), line_rate, lufs)
    ends = np.cumsum([len(piece) for piece in pieces])
    faded = [fade(piece, line_rate) for piece in np.split(even, ends[:-1])]
    return to_pcm(np.concatenate(faded), line_rate)


def _block(rate: int) -> int:
    return max(round(rate * _BLOCK_S), 1)


def _block_rms(samples: Samples, rate: int) -> npt.NDArray[np.float64]:
    block = _block(rate)
    whole = np.pad(samples, (0, -len(samples) % block)).reshape(-1, block).astype(np.float64)
    return np.asarray(np.sqrt(np.mean(whole**2, axis=1)))
