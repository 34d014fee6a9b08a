"""Sound made fit for the line: another rate, no silence at the edges, telephony's level."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import soxr

from bot.core.audio import Pcm

Samples = npt.NDArray[np.float32]

_BLOCK_S = 0.005
_SILENCE_BELOW_PEAK_DB = 45.0
_ACTIVE_BELOW_PEAK_DB = 30.0
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


def trim(samples: Samples, rate: int, keep_s: float) -> Samples:
    """Without the silence before and after the sound, but for `keep_s`; nothing where all is silent."""
    levels = _block_rms(samples, rate)
    if not len(levels) or levels.max() <= 0:
        return samples[:0]
    loud = np.flatnonzero(levels > levels.max() * 10 ** (-_SILENCE_BELOW_PEAK_DB / 20))
    block, keep = _block(rate), round(keep_s * rate)
    return samples[max(loud[0] * block - keep, 0) : (loud[-1] + 1) * block + keep]


def level(samples: Samples, rate: int, dbfs: float) -> Samples:
    """With the RMS of its voiced blocks at `dbfs`, or as near as its peaks allow."""
    levels = _block_rms(samples, rate)
    if not len(levels) or levels.max() <= 0:
        return samples
    gain = 10 ** ((dbfs - active_dbfs(samples, rate)) / 20)
    gain = min(gain, _PEAK_LIMIT / float(np.abs(samples).max()))
    return (samples * gain).astype(np.float32)


def active_dbfs(samples: Samples, rate: int) -> float:
    """RMS, in dB below full scale, of the blocks within 30 dB of the loudest one."""
    levels = _block_rms(samples, rate)
    active = levels[levels > levels.max() * 10 ** (-_ACTIVE_BELOW_PEAK_DB / 20)]
    return float(10 * np.log10(np.mean(active**2)))


def _block(rate: int) -> int:
    return max(round(rate * _BLOCK_S), 1)


def _block_rms(samples: Samples, rate: int) -> npt.NDArray[np.float64]:
    block = _block(rate)
    whole = np.pad(samples, (0, -len(samples) % block)).reshape(-1, block).astype(np.float64)
    return np.asarray(np.sqrt(np.mean(whole**2, axis=1)))
