"""Sound as the recogniser and the aligner see it: Kaldi's cepstra, 100 a second."""

from __future__ import annotations

import kaldi_native_fbank
import numpy as np
import numpy.typing as npt

from small_ru.cepstra import COUNT, HIGH_HZ, LINE_RATE, LOW_HZ

Features = npt.NDArray[np.float32]


def recogniser_features(sound: npt.NDArray[np.floating]) -> Features:
    """Of a line's sound at 8 kHz, samples in the range of 16 bits. Dither stays off: the same sound gives
    the same numbers."""
    options = kaldi_native_fbank.MfccOptions()
    options.frame_opts.samp_freq = LINE_RATE
    options.frame_opts.dither = 0.0
    options.mel_opts.num_bins = COUNT
    options.mel_opts.low_freq = LOW_HZ
    options.mel_opts.high_freq = HIGH_HZ
    options.num_ceps = COUNT
    options.use_energy = False
    return _computed(options, LINE_RATE, sound, COUNT)


def aligner_features(sound: npt.NDArray[np.int16]) -> Features:
    """Of clean sound at 16 kHz: 13 cepstra without their mean, and two orders of differences."""
    options = kaldi_native_fbank.MfccOptions()
    options.frame_opts.samp_freq = 16_000
    options.frame_opts.dither = 0.0
    options.mel_opts.num_bins = 26
    options.num_ceps = 13
    options.use_energy = False
    # A silence of zeros has no logarithm that tells anything; a little noise, always the same, has.
    noise = np.random.default_rng(0).standard_normal(len(sound))
    plain = _computed(options, 16_000, sound + noise, 13)
    plain = plain - plain.mean(axis=0) if len(plain) else plain
    first = _differences(plain)
    return np.concatenate([plain, first, _differences(first)], axis=1)


def _computed(
    options: kaldi_native_fbank.MfccOptions, rate: int, sound: npt.NDArray[np.floating], count: int
) -> Features:
    computer = kaldi_native_fbank.OnlineMfcc(options)
    computer.accept_waveform(rate, sound.astype(np.float32).tolist())
    computer.input_finished()
    frames = [computer.get_frame(index) for index in range(computer.num_frames_ready)]
    return np.stack(frames) if frames else np.zeros((0, count), np.float32)


def _differences(values: Features) -> Features:
    """The slope over five frames, as Kaldi's add-deltas."""
    if not len(values):
        return values
    padded = np.pad(values, ((2, 2), (0, 0)), "edge")
    slope = 2 * (padded[4:] - padded[:-4]) + (padded[3:-1] - padded[1:-3])
    return np.asarray(slope / 10, dtype=np.float32)
