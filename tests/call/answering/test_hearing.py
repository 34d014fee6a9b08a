"""From sound to numbers: tones at their frequency and time, noise and speech that are none."""

from __future__ import annotations

import numpy as np
import pytest

from bot.call.answering.evidence import Sound
from bot.call.answering.hearing import Hearing
from bot.call.answering.recorded import frames
from bot.call.answering.tones import Tone, ToneTrack
from bot.core.audio import Frame, Pcm, silence
from bot.speech.files import read_audio
from telephony.tones import samples, tone
from tests.speech.sounds import AUDIO


def noise(seconds: float, rate: int, dbfs: float) -> Pcm:
    wave = np.random.default_rng(1).standard_normal(round(seconds * rate)) * 10 ** (dbfs / 20) * 32767
    return Pcm(np.clip(wave, -32768, 32767).astype("<i2").tobytes(), rate)


def mixed(*sounds: Pcm) -> Pcm:
    wave = sum(samples(sound)[: min(len(s.data) // 2 for s in sounds)] for sound in sounds)
    return Pcm((np.clip(wave, -1, 1) * 32767).astype("<i2").tobytes(), sounds[0].rate)


def heard(pcm: Pcm) -> list[Sound]:
    hearing = Hearing(pcm.rate)
    return [hearing.hear(frame, 0.0) for frame in frames(pcm)]


def tones(pcm: Pcm) -> list[Tone]:
    track = ToneTrack()
    for sound in heard(pcm):
        track.push(sound)
    return [found for found in track.tones if found.over]


def joined(*parts: Pcm) -> Pcm:
    return Pcm(b"".join(part.data for part in parts), parts[0].rate)


@pytest.mark.parametrize("rate", [8000, 16000])
@pytest.mark.parametrize("hz", [350, 425, 440, 950, 1100, 1400, 1800, 2100])
@pytest.mark.parametrize("snr_db", [60, 12])
def test_a_tone_is_found_at_its_place(rate: int, hz: float, snr_db: float) -> None:
    line = joined(silence(0.5, rate), tone(0.4, rate, hz=hz, dbfs=-15), silence(0.5, rate))
    (found,) = tones(mixed(line, noise(1.4, rate, -18 - snr_db)))
    assert found.hz == pytest.approx(hz, abs=4)
    assert found.start == pytest.approx(0.5, abs=0.03)
    assert found.seconds == pytest.approx(0.4, abs=0.05)


@pytest.mark.parametrize("hz_apart", [30, 200, 450])
def test_tones_that_follow_each_other_are_two(hz_apart: float) -> None:
    first, second = tone(0.3, 8000, hz=950), tone(0.3, 8000, hz=950 + hz_apart)
    assert len(tones(joined(first, second, silence(0.3, 8000)))) == 2


def test_keys_and_noise_are_no_tones() -> None:
    nine = mixed(tone(0.5, 8000, hz=852, dbfs=-12), tone(0.5, 8000, hz=1477, dbfs=-12))
    assert tones(joined(nine, silence(0.3, 8000), noise(2.0, 8000, -20))) == []


@pytest.mark.parametrize("name", ["009_elena.wav", "027_nsh.wav", "056_elena.wav", "046_nsh.wav"])
def test_speech_holds_no_tones(name: str) -> None:
    assert tones(read_audio(AUDIO / name)) == []


def test_a_lost_packet_does_not_end_a_tone() -> None:
    whole = tone(0.6, 8000, hz=2100)
    torn = joined(Pcm(whole.data[:4800], 8000), silence(0.02, 8000), Pcm(whole.data[5120:], 8000))
    (found,) = tones(joined(torn, silence(0.3, 8000)))
    assert found.seconds == pytest.approx(0.6, abs=0.05)


def test_levels_are_those_of_the_sound() -> None:
    assert heard(silence(0.1, 8000))[-1].level_dbfs == -120
    assert heard(tone(0.2, 8000, hz=1000, dbfs=-20))[5].level_dbfs == pytest.approx(-23, abs=0.3)


def test_a_frame_at_another_rate_is_refused() -> None:
    with pytest.raises(ValueError, match="16000 Hz on a line at 8000"):
        Hearing(8000).hear(Frame(bytes(640), 16000, 0.0), 0.0)
