from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.errors import AudioInvalid
from bot.sim.capture import lay_out, places, recompute, write_capture
from bot.sim.g711 import RATE, Samples
from bot.sim.measure import Cue, Turn, TurnList, longest_bot_silence_s, longest_silence_s, reply_gaps
from bot.sim.packets import Packet
from bot.sim.sounds import key_tone, read_tone, tone


def at(seconds: float) -> int:
    return round(seconds * RATE)


def channel(seconds: float, *sounds: tuple[float, float]) -> Samples:
    """A channel with a tone in each (begin, end) of seconds."""
    samples = np.zeros(at(seconds), np.int16)
    for begin, end in sounds:
        samples[at(begin) : at(end)] = tone(300, at(end) - at(begin))
    return samples


def turns(*turns: Turn, ended: float = 10.0, cues: tuple[Cue, ...] = ()) -> TurnList:
    return TurnList(name="call", answered=0, ended=at(ended), turns=turns, cues=cues)


def say(begin: float, end: float, *, talked_over: bool = False) -> Turn:
    return Turn(
        kind="say", question_id="nps", what="a.wav", start=at(begin), end=at(end), talked_over=talked_over
    )


@given(gap_ms=st.integers(0, 300).map(lambda tens: tens * 10), begin=st.integers(0, 100))
def test_a_known_gap_is_found_to_10_ms(gap_ms: int, begin: int) -> None:
    start = begin / 100
    sent = channel(6, (start + 0.2, start + 0.9))
    received = channel(6, (start + 0.9 + gap_ms / 1000, 5.5))
    assert reply_gaps(sent, received, turns(say(start, start + 1.2))) == [gap_ms]


def test_a_reply_off_the_grid_of_windows_is_within_10_ms() -> None:
    sent, received = channel(4, (0.5, 1.0)), channel(4, (1.4037, 3))
    (gap,) = reply_gaps(sent, received, turns(say(0.5, 1.0)))
    assert 390 <= gap <= 410


def test_the_silent_tail_of_a_clip_is_no_speech_and_noise_below_the_threshold_is_no_reply() -> None:
    sent, received = channel(4, (0.5, 1.0)), channel(4, (2.0, 3.0))
    received[at(1.2) : at(1.8)] = tone(300, at(0.6), level_dbfs=-50)
    assert reply_gaps(sent, received, turns(say(0.5, 1.7))) == [1000]


def test_a_turn_that_got_no_reply_has_no_gap() -> None:
    sent = channel(6, (0.5, 1.0), (2.0, 2.5))
    received = channel(6, (2.9, 4.0))
    assert reply_gaps(sent, received, turns(say(0.5, 1.0), say(2.0, 2.5))) == [400]
    assert reply_gaps(sent, channel(6), turns(say(0.5, 1.0))) == []
    assert reply_gaps(sent, received, turns()) == []


def test_tones_after_a_transfer_are_no_turns() -> None:
    sent, received = channel(6, (0.5, 1.0), (3.0, 5.0)), channel(6, (1.5, 5.0))
    played = Turn(kind="tone", question_id="", what="700 Hz", start=at(3), end=at(5))
    assert reply_gaps(sent, received, turns(say(0.5, 1.0), played)) == [500]


def test_the_end_of_an_interrupted_prompt_is_no_reply() -> None:
    sent, received = channel(6, (1.0, 2.0)), channel(6, (0.0, 1.3), (2.6, 4.0))
    assert reply_gaps(sent, received, turns(say(1.0, 2.0, talked_over=True))) == [600]
    # A bot that does not stop: what comes after the prompt's end is the reply.
    received = channel(6, (0.0, 2.4), (3.1, 4.0))
    assert reply_gaps(sent, received, turns(say(1.0, 2.0, talked_over=True))) == [1100]


def test_dead_air_is_where_neither_side_is_voiced() -> None:
    sent, received = channel(10, (4.0, 5.0)), channel(10, (0.5, 2.0), (7.5, 9.5))
    assert longest_silence_s(sent, received, turns(say(4, 5))) == pytest.approx(2.5)
    assert longest_silence_s(channel(10), channel(10), turns(ended=3)) == pytest.approx(3.0)


def test_the_callers_own_silence_is_not_the_bots() -> None:
    sent, received = channel(10, (6.0, 7.0)), channel(10, (0.5, 2.0), (8.2, 9.8))
    cues = (Cue(question_id="nps", at=at(1.98)),)
    assert longest_silence_s(sent, received, turns(say(6, 7), cues=cues)) == pytest.approx(4.0)
    assert longest_bot_silence_s(sent, received, turns(say(6, 7), cues=cues)) == pytest.approx(1.2)


def packets(first: float, count: int, *, drop: set[int] | None = None, late_s: float = 0.0) -> list[Packet]:
    sound = tone(300, 160 * count).reshape(count, 160)
    kept = (index for index in range(count) if index not in (drop or set()))
    return [Packet(first + late_s + index * 0.02, 1, 5000 + index * 160, sound[index]) for index in kept]


def laid_out(packets: list[Packet], origin: float, seconds: float) -> Samples:
    return lay_out(packets, places(packets, origin), seconds)


def test_a_lost_packet_is_silence_and_the_rest_stays_in_place() -> None:
    whole = laid_out(packets(100.1, 10), 100, 0.5)
    holed = laid_out(packets(100.1, 10, drop={3}), 100, 0.5)
    assert (whole[at(0.1) : at(0.3)] == tone(300, 1600)).all()
    assert not holed[at(0.16) : at(0.18)].any()
    holed[at(0.16) : at(0.18)] = whole[at(0.16) : at(0.18)]
    assert (holed == whole).all()


def test_jitter_moves_nothing_and_a_stall_moves_what_comes_after() -> None:
    jittered = [
        Packet(packet.at + (0.025 if index in (3, 4, 8) else 0.0), 1, packet.timestamp, packet.samples)
        for index, packet in enumerate(packets(100.1, 12))
    ]
    assert (laid_out(jittered, 100, 0.5) == laid_out(packets(100.1, 12), 100, 0.5)).all()
    stalled = packets(100.1, 20)[:10] + packets(100.1, 20, late_s=0.5)[10:]
    laid = laid_out(stalled, 100, 1.2)
    assert not laid[at(0.3) : at(0.8)].any()
    assert (laid[at(0.8) : at(1.0)] == tone(300, 3200)[1600:]).all()


def test_two_senders_lie_over_one_another_and_a_drifting_clock_is_followed() -> None:
    other = [Packet(packet.at, 2, packet.timestamp + 7, -packet.samples) for packet in packets(100.3, 5)]
    laid = laid_out(packets(100.1, 10) + other, 100, 0.5)
    assert (laid[at(0.3) : at(0.4)] == -tone(300, 800)).all()
    slow = [
        Packet(100 + index * 0.0202, 1, index * 160, packet.samples)
        for index, packet in enumerate(packets(0, 500))
    ]
    drifted = laid_out(slow, 100, 11)
    assert np.flatnonzero(drifted)[-1] / RATE == pytest.approx(500 * 0.0202, abs=0.011)


def test_gaps_are_recomputed_from_the_files(tmp_path: Path) -> None:
    sent, received = channel(6, (1.0, 2.0)), channel(6, (0.2, 0.6), (2.35, 4.0))
    listed = turns(say(1.0, 2.0), ended=5).model_copy(update={"reply_gaps_ms": (350,)})
    write_capture(tmp_path, listed, sent, received)
    (measured,) = recompute(tmp_path)
    assert (measured.name, measured.reply_gaps_ms, measured.agrees) == ("call", [350], True)
    write_capture(tmp_path, listed.model_copy(update={"reply_gaps_ms": (200,)}), sent, received)
    assert not recompute(tmp_path)[0].agrees


def test_a_folder_without_captures_and_a_broken_one_are_refused(tmp_path: Path) -> None:
    with pytest.raises(AudioInvalid, match="no captured calls"):
        recompute(tmp_path)
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(AudioInvalid, match=r"a\.json"):
        recompute(tmp_path)


def test_a_tone_is_read_by_its_level_and_share() -> None:
    reading = read_tone(np.concatenate([np.zeros(8000, np.int16), tone(440, 16000)]), 440)
    assert reading.level_dbfs == pytest.approx(-12, abs=0.3)
    assert reading.dominance > 0.99
    assert reading.heard_s == pytest.approx(2.0)


@pytest.mark.parametrize("other", [425.0, 700.0])
def test_another_tone_is_not_taken_for_it(other: float) -> None:
    assert read_tone(tone(other, 16000), 440).dominance < 0.1
    assert read_tone(tone(other, 16000), 440).heard_s == 0


def test_noise_and_silence_hold_no_tone() -> None:
    noise = (np.random.default_rng(1).normal(0, 3000, 16000)).astype(np.int16)
    assert read_tone(noise, 440).dominance < 0.1
    assert read_tone(np.zeros(16000, np.int16), 440) == read_tone(np.zeros(10, np.int16), 440)


def test_a_key_is_its_two_tones() -> None:
    five = key_tone("5", 8000)
    assert read_tone(five, 770).dominance == pytest.approx(0.39, abs=0.03)
    assert read_tone(five, 1336).dominance == pytest.approx(0.61, abs=0.03)
    with pytest.raises(KeyError):
        key_tone("x", 160)
