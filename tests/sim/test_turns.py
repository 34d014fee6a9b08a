"""Cuts, gaps and barge-ins, found in two channels."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sim.measure import TurnList
from bot.sim.turns import MeasuredTurn, measure_turns
from tests.sim.test_measure import at, channel, say, turns


def one(
    sent: list[tuple[float, float]], received: list[tuple[float, float]], listed: TurnList
) -> MeasuredTurn:
    (measured,) = measure_turns(channel(10, *sent), channel(10, *received), listed)
    return measured


@given(gap=st.integers(0, 300), begin=st.integers(0, 100))
def test_the_gap_is_that_between_the_voices(gap: int, begin: int) -> None:
    ends = begin / 100 + 0.9
    listed = turns(say(begin / 100, ends + 0.3))
    measured = one([(begin / 100 + 0.2, ends)], [(ends + gap / 100, 9.0)], listed)
    assert (measured.gap_ms, measured.cut) == (gap * 10, False)


def test_a_bot_that_speaks_into_a_pause_of_the_turn_has_cut_it() -> None:
    sent = [(1.0, 1.5), (2.5, 3.0)]
    measured = one(sent, [(0.0, 0.5), (2.0, 2.4), (3.4, 4.0)], turns(say(1.0, 3.0)))
    assert (measured.cut, measured.gap_ms) == (True, None)


def test_the_sign_of_listening_neither_cuts_nor_replies() -> None:
    sent = [(1.0, 1.5), (2.5, 3.0)]
    measured = one(sent, [(0.0, 0.5), (2.0, 2.08), (3.2, 3.28), (3.7, 4.0)], turns(say(1.0, 3.0)))
    assert (measured.cut, measured.gap_ms) == (False, 700)


def test_a_prompt_that_fell_silent_before_it_sounded_has_cut_the_turn_all_the_same() -> None:
    listed = turns(say(1.0, 3.0)).model_copy(update={"prompts": (at(2.2),)})
    measured = one([(1.0, 1.5), (2.5, 3.0)], [(4.0, 5.0)], listed)
    assert (measured.cut, measured.gap_ms) == (True, None)
    later = listed.model_copy(update={"prompts": (at(0.1), at(3.3))})
    assert one([(1.0, 1.5), (2.5, 3.0)], [(4.0, 5.0)], later).gap_ms == 1000


def test_a_barge_in_pauses_and_stops_the_prompt_at_once() -> None:
    over = turns(say(1.0, 2.0, talked_over=True))
    measured = one([(1.0, 1.8)], [(0.0, 1.2), (2.3, 4.0)], over)
    assert (measured.pause_ms, measured.stop_ms, measured.gap_ms) == (200, 200, 500)


def test_a_prompt_that_went_on_after_a_pause_has_stopped_later() -> None:
    over = turns(say(1.0, 3.0, talked_over=True))
    measured = one([(1.0, 2.8)], [(0.0, 1.2), (1.7, 2.0), (3.3, 4.0)], over)
    assert (measured.pause_ms, measured.stop_ms, measured.gap_ms) == (200, 1000, 500)


def test_silence_before_the_voice_is_the_prompts_own() -> None:
    over = turns(say(1.0, 2.0, talked_over=True))
    measured = one([(1.0, 1.8)], [(0.0, 0.4), (0.9, 1.15), (2.3, 4.0)], over)
    assert (measured.pause_ms, measured.gap_ms) == (150, 500)


def test_a_prompt_that_ended_before_he_spoke_was_not_talked_over() -> None:
    over = turns(say(1.0, 2.0, talked_over=True))
    measured = one([(1.0, 1.8)], [(0.0, 0.9)], over)
    assert (measured.pause_ms, measured.stop_ms, measured.gap_ms) == (None, None, None)


@pytest.mark.parametrize(("until_s", "stop_ms"), [(9.0, 8000), (10.0, None)])
def test_a_bot_that_goes_on_has_stopped_at_the_end_of_its_prompt_if_at_all(
    until_s: float, stop_ms: int | None
) -> None:
    measured = one([(1.0, 1.8)], [(0.0, until_s)], turns(say(1.0, 2.0, talked_over=True), ended=9.5))
    assert (measured.gap_ms, measured.stop_ms) == (None, stop_ms)
