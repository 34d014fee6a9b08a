from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.intake import Intake

SIZE = 320
LOUD = np.full(160, 5000, "<i2").tobytes()
QUIET = bytes(SIZE)


def test_what_is_not_there_is_concealed_and_time_goes_on() -> None:
    intake = Intake(8000)
    intake.feed(LOUD)
    frames = intake.take(6)
    assert [frame.concealed for frame in frames] == [False, *[True] * 5]
    assert [frame.at for frame in frames] == pytest.approx([0.0, 0.02, 0.04, 0.06, 0.08, 0.1])
    assert intake.concealed == 5
    assert intake.media_s == pytest.approx(0.12)


def test_what_is_missing_is_what_came_last_and_fades_out() -> None:
    intake = Intake(8000)
    assert intake.take(1)[0].data == bytes(SIZE), "nothing came yet"
    intake.feed(LOUD)
    peaks = [int(np.frombuffer(frame.data, "<i2").max()) for frame in intake.take(6)]
    assert peaks == [5000, 5000, 3500, 1750, 0, 0]
    intake.feed(QUIET)
    intake.take(1)
    assert intake.take(1)[0].data == QUIET, "a pause stays one"


def test_a_part_of_a_frame_waits_for_its_rest() -> None:
    intake = Intake(8000)
    intake.feed(LOUD[:100])
    assert intake.take(1)[0].concealed
    intake.feed(LOUD[100:])
    assert intake.take(1)[0].data == LOUD


def test_after_a_stall_of_ours_everything_that_arrived_is_delivered() -> None:
    intake = Intake(8000)
    intake.feed(LOUD * 20)
    frames = intake.take(20)
    assert not any(frame.concealed for frame in frames)
    assert intake.dropped == 0


def test_a_burst_of_theirs_is_drained_not_replayed() -> None:
    intake = Intake(8000)
    intake.take(50)  # a second in which nothing came
    intake.feed(LOUD * 50)  # and then all of it at once
    heard = 0
    for _ in range(15):
        heard += not intake.take(1)[0].concealed
        intake.feed(LOUD)
    assert heard == 15
    assert intake.dropped >= 38
    # The lag is bounded: what is fed now is heard 200 ms later at the latest.
    marker = np.full(160, 9999, "<i2").tobytes()
    intake.feed(marker)
    assert marker in [intake.take(1)[0].data for _ in range(11)]


def test_silence_in_a_burst_goes_first() -> None:
    intake = Intake(8000)
    intake.take(1)
    intake.feed(QUIET * 6 + LOUD)
    data = [intake.take(1)[0].data for _ in range(3)]
    assert data == [QUIET, QUIET, LOUD]
    assert intake.dropped == 4


@given(st.lists(st.integers(0, 40), max_size=60))
def test_a_frame_for_every_tick_whatever_arrives(bursts: list[int]) -> None:
    intake = Intake(8000)
    for burst in bursts:
        intake.feed(LOUD * burst)
        frames = intake.take(2)
        assert [len(frame.data) for frame in frames] == [SIZE, SIZE]
    assert intake.media_s == pytest.approx(len(bursts) * 0.04)


def test_a_frame_that_was_never_needed_is_let_go_at_the_next_silence() -> None:
    intake = Intake(8000)
    intake.feed(LOUD * 2)  # one more than a line with a steady far end needs
    for _ in range(150):
        intake.feed(LOUD)
        assert not intake.take(1)[0].concealed
    assert intake.dropped == 0  # never in the middle of a word
    intake.feed(QUIET)
    intake.take(1)
    for _ in range(2):
        intake.feed(QUIET)
        intake.take(1)
    assert intake.dropped >= 1
    marker = np.full(160, 9999, "<i2").tobytes()
    intake.feed(marker)
    assert marker in [intake.take(1)[0].data for _ in range(2)]


def test_a_frame_that_jitter_needs_stays() -> None:
    intake = Intake(8000)
    intake.feed(QUIET)
    for number in range(300):  # two at a time: at every second tick nothing new is there
        if number % 2 == 0:
            intake.feed(QUIET * 2)
        assert not intake.take(1)[0].concealed
    assert intake.dropped <= 1
