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
    frames = intake.take(3)
    assert [frame.concealed for frame in frames] == [False, True, True]
    assert [frame.at for frame in frames] == pytest.approx([0.0, 0.02, 0.04])
    assert frames[1].data == bytes(SIZE)
    assert intake.concealed == 2
    assert intake.media_s == pytest.approx(0.06)


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
