from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.reorder import Reorder


def run(order: Reorder, sequences: list[int], *, late_s: dict[int, float] | None = None) -> list[int]:
    out = []
    for number, sequence in enumerate(sequences):
        now = number * 0.02 + (late_s or {}).get(sequence, 0.0)
        stamp = sequence * 960
        out += order.add(sequence % 0x10000, stamp % (1 << 32), str(sequence).encode(), now)
    return [int(part) for part in out]


def test_what_comes_in_order_goes_on_at_once() -> None:
    order = Reorder(48000)
    for sequence in range(10):
        assert order.add(sequence, sequence * 960, b"x", sequence * 0.02) == [b"x"]
    assert (order.received, order.lost) == (10, 0)
    assert order.jitter_s == pytest.approx(0, abs=1e-9)


def test_the_number_wraps() -> None:
    assert run(Reorder(48000), [65534, 65535, 65536, 65537]) == [65534, 65535, 65536, 65537]


def test_two_that_changed_places_change_back_and_nothing_is_lost() -> None:
    order = Reorder(48000)
    assert run(order, [1, 3, 2, 4]) == [1, 2, 3, 4]
    assert order.lost == 0


def test_a_missing_one_is_given_up_when_three_later_ones_are_here() -> None:
    order = Reorder(48000)
    assert run(order, [1, 3, 4]) == [1]
    assert run(order, [5]) == [3, 4, 5]
    assert order.lost == 1
    assert run(order, [2, 6]) == [6]  # it came after all: too late to be heard, but not lost
    assert order.lost == 0


def test_a_copy_is_not_heard_twice() -> None:
    order = Reorder(48000)
    assert run(order, [1, 2, 2, 3, 1]) == [1, 2, 3]
    assert order.lost == 0


def test_a_new_stream_begins_where_it_begins() -> None:
    assert run(Reorder(48000), [1, 2, 40000, 40001, 7, 8]) == [1, 2, 40000, 40001, 7, 8]


def test_jitter_is_that_of_the_standard() -> None:
    order = Reorder(48000)
    for number in range(200):  # every second one 10 ms late: the difference is 10 ms each time
        order.add(number, number * 960, b"x", number * 0.02 + (number % 2) * 0.01)
    assert order.jitter_s == pytest.approx(0.01, rel=0.01)


@given(st.lists(st.integers(0, 0xFFFF), max_size=60))
def test_no_sequence_of_numbers_breaks_it(sequences: list[int]) -> None:
    order = Reorder(48000)
    out = run(order, sequences)
    assert len(out) + len(order._held) <= len(sequences)
    assert order.lost >= 0
