from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.delivery.backoff import Backoff


def test_it_waits_longer_each_time_and_gives_up() -> None:
    backoff = Backoff()
    waits = [backoff.next_s(tries, 0.5) for tries in range(1, 13)]
    assert waits == [5, 20, 80, 320, 1280, 5120, 20480, 21600, 21600, 21600, 21600, None]
    assert sum(wait for wait in waits if wait) / 86400 == pytest.approx(1.3, abs=0.1)


@given(tries=st.integers(1, 11), chance=st.floats(0, 1))
def test_the_jitter_stays_within_its_share(tries: int, chance: float) -> None:
    backoff = Backoff()
    middle, wait = backoff.wait_s(tries, 0.5), backoff.wait_s(tries, chance)
    assert 0.8 * middle <= wait <= 1.2 * middle + 1e-9


def test_what_failed_together_does_not_come_back_together() -> None:
    assert Backoff().wait_s(3, 0.0) == 64
    assert Backoff().wait_s(3, 1.0) == 96


@pytest.mark.parametrize(("asked", "waited"), [(3, 5), (120, 120), (10**9, 86400)])
def test_not_before_the_receiver_asked_for_it(asked: float, waited: float) -> None:
    assert Backoff().next_s(1, 0.5, asked) == waited
