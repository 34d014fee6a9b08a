"""Echo control alone: how much of our own sound is left, and that the caller's is not touched."""

from __future__ import annotations

import numpy as np
import pytest

from bot.core.audio import FRAME_S, Frame
from telephony.echo import TAIL_S, EchoControl
from tests.telephony.echoes import NINE, RATE, Wave, babble, dbfs, given_back, s16, through_a_law


def cleaned(near: Wave, far: Wave, rate: int = RATE) -> tuple[Wave, list[Frame]]:
    control = EchoControl(rate)
    size = rate // 50
    frames = [
        control.process(
            Frame(s16(near[at : at + size]), rate, at / rate),
            s16(far[at : at + size]),
        )
        for at in range(0, len(near) // size * size, size)
    ]
    return np.frombuffer(b"".join(frame.data for frame in frames), "<i2") / 32768.0, frames


def noise(seconds: float, level: float = -65.0) -> Wave:
    return np.random.default_rng(1).standard_normal(round(seconds * RATE)) * 10 ** (level / 20)


@pytest.mark.parametrize("room", [False, True])
@pytest.mark.parametrize(("loss_db", "delay_s"), NINE)
def test_no_echo_is_left_after_a_second(loss_db: float, delay_s: float, room: bool) -> None:
    far = babble(4.0, -20, seed=2)
    near = through_a_law(given_back(far, loss_db, delay_s, room=room) + noise(4.0))
    clean, _ = cleaned(near, far)
    blocks = clean[RATE:].reshape(-1, 160)
    levels = [dbfs(block) for block in blocks]
    assert np.percentile(levels, 99) < -45, "softer than what counts as voice anywhere in the project"
    assert dbfs(clean[2 * RATE :]) < -55
    assert dbfs(clean[: RATE // 2]) < -45 + 10 - loss_db / 2, "and not much in the first half second"


@pytest.mark.parametrize(("loss_db", "delay_s"), NINE)
def test_a_voice_over_the_echo_is_heard(loss_db: float, delay_s: float) -> None:
    far = babble(4.0, -20, seed=2)
    voice = np.zeros(len(far))
    voice[2 * RATE : 3 * RATE] = babble(1.0, -22, seed=3)
    near = through_a_law(given_back(far, loss_db, delay_s) + voice + noise(4.0))
    clean, frames = cleaned(near, far)
    spoken = slice(2 * RATE, 3 * RATE)
    assert dbfs(clean[spoken]) == pytest.approx(-22, abs=2.5)
    likeness = float(np.corrcoef(clean[spoken], voice[spoken])[0, 1])
    assert likeness > (0.65 if loss_db == 10 else 0.8)
    own = [frame.own_dbfs for frame in frames[100:150]]
    assert np.median(own) < -32, "it can be told from what may be left of the echo"


def test_the_line_is_untouched_where_nothing_of_ours_comes_back() -> None:
    voice = babble(2.0, -22, seed=4)
    _, frames = cleaned(voice, np.zeros(len(voice)))
    assert b"".join(frame.data for frame in frames) == s16(voice)
    assert {frame.own_dbfs for frame in frames} == {-120.0}


def test_it_wakes_and_rests_without_a_delay() -> None:
    far, voice = np.zeros(4 * RATE), babble(4.0, -22, seed=4)
    far[RATE : 2 * RATE] = babble(1.0, -20, seed=5)
    clean, _ = cleaned(voice, far)
    rests = slice(2 * RATE + round((TAIL_S + 0.04) * RATE), 4 * RATE)
    assert s16(clean[rests]) == s16(voice[rests])
    talk = slice(RATE, 2 * RATE)
    lags = [float(np.dot(clean[talk], np.roll(voice, lag)[talk])) for lag in range(-40, 200)]
    assert int(np.argmax(lags)) - 40 == 0


def test_a_path_that_moves_is_learnt_anew() -> None:
    """A jitter buffer that grows by 60 ms in the middle of a prompt."""
    far = babble(6.0, -20, seed=2)
    near = given_back(far, 15, 0.12)
    near[3 * RATE :] = given_back(far, 15, 0.18)[3 * RATE :]
    clean, frames = cleaned(through_a_law(near + noise(6.0)), far)
    assert dbfs(clean[2 * RATE : 3 * RATE]) < -55
    assert dbfs(clean[round(3.8 * RATE) :]) < -50
    own = np.array([frame.own_dbfs for frame in frames[150:200]])
    heard = np.array([dbfs(block) for block in clean[3 * RATE : 4 * RATE].reshape(-1, 160)])
    assert np.mean((heard > -45) & (heard > own + 6)) < 0.25, "in between it says how much it may be"


def test_a_line_without_echo_keeps_a_voice_from_the_first_word() -> None:
    """The first prompt of a call, and somebody who talks over it: nothing is known of the line yet."""
    far, voice = babble(2.0, -20, seed=6), np.zeros(2 * RATE)
    voice[RATE // 2 : RATE] = babble(0.5, -22, seed=7)
    clean, _ = cleaned(through_a_law(voice + noise(2.0)), far)
    assert dbfs(clean[RATE // 2 : RATE]) > -31


def after_silence(rest: Wave) -> Wave:
    """Three seconds in which nothing comes back, not even noise; then this, through a telephone."""
    near = through_a_law(rest + noise(len(rest) / RATE))
    near[: 3 * RATE] = 0
    return near


@pytest.mark.parametrize("level", [-22, -30, -36])
def test_a_line_that_stayed_silent_keeps_a_voice_whole(level: float) -> None:
    far, voice = babble(5.0, -20, seed=6), np.zeros(5 * RATE)
    voice[3 * RATE : 4 * RATE] = babble(1.0, level, seed=7)
    clean, _ = cleaned(after_silence(voice), far)
    assert dbfs(clean[3 * RATE : 4 * RATE]) == pytest.approx(level, abs=2.5)


@pytest.mark.parametrize("loss_db", [10, 20, 30])
def test_an_echo_that_begins_late_is_learnt(loss_db: float) -> None:
    """A caller who puts his telephone on the table in the middle of a prompt."""
    far = babble(10.0, -20, seed=2)
    echo = given_back(far, loss_db, 0.12)
    echo[: 3 * RATE] = 0
    clean, _ = cleaned(after_silence(echo), far)
    assert dbfs(clean[6 * RATE :]) < -45


def test_an_answer_after_a_prompt_of_which_nothing_came_back_is_untouched() -> None:
    far, near = np.zeros(4 * RATE), np.zeros(4 * RATE)
    far[: 2 * RATE] = babble(2.0, -20, seed=6)
    near[round(2.2 * RATE) : 3 * RATE] = babble(0.8, -22, seed=7)
    clean, frames = cleaned(near, far)
    assert s16(clean[2 * RATE :]) == s16(near[2 * RATE :])
    assert {frame.own_dbfs for frame in frames[100:]} == {-120.0}


def test_lost_packets_stay_silence() -> None:
    control = EchoControl(RATE)
    far = babble(0.2, -20, seed=8)
    for at in range(10):
        lost = Frame(bytes(320), RATE, at * FRAME_S, concealed=True)
        assert control.process(lost, s16(far[at * 160 : at * 160 + 160])) is lost


def test_wide_band() -> None:
    far = babble(3.0, -20, seed=2, rate=16000)
    near = given_back(far, 15, 0.1, rate=16000)
    clean, _ = cleaned(near, far, rate=16000)
    assert dbfs(clean[2 * 16000 :]) < -55
