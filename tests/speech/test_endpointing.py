from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.audio import FRAME_S, Frame
from bot.core.directives import Expectation, OpenExpected, ScaleExpected, YesNoExpected
from bot.speech.endpointing import (
    Endpointer,
    EndpointEvent,
    NoInput,
    OverReason,
    SpeechEnded,
    SpeechStarted,
    TurnOver,
)
from bot.speech.settings import EndpointingSettings
from tests.speech.sounds import silent_frame, spoken, tone_frame

NPS = ScaleExpected(low=0, high=10)
OPEN = OpenExpected(max_s=5.0)


def pattern(*parts: tuple[str, float]) -> list[bool]:
    """("voice", 0.5), ("quiet", 1.0) -> a flag a frame."""
    return [kind == "voice" for kind, seconds in parts for _ in range(round(seconds / FRAME_S))]


def run(
    endpointer: Endpointer,
    fed: Iterable[tuple[Frame, float]],
    words_at: dict[float, str] | None = None,
) -> list[EndpointEvent]:
    """All events; `words_at` gives the partial text from a media time on."""
    events: list[EndpointEvent] = []
    for frame, probability in fed:
        partial = ""
        for since, text in (words_at or {}).items():
            if frame.at >= since:
                partial = text
        events += endpointer.push(frame, probability, partial)
    return events


@pytest.mark.parametrize(
    ("expectation", "over_at"),
    [(NPS, 1.76), (YesNoExpected(), 3.2), (OPEN, 2.7), (None, 2.1)],
    ids=["scale", "not_an_answer_to_yes_no", "open", "none"],
)
def test_a_turn_ends_after_the_silence_of_its_kind_of_question(
    expectation: Expectation | None, over_at: float
) -> None:
    fed = spoken(pattern(("quiet", 1.0), ("voice", 0.5), ("quiet", 4.0)))
    assert run(Endpointer(expectation, no_input_s=5.0), fed, {1.4: "девять"}) == [
        SpeechStarted(1.0),
        SpeechEnded(1.5),
        TurnOver(over_at, 1.0, 1.5, OverReason.SILENCE),
    ]


def test_a_pause_within_an_answer_does_not_end_it() -> None:
    fed = spoken(pattern(("quiet", 0.2), ("voice", 0.3), ("quiet", 0.5), ("voice", 0.3), ("quiet", 1.0)))
    events = run(Endpointer(NPS, no_input_s=5.0), fed, {0.4: "ну", 1.2: "ну девять"})
    assert events == [
        SpeechStarted(0.2),
        SpeechEnded(0.5),
        SpeechStarted(1.0),
        SpeechEnded(1.3),
        TurnOver(1.56, 0.2, 1.3, OverReason.SILENCE),
    ]


def test_a_caller_whose_sound_stops_arriving_is_answered_as_fast_as_a_silent_one() -> None:
    flags = pattern(("quiet", 0.5), ("voice", 0.5), ("quiet", 2.0))
    silent = list(spoken(flags))
    # The VAD may still ring at 0.9 when the sound is cut off: concealed frames are never voice.
    cut = [
        (silent_frame(f.at, concealed=True), 0.9 if f.at < 1.2 else 0.0) if f.at >= 1.0 else (f, p)
        for f, p in silent
    ]
    words = {0.9: "девять"}
    assert run(Endpointer(NPS, no_input_s=5.0), cut, words) == run(
        Endpointer(NPS, no_input_s=5.0), silent, words
    )


def test_a_voice_that_lost_packets_tear_is_still_a_voice() -> None:
    """A frame of three is missing from its very beginning: it would never be speech."""
    whole = list(spoken(pattern(("quiet", 0.5), ("voice", 0.5), ("quiet", 2.0))))
    torn = [
        (silent_frame(f.at, concealed=True), p) if 0.5 < f.at < 1.0 and index % 3 == 0 else (f, p)
        for index, (f, p) in enumerate(whole)
    ]
    events = run(Endpointer(NPS, no_input_s=5.0), torn, {0.9: "девять"})
    assert events[0] == SpeechStarted(0.5)
    assert isinstance(events[-1], TurnOver)


def test_a_word_that_lost_packets_shorten_is_no_cough() -> None:
    """It was not understood: he is asked again, and not waited for."""
    flags = pattern(("quiet", 0.5), ("voice", 0.16), ("quiet", 6.0))
    torn = [
        (silent_frame(f.at, concealed=True), p) if f.at == pytest.approx(0.6) else (f, p)
        for f, p in spoken(flags)
    ]
    assert run(Endpointer(NPS, no_input_s=5.0), torn)[-1] == TurnOver(2.36, 0.5, 0.66, OverReason.SILENCE)


def losing(fed: Iterable[tuple[Frame, float]], every: int) -> list[tuple[Frame, float]]:
    """The same over a line on which one frame in so many does not arrive."""
    return [
        (silent_frame(f.at, concealed=True), p) if index % every == 0 else (f, p)
        for index, (f, p) in enumerate(fed)
    ]


def test_scraps_of_a_voice_on_a_line_that_loses_much_are_an_answer_to_ask_for_again() -> None:
    """Else he who has answered would wait in silence for as long as one who has not."""
    scraps = list(spoken(pattern(("quiet", 1.0), ("voice", 0.06), ("quiet", 6.0))))
    assert run(Endpointer(NPS, no_input_s=5.0), losing(scraps, 5)) == [NoInput(2.46)]
    assert run(Endpointer(NPS, no_input_s=5.0), losing(scraps, 50)) == [NoInput(5.0)]
    silent = losing(spoken(pattern(("quiet", 7.0))), 5)
    assert run(Endpointer(NPS, no_input_s=5.0), silent) == [NoInput(5.0)]


def test_scraps_during_the_question_are_no_answer_to_it() -> None:
    endpointer = Endpointer(NPS, no_input_s=5.0, waiting=False)
    fed = losing(spoken(pattern(("quiet", 1.0), ("voice", 0.06), ("quiet", 9.0))), 5)
    assert run(endpointer, fed[:100]) == []
    endpointer.wait(2.0)
    assert run(endpointer, fed[100:]) == [NoInput(7.0)]


def test_a_line_that_breaks_off_in_a_sound_leaves_nobody_waiting() -> None:
    flags = pattern(("quiet", 0.5), ("voice", 0.04), ("quiet", 6.0))
    cut = [(silent_frame(f.at, concealed=True), p) if f.at >= 0.54 else (f, p) for f, p in spoken(flags)]
    assert run(Endpointer(NPS, no_input_s=5.0), cut) == [NoInput(5.0)]


def test_the_vads_ringing_after_a_word_does_not_move_its_end() -> None:
    fed = [
        (f, 0.8 if 0.5 <= f.at < 1.2 else p)
        for f, p in spoken(pattern(("quiet", 0.5), ("voice", 0.5), ("quiet", 2)))
    ]
    over = run(Endpointer(NPS, no_input_s=5.0), fed, {0.9: "девять"})[-1]
    assert over == TurnOver(1.26, 0.5, 1.0, OverReason.SILENCE)


def test_the_end_is_exact_to_ten_milliseconds() -> None:
    tone = tone_frame(1.0)
    half = replace(tone, data=tone.data[:160] + bytes(160))  # 10 ms of tone, 10 ms of silence
    fed = [*spoken([True] * 50), (half, 0.9), *spoken([False] * 60, at=1.02)]
    over = run(Endpointer(NPS, no_input_s=5.0), fed, {0.5: "девять"})[-1]
    assert isinstance(over, TurnOver)
    assert over.ended_s == 1.01


def test_nobody_speaks() -> None:
    assert run(Endpointer(NPS, no_input_s=3.0), spoken([False] * 400, at=20.0)) == [NoInput(23.0)]


def test_the_wait_begins_when_the_prompt_has_ended() -> None:
    endpointer = Endpointer(NPS, no_input_s=3.0, waiting=False)
    assert run(endpointer, spoken([False] * 400)) == []
    endpointer.wait(8.0)
    assert run(endpointer, spoken([False] * 400, at=8.0)) == [NoInput(11.0)]


def test_a_caller_who_speaks_into_the_prompt_is_heard() -> None:
    endpointer = Endpointer(NPS, no_input_s=3.0, waiting=False)
    fed = spoken(pattern(("quiet", 1.0), ("voice", 0.4), ("quiet", 1.0)))
    assert run(endpointer, fed, {1.3: "десять"})[-1] == TurnOver(1.66, 1.0, 1.4, OverReason.SILENCE)
    assert endpointer.over


def test_speech_that_begins_just_before_the_wait_is_over_counts() -> None:
    fed = spoken(pattern(("quiet", 2.96), ("voice", 0.5), ("quiet", 1.0)))
    events = run(Endpointer(NPS, no_input_s=3.0), fed, {3.3: "пять"})
    assert [type(event) for event in events] == [SpeechStarted, SpeechEnded, TurnOver]


def test_a_click_is_no_speech() -> None:
    fed = spoken(pattern(("quiet", 1.0), ("voice", 0.04), ("quiet", 4.0)))
    assert run(Endpointer(NPS, no_input_s=3.0), fed) == [NoInput(3.0)]


def test_a_cough_starts_a_turn_that_is_dropped() -> None:
    fed = spoken(pattern(("quiet", 1.0), ("voice", 0.1), ("quiet", 4.0)))
    assert run(Endpointer(NPS, no_input_s=3.0), fed, {1.2: "[unk]"}) == [
        SpeechStarted(1.0),
        SpeechEnded(1.1),
        NoInput(3.0),
    ]


def test_a_short_word_that_was_recognised_is_a_turn() -> None:
    fed = spoken(pattern(("quiet", 1.0), ("voice", 0.1), ("quiet", 4.0)))
    over = run(Endpointer(YesNoExpected(), no_input_s=3.0), fed, {1.2: "да"})[-1]
    assert over == TurnOver(1.36, 1.0, 1.1, OverReason.SILENCE)


def test_long_sound_without_words_is_a_turn_too() -> None:
    """The dialogue then asks again, rather than leaving the caller in silence."""
    fed = spoken(pattern(("quiet", 1.0), ("voice", 0.6), ("quiet", 4.0)))
    assert isinstance(run(Endpointer(NPS, no_input_s=5.0), fed)[-1], TurnOver)


def test_words_that_the_vad_slept_through_are_a_turn() -> None:
    fed = [(f, min(p, 0.4)) for f, p in spoken(pattern(("quiet", 1.0), ("voice", 0.5), ("quiet", 4.0)))]
    events = run(Endpointer(NPS, no_input_s=5.0), fed, {1.7: "девять"})
    assert events[0] == SpeechStarted(1.52)
    assert events[-1] == TurnOver(1.78, 1.52, 1.52, OverReason.SILENCE)


def test_words_where_the_vad_is_sure_that_nobody_speaks_are_none() -> None:
    """A bar of music that sounds like a word, long after a cough and before the answer."""
    fed = spoken(pattern(("voice", 0.04), ("quiet", 2.0), ("voice", 0.5), ("quiet", 4.0)))
    events = run(Endpointer(NPS, no_input_s=5.0), fed, {1.7: "да", 2.9: "да девять"})
    assert events[0] == SpeechStarted(2.04)
    assert isinstance(events[-1], TurnOver)


def test_words_that_appear_late_do_not_prolong_the_turn() -> None:
    fed = spoken(pattern(("quiet", 1.0), ("voice", 0.5), ("quiet", 4.0)))
    over = run(Endpointer(NPS, no_input_s=5.0), fed, {1.8: "девять", 1.9: "девять баллов"})[-1]
    assert over == TurnOver(1.82, 1.0, 1.5, OverReason.SILENCE)


def test_an_open_answer_is_cut_at_its_limit() -> None:
    over = run(Endpointer(OPEN, no_input_s=5.0), spoken([True] * 600), {0.5: "ну"})[-1]
    assert over == TurnOver(5.0, 0.0, 5.0, OverReason.TOO_LONG)


def test_a_soft_caller_is_measured_by_his_own_level() -> None:
    """At -52 dBFS all of him is below the level that counts as voice for others."""
    soft = [
        (tone_frame(f.at, 0.0035) if p > 0.5 else f, p)
        for f, p in spoken(pattern(("quiet", 1), ("voice", 0.5), ("quiet", 2)))
    ]
    over = run(Endpointer(NPS, no_input_s=5.0), soft, {1.4: "девять"})[-1]
    assert over == TurnOver(1.76, 1.0, 1.5, OverReason.SILENCE)


def test_another_strategy_decides() -> None:
    class Quick:
        def silence_s(self, expectation: Expectation | None, partial: str, spoken_s: float) -> float:
            return 0.2 if partial == "девять" else 1.0

    fed = list(spoken(pattern(("voice", 0.5), ("quiet", 2.0))))
    quick = run(Endpointer(NPS, no_input_s=5.0, strategy=Quick()), fed, {0.4: "девять"})[-1]
    slow = run(Endpointer(NPS, no_input_s=5.0, strategy=Quick()), fed, {0.4: "девяносто"})[-1]
    assert (quick.at, slow.at) == (0.7, 1.5)


def test_nothing_comes_after_the_end() -> None:
    endpointer = Endpointer(NPS, no_input_s=1.0)
    run(endpointer, spoken([False] * 60))
    assert endpointer.over
    assert run(endpointer, spoken([True] * 200, at=1.2)) == []


flags = st.lists(
    st.tuples(st.booleans(), st.integers(1, 60)).map(lambda part: [part[0]] * part[1]), max_size=12
).map(lambda parts: [flag for part in parts for flag in part])


@settings(deadline=None)
@given(flags, st.sampled_from([NPS, OPEN]), st.booleans())
def test_a_turn_is_always_well_formed(voiced: list[bool], expectation: Expectation, has_words: bool) -> None:
    silences = EndpointingSettings()
    fed = list(spoken(voiced))
    events = run(Endpointer(expectation, no_input_s=2.0), fed, {0.0: "да"} if has_words else None)
    ends = [event for event in events if isinstance(event, TurnOver | NoInput)]
    assert len(ends) <= 1
    assert ends == events[len(events) - len(ends) :]
    begun = [event for event in events if isinstance(event, SpeechStarted | SpeechEnded)]
    for earlier, later in pairwise(begun):
        assert type(earlier) is not type(later)
        assert earlier.at <= later.at
    if ends and isinstance(ends[0], TurnOver):
        over = ends[0]
        assert over.started_s <= over.ended_s <= over.at
        # the last voiced frame at or before the end is where the turn says it ended
        if not has_words:
            last = max(f.at + FRAME_S for (f, p) in fed if p > 0.5 and f.at < over.at)
            assert over.ended_s == pytest.approx(last)
        if over.reason is OverReason.SILENCE:
            needed = silences.incomplete_silence_s
            if has_words and expectation is OPEN:
                needed = silences.open_silence_s
            assert over.at - over.ended_s == pytest.approx(needed, abs=FRAME_S)


@settings(deadline=None)
@given(flags, st.floats(0.0, 3600.0))
def test_only_differences_of_media_time_matter(voiced: list[bool], shift: float) -> None:
    here = run(Endpointer(NPS, no_input_s=2.0), spoken(voiced))
    there = run(Endpointer(NPS, no_input_s=2.0), spoken(voiced, at=round(shift, 2)))
    assert [type(event) for event in here] == [type(event) for event in there]
    assert [e.at + round(shift, 2) for e in here] == pytest.approx([e.at for e in there], abs=1e-3)
