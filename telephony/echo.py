"""Echo control on a line: our own sound, as the far end returns it, is taken out of what we hear.

The far sound is known to the sample, so an adaptive filter learns how it comes back (delay, level,
colour) and subtracts it: a partitioned-block frequency-domain Kalman filter (Enzner and Vary, "Frequency-
domain adaptive Kalman filter for acoustic echo control in hands-free telephones", Signal Processing
86/6, 2006; partitions: Kuech, Mabande and Enzner, ICASSP 2014). It keeps the variance of every coefficient,
which gives two things for free: a step that shrinks by itself while both talk, so that no double-talk
detector is needed, and the power of the echo that may still be left, which the post-filter takes away
and `Frame.own_dbfs` reports.

Where nothing of ours can be coming back, frames pass untouched, bit by bit, and cost next to nothing: after
half a second in which we said nothing; while a line is silent, or about as soft as its noise, that has not
answered our voice for a second; and after a prompt during which it stayed so.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from bot.core.audio import FRAME_S, Frame, frame_bytes
from telephony.linenoise import LineNoise

TAIL_S = 0.5
"""Echo that is older than this is not recognised: 250 ms of a slow network there and back, the jitter
buffers of both sides (40 to 120 ms each) and the 40 ms that the intake may hold."""

_PRIOR = 3.0
"""Variance of the unknown echo path before anything was learnt, as power gain over the whole tail. Measured:
1 lets the first syllables of an echo at 10 dB through, 10 takes words out of a caller's mouth."""
_KEEP = 0.999
"""What stays of a coefficient from frame to frame: paths drift within ~20 s (and the prior returns)."""
_NEAR_WEIGHT = 0.2
"""Weight of the newest frame in the spectrum of the near end."""
_OVER = 3.0
"""How many times the expected residual power the post-filter takes away: speech is peaky."""
_MODEL_ERROR = 0.25
"""Share of the modelled echo's power that may be left all the same: codecs and small loudspeakers are not
linear, and a sentence teaches the filter only the sounds that it has (measured: 10 to 15 dB of the 30)."""
_FADE = 0.5
"""Least share of the residual of the frame before: reverberation ends no faster."""
_LEFT_WEIGHT = 0.03
"""Weight of the newest frame in what is left of the echo, relative to what the variance says: ~0.7 s."""
_LEFT_MOST = 2.0
"""A frame counts for so many times of what was left before at most: a voice looks like echo, too."""
_LEFT_MARGIN = 6.0
"""Echo that is left comes and goes by so much around its mean (8 dB)."""
_LEFT_PRIOR = 1e-3
"""The echo that nothing is known of yet weighs as a frame at -30 dBFS does."""
_BANDS = 16
"""In so many bands of the spectrum the echo that is left is looked at apart."""
_FLOOR = 10 ** (-25 / 20)
"""Least gain of the post-filter."""
_VARIANCE_FLOOR = 1e-7
"""A path that was found silent can still be found again."""
_CONSTRAINED = 5
"""Partitions whose coefficients are made causal again each frame, in turn: all would cost five times that."""
_SLIP = 3
"""Frames by which echo moves at once where a network or a machine stumbles."""
_FIT_WEIGHT = 0.1
"""Weight of the newest frame in the fit of the modelled echo: ~0.2 s."""
_FIT_LOST = 0.3
"""A model whose sound is found in the line with less than this share has lost the path (it was shifted)."""
_FIT_LOUDEST = 10.0
"""Above so many times the modelled echo's power the near end talks, and the fit says nothing."""

_BELIEVED = 50
"""Frames in a row of silence, while echo was to be expected, after which a line returns none."""
_BELIEVED_AGAIN = 30
"""The same for a line that had returned none before somebody spoke there: more than the whole tail."""
_UNANSWERED = 26
"""In so many of them it was, at the least: what is expected of the end of one sentence and of the beginning
of the next, beside the path that was learnt, is the tail together, 25."""

_DOUBT = 3e-4
"""So much echo (-35 dBFS) is thought possible on such a line all the same. Measured with an echo that begins
after four silent seconds, and with voices over a prompt: 1e-3 takes the words of a voice at -38 dBFS,
1e-4 does not learn an echo of 10 dB loss within four seconds."""

_HANN_POWER = 0.375
"""Share of a steady sound's power that a Hann window leaves."""
_AUDIBLE = 1e-6
"""-60 dBFS, as the mean square of a sample."""
_INAUDIBLE = 1e-7
"""-70 dBFS, likewise."""
_ABOVE_NOISE = 4.0
"""Sound of less than so many times the power of the line's noise is that noise: of its frames the noise is
the softest one, and those of a steady noise differ by 3 dB."""
_NO_VOICE = 10**-4.5
"""-45 dBFS, likewise: what is softer is no voice, as everywhere, and what is louder is looked at in any
noise."""
_QUIET = 1e-12

_SCALE = np.float32(1 / 32768)

Floats = NDArray[np.float32]
Spectrum = NDArray[np.complexfloating]


class EchoControl:
    """One line's echo control at `rate`. Pure; state of ~60 kB at 8 kHz."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._block = frame_bytes(rate) // 2
        self._parts = round(TAIL_S / FRAME_S)
        bins = self._block + 1
        shape = (self._parts, bins)
        self._far = np.zeros(shape, np.complex64)  # spectra of what was sent, newest first
        self._far_power = np.zeros(shape, np.float32)
        self._path = np.zeros(shape, np.complex64)
        self._variance = np.full(shape, _PRIOR / self._parts, np.float32)
        self._near_power = np.full(bins, 1e-2, np.float32)
        self._residual = np.zeros(bins, np.float32)
        self._gain = np.ones(bins, np.complex64)
        self._last_sent = np.zeros(self._block, np.float32)
        self._last_clean = np.zeros(self._block, np.float32)
        self._before: Spectrum | None = None  # the spectrum of zeros and that block, where known
        self._turned = np.where(np.arange(bins) % 2, -1, 1).astype(np.float32)
        self._untouched: bytes | None = None  # the last frame, where it passed as it was
        self._nothing = bytes(frame_bytes(rate))
        self._fade_in = np.linspace(0, 1, self._block, endpoint=False, dtype=np.float32)
        self._turn = 0
        self._silent_for = self._parts + 1  # frames since we sent a sound
        self._slipped = False
        self._noise = LineNoise()
        self._convincing = _BELIEVED
        self._quiet_for = 0  # frames in a row without a sound on the line
        self._unanswered = 0  # those of them in which echo was to be expected
        self._returns_none = False
        self._later: deque[bytes] = deque(maxlen=self._parts + 1)  # sent, and not needed yet
        self._bands = np.arange(0, bins, max(bins // _BANDS, 1))
        self._widths = np.diff(np.append(self._bands, bins))
        # Echo that is left, by band: as heard, and as the variance says.
        self._left_heard = _LEFT_PRIOR * 2 * self._block * self._widths.astype(np.float32)
        self._left_expected = self._left_heard.copy()
        self._fit_cross = self._fit_model = self._fit_clean = 0.0

    def process(self, frame: Frame, sent: bytes) -> Frame:
        """`frame` without our echo. `sent` is what the line played in that time (to within 40 ms)."""
        self._silent_for = self._silent_for + 1 if sent == self._nothing else 0
        if self._silent_for > self._parts:
            self._untouched = frame.data
            self._quiet_for = self._unanswered = 0
            if not frame.concealed:
                self._noise.hear(_sample_power(_floats(frame.data)))
            return frame
        if self._untouched is not None:
            self._last_clean, self._before, self._untouched = _floats(self._untouched), None, None
        near = _floats(frame.data)
        silence = max(_INAUDIBLE, min(_ABOVE_NOISE * self._noise.power, _NO_VOICE))
        quiet = _sample_power(near) < silence
        self._later.append(sent)
        if frame.concealed:
            self.slipped()
        # Once we have fallen silent, a line that returned nothing so far returns nothing more either.
        if frame.concealed or (self._returns_none and (quiet or self._silent_for)):
            self._last_clean, self._before = near, None
            return frame
        while self._later:
            self._push(_floats(self._later.popleft()))
        if self._slipped:
            self._spread()
        clean, own_power = self._clean(near, quiet, max(silence, _AUDIBLE))
        own_dbfs = 10 * float(np.log10(own_power + _QUIET))
        data = np.clip(np.rint(clean * 32768), -32768, 32767).astype("<i2").tobytes()
        return Frame(data, frame.rate, frame.at, own_dbfs=round(max(own_dbfs, -120.0), 1))

    def slipped(self) -> None:
        """Frames were lost, or dropped to catch up: echo may come sooner or later from now on."""
        self._slipped = True

    def _spread(self) -> None:
        """The echo may have moved by some partitions: expect it there as well, as loud as it was."""
        self._slipped = False
        power = _power(self._path)
        for shift in range(1, _SLIP + 1):
            np.maximum(self._variance[shift:], power[:-shift], out=self._variance[shift:])
            np.maximum(self._variance[:-shift], power[shift:], out=self._variance[:-shift])
        self._left_heard = self._left_expected.copy()

    def _push(self, sent: Floats) -> None:
        self._far[1:] = self._far[:-1]
        self._far[0] = np.fft.rfft(np.concatenate((self._last_sent, sent)))
        self._far_power[1:] = self._far_power[:-1]
        self._far_power[0] = _power(self._far[0])
        self._last_sent = sent

    def _clean(self, near: Floats, quiet: bool, audible: float) -> tuple[Floats, float]:
        """The near end alone, and the power per sample of the echo that may be left in it. Echo of less
        power than `audible` would not be heard on this line."""
        modelled = (self._path * self._far).sum(axis=0)
        unsure: Floats = (self._variance * self._far_power).sum(axis=0)
        self._believe(quiet, _mean_power(unsure + _power(modelled)), audible)
        model = np.fft.irfft(modelled)[self._block :].astype(np.float32, copy=False)
        error = near - model
        heard, spectrum = self._learn(error, unsure)
        self._check_variance(heard, unsure)
        self._check_fit(near, model, error)
        share = np.minimum(1, _LEFT_MARGIN * self._left_heard / self._left_expected).repeat(self._widths)
        return self._post_filter(error, spectrum, share * unsure + _MODEL_ERROR * _power(modelled))

    def _believe(self, quiet: bool, expected: float, audible: float) -> None:
        """A line that stays silent while echo of this power is expected has none. The filter alone would
        take ten times as long: each frame tells it of one of the partitions. A silence in which none is
        expected tells nothing: the echo of a last word may be behind it."""
        if not quiet:
            self._quiet_for = self._unanswered = 0
            self._returns_none = False
            return
        self._quiet_for += 1
        if expected < audible:
            return
        self._unanswered += 1
        if self._quiet_for >= self._convincing and self._unanswered >= _UNANSWERED:
            self._returns_none, self._convincing = True, _BELIEVED_AGAIN
            doubt = min(1.0, _DOUBT / expected)
            self._path[:] = 0
            self._variance *= doubt
            self._left_expected *= doubt
            quietest = self._left_expected * np.float32(_INAUDIBLE / (doubt * expected))
            np.minimum(self._left_heard, quietest, out=self._left_heard)

    def _learn(self, error: Floats, unsure: Floats) -> tuple[Floats, Spectrum]:
        """One step of the filter; the power of the error by frequency, and its spectrum."""
        spectrum = np.fft.rfft(np.concatenate((np.zeros(self._block, np.float32), error)))
        error_power = _power(spectrum)
        self._near_power += _NEAR_WEIGHT * (error_power - self._near_power)
        step = self._variance / (unsure + 2 * self._near_power + 1e-6)
        self._path += step * (self._far.conj() * spectrum)
        self._path *= _KEEP
        rows = np.arange(self._turn, self._turn + _CONSTRAINED) % self._parts
        self._turn = (self._turn + _CONSTRAINED) % self._parts
        response = np.fft.irfft(self._path[rows], axis=1)
        response[:, self._block :] = 0
        self._path[rows] = np.fft.rfft(response, axis=1)
        learnt = np.maximum(1 - 0.5 * step * self._far_power, 0)
        self._variance *= _KEEP**2 * learnt
        self._variance += (1 - _KEEP**2) * _power(self._path)
        np.maximum(self._variance, _VARIANCE_FLOOR, out=self._variance)
        return error_power, spectrum

    def _check_fit(self, near: Floats, model: Floats, error: Floats) -> None:
        """A path that was shifted (a jitter buffer moved) is unlearnt, but not its level."""
        self._fit_cross += _FIT_WEIGHT * (float(near @ model) - self._fit_cross)
        self._fit_model += _FIT_WEIGHT * (float(model @ model) - self._fit_model)
        self._fit_clean += _FIT_WEIGHT * (float(error @ error) - self._fit_clean)
        if (
            self._fit_model > _AUDIBLE * self._block
            and self._fit_clean < _FIT_LOUDEST * self._fit_model
            and self._fit_cross < _FIT_LOST * self._fit_model
        ):
            gain = _power(self._path).sum(axis=0)
            self._variance[:] = np.maximum(self._variance, _PRIOR * gain / self._parts)
            self._path[:] = 0
            self._left_heard = self._left_expected.copy()
            self._fit_cross = self._fit_model = self._fit_clean = 0.0

    def _check_variance(self, heard: Floats, unsure: Floats) -> None:
        """Each frame tells of one of the partitions at most, so the variance of all of them shrinks in
        seconds, while the echo is often gone within half of one: go by what is heard, band by band (one
        voice teaches nothing about the bass of another)."""
        expected = np.add.reduceat(unsure, self._bands)
        most = _LEFT_MOST * self._left_heard / self._left_expected * expected
        # The error fills one block of the two that `unsure` is of.
        left = np.minimum(2 * np.add.reduceat(heard, self._bands), most)
        self._left_heard += _LEFT_WEIGHT * (left - self._left_heard)
        self._left_expected += _LEFT_WEIGHT * (expected - self._left_expected)

    def _post_filter(self, error: Floats, spectrum: Spectrum, left: Floats) -> tuple[Floats, float]:
        """`spectrum` is that of the error behind a block of zeros, `left` the expected power of the residual
        echo in two blocks, by frequency."""
        if self._before is None:
            self._before = np.fft.rfft(np.concatenate((np.zeros(self._block, np.float32), self._last_clean)))
        # The block before the error: the same shifted by half of the length, which turns every other bin.
        both = spectrum + self._turned * self._before
        self._before = spectrum
        heard = _power(_hann(both)) + _QUIET
        left = self._residual = np.maximum(_HANN_POWER * left, _FADE * self._residual)
        gain = np.sqrt(np.maximum(1 - _OVER * left / heard, 0)).astype(np.float32)
        gain = np.maximum(gain, _FLOOR)
        own_power = _mean_power(left * gain**2) / _HANN_POWER
        shape, before = _minimum_phase(gain), self._gain
        self._gain = shape
        old, new = np.fft.irfft(np.stack((both * before, both * shape)))[:, self._block :]
        return (old + self._fade_in * (new - old)).astype(np.float32), own_power


def _floats(data: bytes) -> Floats:
    samples: Floats = np.multiply(np.frombuffer(data, "<i2"), _SCALE)
    return samples


def _sample_power(samples: Floats) -> float:
    """Mean square of a sample."""
    return float(samples @ samples) / len(samples)


def _power(spectrum: Spectrum) -> Floats:
    power: Floats = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
    return power


def _mean_power(power: Floats) -> float:
    """Mean square of the samples of which this is the power spectrum (Parseval)."""
    return 2 * float(power.sum()) / (2 * (len(power) - 1)) ** 2


def _hann(spectrum: Spectrum) -> Spectrum:
    """The spectrum of the same samples under a Hann window: a convolution with (-1/4, 1/2, -1/4)."""
    around = np.concatenate((spectrum[1:2].conj(), spectrum, spectrum[-2:-1].conj()))
    return 0.5 * spectrum - 0.25 * (around[:-2] + around[2:])


def _minimum_phase(gain: Floats) -> Spectrum:
    """The filter with this gain a bin that delays nothing (by the cepstrum: Oppenheim and Schafer, 13)."""
    cepstrum = np.fft.irfft(np.log(gain))
    half = len(cepstrum) // 2
    cepstrum[1:half] *= 2
    cepstrum[half + 1 :] = 0
    return np.exp(np.fft.rfft(cepstrum))
