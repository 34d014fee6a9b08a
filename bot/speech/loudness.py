"""How loud a prompt is to an ear: programme loudness by ITU-R BS.1770-4, which is EBU R128's measure.

The filter that stands for the head and the ear is given there as two biquads at 48 kHz. A prompt is measured
offline, so its spectrum is weighed by their magnitude at each frequency: right at any rate, and numpy is
enough (pyloudnorm would bring SciPy, and filters only at the rates that it knows).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_DESIGN_RATE = 48000.0
_SHELF = ((1.53512485958697, -2.69169618940638, 1.19839281085285), (1.0, -1.69065929318241, 0.73248077421585))
_HIGH_PASS = ((1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621))
_OFFSET = -0.691
_BLOCK_S, _STEP_S = 0.4, 0.1
_ABSOLUTE_GATE = -70.0
_RELATIVE_GATE = -10.0


def loudness(samples: npt.NDArray[np.float32], rate: int) -> float:
    """LUFS of one channel; minus infinity for silence. What is shorter than a block of 0.4 s is one block
    of its own length."""
    weighted = _weighted(samples, rate)
    block, step = round(_BLOCK_S * rate), round(_STEP_S * rate)
    if not len(weighted):
        return -np.inf
    starts = range(0, max(len(weighted) - block, 0) + 1, step)
    powers = np.array([np.mean(weighted[start : start + block] ** 2) for start in starts])
    levels = _lufs(powers)
    loud = powers[levels > _ABSOLUTE_GATE]
    if not len(loud):
        return -np.inf
    gate = _lufs(np.array([loud.mean()]))[0] + _RELATIVE_GATE
    return float(_lufs(np.array([powers[(levels > _ABSOLUTE_GATE) & (levels > gate)].mean()]))[0])


def _weighted(samples: npt.NDArray[np.float32], rate: int) -> Floats:
    size = len(samples) + rate // 10  # what rings on at the end must not come round to the beginning
    spectrum = np.fft.rfft(samples.astype(np.float64), size)
    z = np.exp(-2j * np.pi * np.fft.rfftfreq(size, 1 / rate) / _DESIGN_RATE)
    for numerator, denominator in (_SHELF, _HIGH_PASS):
        spectrum *= np.abs(np.polyval(numerator[::-1], z) / np.polyval(denominator[::-1], z))
    return np.asarray(np.fft.irfft(spectrum, size)[: len(samples)])


def _lufs(powers: Floats) -> Floats:
    with np.errstate(divide="ignore"):
        return np.asarray(_OFFSET + 10 * np.log10(powers))
