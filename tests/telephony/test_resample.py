from __future__ import annotations

import numpy as np
import pytest

from bot.core.audio import Pcm
from telephony.resample import Resampler
from telephony.tones import goertzel_dbfs, level_dbfs, tone


def in_frames(pcm: Pcm, target: int) -> Pcm:
    resampler, size = Resampler(pcm.rate, target), pcm.rate // 50 * 2
    parts = [resampler.convert(pcm.data[at : at + size]) for at in range(0, len(pcm.data), size)]
    return Pcm(b"".join(parts), target)


@pytest.mark.parametrize(("source", "target"), [(8000, 16000), (16000, 8000)])
@pytest.mark.parametrize("hz", [300, 1000, 3000, 3400])
def test_speech_band_passes_unchanged(source: int, target: int, hz: int) -> None:
    out = in_frames(tone(1.0, source, hz=hz), target)
    assert out.seconds == pytest.approx(1.0)
    assert goertzel_dbfs(out, hz) == pytest.approx(-12, abs=1.0)


def test_what_8_khz_cannot_carry_does_not_fold_back() -> None:
    out = in_frames(tone(1.0, 16000, hz=5500), 8000)
    assert level_dbfs(out) < -50


@pytest.mark.parametrize(("source", "target"), [(16000, 48000), (48000, 16000)])
@pytest.mark.parametrize("hz", [300, 3000, 6000])
def test_wide_band_speech_passes_unchanged(source: int, target: int, hz: int) -> None:
    out = in_frames(tone(1.0, source, hz=hz), target)
    assert out.seconds == pytest.approx(1.0)
    assert goertzel_dbfs(out, hz) == pytest.approx(-12, abs=1.0)


def test_what_16_khz_cannot_carry_does_not_fold_back() -> None:
    assert level_dbfs(in_frames(tone(1.0, 48000, hz=10000), 16000)) < -50
    assert goertzel_dbfs(in_frames(tone(1.0, 16000, hz=3000), 48000), 13000) < -55


def test_no_image_appears_above_4_khz() -> None:
    out = in_frames(tone(1.0, 8000, hz=2500), 16000)
    assert goertzel_dbfs(out, 16000 / 2 - 2500) < -55


@pytest.mark.parametrize(
    ("source", "target", "below_s"),
    [(8000, 16000, 0.0015), (16000, 8000, 0.0015), (16000, 48000, 0.0005), (48000, 16000, 0.0005)],
)
def test_the_delay_is_short_and_as_it_says(source: int, target: int, below_s: float) -> None:
    click = np.zeros(source // 2, "<i2")
    click[source // 4] = 20000
    out = in_frames(Pcm(click.tobytes(), source), target)
    peak = int(np.argmax(np.abs(np.frombuffer(out.data, "<i2").astype(int))))
    delay_s = Resampler(source, target).delay_s
    assert peak / target - 0.25 == pytest.approx(delay_s, abs=1e-4)
    assert delay_s < below_s


def test_equal_rates_pass_through_and_others_are_refused() -> None:
    data = tone(0.1, 8000).data
    assert Resampler(8000, 8000).convert(data) is data
    for source, target in ((48000, 8000), (11025, 11025), (8000, 44100)):
        with pytest.raises(ValueError, match="no conversion"):
            Resampler(source, target)
