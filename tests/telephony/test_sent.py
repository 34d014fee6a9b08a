"""The far-end reference: without gaps or repeats, however unevenly the line tells what it has sent."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from telephony.sent import SentSound

SIZE = 320


def sound(frames: int) -> bytes:
    """Frames that can be told apart: 1, 2, 3 …"""
    return b"".join(bytes([number % 255 + 1]) * SIZE for number in range(frames))


@given(st.lists(st.integers(0, 2), min_size=40, max_size=40), st.integers(0, 30))
def test_a_sound_is_told_whole_and_in_order(packets: list[int], silence: int) -> None:
    """`packets` leave between two ticks, one on average or it is a stalled line."""
    line = SentSound(8000)
    told = [frame for _ in range(silence) for frame in line.frames(1, 0)]
    data = sound(20)
    line.handed(data)
    unsent, lead = len(data), 0
    for count in [*packets, *[1] * 60]:
        lead = max(lead, abs(sum(packets) - len(packets)))
        unsent = max(0, unsent - count * SIZE)
        told += line.frames(1, unsent)
        line.forget(unsent)
    heard = b"".join(frame for frame in told if any(frame))
    assert data.startswith(heard[:SIZE]) or heard[:SIZE] in data
    order = list(dict.fromkeys(heard[::SIZE]))
    assert order == sorted(order), "nothing is told twice or out of order"
    assert heard.endswith(data[-SIZE:])


def test_it_is_in_step_with_a_regular_line() -> None:
    line = SentSound(8000)
    data = sound(10)
    for begin in (0, 7):
        told = [line.frames(1, 0)[0] for _ in range(begin)]
        line.handed(data)
        for left in range(9, -1, -1):
            told += line.frames(1, left * SIZE)
            line.forget(left * SIZE)
        assert b"".join(told[begin:]) == data


def test_a_stalled_loop_gets_its_frames_at_once() -> None:
    line = SentSound(8000)
    line.handed(sound(10))
    assert b"".join(line.frames(6, 4 * SIZE)) == sound(6)


def test_what_is_thrown_away_is_not_told() -> None:
    line = SentSound(8000)
    line.handed(sound(10))
    assert b"".join(line.frames(2, 8 * SIZE)) == sound(2)
    line.thrown_away(8 * SIZE)
    line.forget(0)
    assert not any(line.frames(1, 0)[0])
    line.handed(b"\x77" * SIZE)
    assert line.frames(1, 0) == [b"\x77" * SIZE]


def test_what_was_told_is_forgotten() -> None:
    line = SentSound(8000)
    for _ in range(1000):
        line.handed(sound(1))
        line.frames(1, 0)
        line.forget(0)
    assert len(line._sound) <= 4 * SIZE
