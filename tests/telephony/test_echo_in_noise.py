"""Echo control on lines that are never silent: what their noise is, and that only echo costs anything."""

from __future__ import annotations

import numpy as np
import pytest

from bot.core.audio import Frame, inaudible
from telephony.echo import EchoControl
from telephony.linenoise import LineNoise
from tests.telephony.echoes import LOSSES_DB, RATE, Wave, babble, dbfs, given_back, s16, through_a_law

HEARD_S = 2
"""Of the line alone, before we speak."""
NOISES = (-68.0, -63.0, -58.0, -52.0)


def noise(seconds: float, level: float, seed: int = 1) -> Wave:
    return np.random.default_rng(seed).standard_normal(round(seconds * RATE)) * 10 ** (level / 20)


def cleaned(near: Wave, far: Wave) -> tuple[Wave, list[bool]]:
    """What is left, and which frames passed as they were."""
    control, out, passed = EchoControl(RATE), [], []
    for at in range(0, len(near), 160):
        frame = Frame(data := s16(near[at : at + 160]), RATE, at / RATE, inaudible=inaudible(data))
        clean = control.process(frame, s16(far[at : at + 160]))
        out.append(clean.data)
        passed.append(clean is frame)
    return np.frombuffer(b"".join(out), "<i2") / 32768.0, passed


def after_hearing(near: Wave, level: float) -> tuple[Wave, Wave]:
    """The line's noise alone, then with `near`, through a telephone; and we, who speak from then on."""
    seconds = HEARD_S + len(near) / RATE
    heard = noise(seconds, level)
    heard[HEARD_S * RATE :] += near
    far = np.zeros(len(heard))
    far[HEARD_S * RATE :] = babble(len(near) / RATE, -20, seed=2)
    return through_a_law(heard), far


@pytest.mark.parametrize("level", NOISES)
def test_noise_alone_passes_untouched_once_it_has_not_answered_us(level: float) -> None:
    near, far = after_hearing(np.zeros(4 * RATE), level)
    _, passed = cleaned(near, far)
    begun = HEARD_S * 50
    assert all(passed[:begun])
    assert not any(passed[begun + 5 : begun + 45]), "for a second it may be echo"
    assert np.mean(passed[begun + 60 :]) > 0.95


@pytest.mark.parametrize("level", NOISES)
@pytest.mark.parametrize("loss_db", LOSSES_DB)
def test_an_echo_in_known_noise_is_taken_out(loss_db: float, level: float) -> None:
    echo = given_back(babble(4.0, -20, seed=2), loss_db, 0.12)
    near, far = after_hearing(echo, level)
    clean, _ = cleaned(near, far)
    blocks = clean[(HEARD_S + 1) * RATE :].reshape(-1, 160)
    assert np.percentile([dbfs(block) for block in blocks], 99) < -45, "nobody takes that for a voice"


@pytest.mark.parametrize("level", NOISES)
@pytest.mark.parametrize("loss_db", LOSSES_DB)
def test_an_echo_that_begins_late_is_learnt(loss_db: float, level: float) -> None:
    """A caller who puts his telephone on the table in the middle of a prompt."""
    echo = given_back(babble(8.0, -20, seed=2), loss_db, 0.12)
    echo[: 3 * RATE] = 0
    near, far = after_hearing(echo, level)
    clean, _ = cleaned(near, far)
    assert dbfs(clean[(HEARD_S + 6) * RATE :]) < -45


@pytest.mark.parametrize("between", [-120.0, -65.0, -50.0])
@pytest.mark.parametrize("delay_s", [0.06, 0.24])
@pytest.mark.parametrize("level", [-90.0, *NOISES])
def test_a_path_that_was_learnt_is_kept_between_two_sentences(
    level: float, delay_s: float, between: float
) -> None:
    said = np.concatenate((babble(4.0, -20, seed=2), noise(1.0, between, seed=8), babble(2.0, -20, seed=4)))
    heard = through_a_law(given_back(said, 15, delay_s) + noise(7.0, level))
    quiet = through_a_law(noise(HEARD_S, level, seed=9))
    far = np.concatenate((np.zeros(HEARD_S * RATE), said))
    clean, _ = cleaned(np.concatenate((quiet, heard)), far)
    second = slice((HEARD_S + 5) * RATE, round((HEARD_S + 5.8) * RATE))
    levels = [dbfs(block) for block in clean[second].reshape(-1, 160)]
    assert np.percentile(levels, 90) < -45


@pytest.mark.parametrize("level", [-90.0, *NOISES])
def test_the_echo_of_a_last_word_is_taken_out_behind_a_gap(level: float) -> None:
    """We have fallen silent when it comes back, and so had the echo before it."""
    said = babble(3.6, -20, seed=2)
    said[3 * RATE : round(3.4 * RATE)] = 0
    said = np.concatenate((said, np.zeros(RATE)))
    heard = through_a_law(given_back(said, 15, 0.25) + noise(4.6, level))
    quiet = through_a_law(noise(HEARD_S, level, seed=9))
    far = np.concatenate((np.zeros(HEARD_S * RATE), said))
    clean, _ = cleaned(np.concatenate((quiet, heard)), far)
    word = slice(round((HEARD_S + 3.65) * RATE), round((HEARD_S + 3.85) * RATE))
    assert dbfs(heard[word.start - HEARD_S * RATE :][: RATE // 5]) > -40
    assert dbfs(clean[word]) < -45


@pytest.mark.parametrize("level", NOISES)
@pytest.mark.parametrize("voice_dbfs", [-22, -30, -36])
def test_a_voice_over_a_prompt_in_noise_is_whole(voice_dbfs: float, level: float) -> None:
    voice = np.zeros(4 * RATE)
    voice[2 * RATE : 3 * RATE] = babble(1.0, voice_dbfs, seed=7)
    near, far = after_hearing(voice, level)
    clean, _ = cleaned(near, far)
    spoken = slice((HEARD_S + 2) * RATE, (HEARD_S + 3) * RATE)
    assert dbfs(clean[spoken]) == pytest.approx(dbfs(near[spoken]), abs=2.5)


def test_a_talker_is_not_the_noise() -> None:
    line, heard = LineNoise(), noise(6.0, -60) + babble(6.0, -20, seed=3)
    for frame in heard.reshape(-1, 160):
        line.hear(float(np.mean(frame**2)))
    assert 10 * np.log10(line.power) == pytest.approx(-60, abs=3)


def test_a_line_that_has_become_louder_is_believed_within_two_seconds() -> None:
    line = LineNoise()
    assert line.power == 0
    for level, seconds in ((-70, 2.0), (-55, 2.5)):
        for frame in noise(seconds, level).reshape(-1, 160):
            line.hear(float(np.mean(frame**2)))
        assert 10 * np.log10(line.power) == pytest.approx(level, abs=2)
    line.hear(0.0)
    for _ in range(25):
        line.hear(1e-6)
    assert line.power == 0, "one soft frame is the line's noise"
