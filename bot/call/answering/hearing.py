"""From a line's frames to `Sound`: levels and spectrum, beside what the voice activity detector says."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bot.call.answering.evidence import BAND_EDGES_HZ, Peak, Sound
from bot.core.audio import Frame

_WINDOW_S = 0.04
"""Two frames: 25 Hz of resolution under a Hann window, enough to part the tones of telephony."""
_FFT_S = 0.128
"""Zero-padded to this, so that a peak is found within a few Hz."""
_PEAK_HALF_WIDTH_HZ = 60.0
"""The main lobe of a Hann window of 40 ms is 50 Hz to each side."""
_LOW_HZ, _HIGH_HZ = 200.0, 3600.0
"""The band of a telephone line, a little narrower than ITU-T G.712's 300-3400 Hz and its slopes."""
_FSK_HZ = (1500.0, 2000.0)
"""Around channel 2 of ITU-T V.21 (1650 and 1850 Hz at 300 bit/s), in which a called fax answers."""
_SILENT_DB = -120.0
_INAUDIBLE = 1e-7
"""-70 dBFS, as the mean square of a sample: far below any tone or voice that says something of the line."""
_NOTHING = 1e-12
_QUIET = (_SILENT_DB,) * (len(BAND_EDGES_HZ) - 1)


class Hearing:
    """One line's sound in numbers: frames go in one after another."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._size = round(_WINDOW_S * rate)
        self._window = np.hanning(self._size)
        self._padded = round(_FFT_S * rate)
        self._hz = np.fft.rfftfreq(self._padded, 1 / rate)
        self._line = (self._hz >= _LOW_HZ) & (self._hz <= _HIGH_HZ)
        self._fsk = (self._hz >= _FSK_HZ[0]) & (self._hz <= _FSK_HZ[1])
        self._edges = np.searchsorted(self._hz, BAND_EDGES_HZ)
        self._held = np.zeros(self._size)

    def hear(self, frame: Frame, probability: float) -> Sound:
        """`probability` is that of speech, by the voice activity detector.

        Raises ValueError for a frame at another rate.
        """
        if frame.rate != self._rate:
            raise ValueError(f"a frame at {frame.rate} Hz on a line at {self._rate} Hz")
        samples = np.frombuffer(frame.data, dtype="<i2").astype(np.float64) / 32768.0
        self._held = np.concatenate((self._held, samples))[-self._size :]
        voice = 0.0 if frame.concealed else probability
        level = _db(float(np.mean(samples**2))) if len(samples) else _SILENT_DB
        if float(self._held @ self._held) < _INAUDIBLE * self._size:
            return Sound(frame.at, voice, level, Peak(0.0, 0.0), _QUIET, echo_dbfs=frame.own_dbfs)
        power = np.abs(np.fft.rfft(self._held * self._window, self._padded)) ** 2
        heard = power * self._line
        total = float(heard.sum()) + _NOTHING
        bands = tuple(
            _db(float(power[low:high].sum()))
            for low, high in zip(self._edges[:-1], self._edges[1:], strict=True)
        )
        fsk = float(heard[self._fsk].sum()) / total
        return Sound(frame.at, voice, level, self._peak(heard, total), bands, fsk, frame.own_dbfs)

    def _peak(self, heard: NDArray[np.float64], total: float) -> Peak:
        top = int(heard.argmax())
        hz = float(self._hz[top])
        if 0 < top < len(heard) - 1:
            # A parabola through the logarithms of the peak and its neighbours: exact for a Gaussian lobe.
            left, middle, right = np.log(heard[top - 1 : top + 2] + 1e-30)
            bend = left - 2 * middle + right
            if bend < 0:
                hz += float(0.5 * (left - right) / bend * (self._hz[1] - self._hz[0]))
        near = np.abs(self._hz - hz) <= _PEAK_HALF_WIDTH_HZ
        return Peak(hz, float(heard[near].sum()) / total)


def _db(power: float) -> float:
    return max(10 * float(np.log10(power)), _SILENT_DB) if power > 0 else _SILENT_DB
