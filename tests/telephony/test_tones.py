from __future__ import annotations

import math

import pytest

from bot.core.audio import Pcm, silence
from telephony.tones import (
    comfort,
    goertzel_dbfs,
    hears,
    hold_music,
    level_dbfs,
    listening_sign,
    ringback,
    tone,
)


@pytest.mark.parametrize("rate", [8000, 16000])
def test_goertzel_reads_the_level_of_its_tone_and_of_no_other(rate: int) -> None:
    pcm = tone(0.5, rate, hz=1000, dbfs=-20)
    assert goertzel_dbfs(pcm, 1000) == pytest.approx(-20, abs=0.3)
    assert goertzel_dbfs(pcm, 1300) < -50
    assert level_dbfs(pcm) == pytest.approx(-23, abs=0.3)


def test_hears_wants_the_tone_loud_and_most_of_the_sound() -> None:
    assert hears(tone(0.5, 8000, hz=1000), 1000)
    assert not hears(tone(0.5, 8000, hz=1000), 700)
    assert not hears(tone(0.5, 8000, hz=1000, dbfs=-50), 1000)
    assert not hears(silence(0.5, 8000), 1000)
    assert not hears(Pcm(b"", 8000), 1000)


def test_ringback_is_a_second_in_five() -> None:
    pcm = ringback(10.0, 8000)
    assert pcm.seconds == pytest.approx(10)
    second = 16000
    loud = [hears(Pcm(pcm.data[at : at + second], 8000), 425.0) for at in range(0, len(pcm.data), second)]
    assert loud == [True, False, False, False, False] * 2


@pytest.mark.parametrize("rate", [8000, 16000])
def test_what_is_played_while_nobody_talks_is_soft(rate: int) -> None:
    assert level_dbfs(comfort(1.0, rate)) == pytest.approx(-60, abs=1)
    assert -50 < level_dbfs(hold_music(rate)) < -25
    assert hold_music(rate).seconds == pytest.approx(4)
    assert -45 < level_dbfs(listening_sign(rate)) < -33
    assert listening_sign(rate).seconds < 0.1


def test_silence_has_no_level() -> None:
    assert level_dbfs(silence(0.1, 8000)) == -math.inf
    assert goertzel_dbfs(silence(0.1, 8000), 1000) == -math.inf
