"""The policy of barge-in alone, frame by frame on media time."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from bot.call.barge_in import BargeIn, BargeInReason, Pause, Resume, Sound, Stop
from bot.core.directives import (
    ChoiceExpected,
    ChoiceOption,
    ConfirmExpected,
    DateExpected,
    Expectation,
    MultiChoiceExpected,
    NumberExpected,
    OpenExpected,
    ScaleExpected,
    ScaleLabel,
    YesNoExpected,
)

NPS = ScaleExpected(low=0, high=10)
TEXT = "Насколько вы готовы порекомендовать нас, от нуля до десяти?"
LENGTH_S = 4.0

Happened = tuple[float, Pause | Resume | Stop]


def policy(expectation: Expectation | None = NPS, *, protected: bool = False) -> BargeIn:
    return BargeIn(TEXT, LENGTH_S, expectation, protected=protected)


def run(
    barge: BargeIn,
    seconds: float,
    *,
    voice: Iterable[tuple[float, float]] = (),
    words: Iterable[tuple[float, str]] = (),
    level: float = -20.0,
    own: float = -120.0,
    saying_s: float = 0.0,
    probability: float = 0.9,
    concealed: bool = False,
) -> list[Happened]:
    """Feed silence with voice in these spans (seconds), and the partial text from these times on. What
    the driver does is done here: a prompt that resumes has forgotten the words."""
    happened: list[Happened] = []
    forgotten = 0.0
    for index in range(round(seconds / 0.02)):
        begin, at = index * 0.02, (index + 1) * 0.02
        loud = any(start - 1e-6 <= begin < end - 1e-6 for start, end in voice)
        partial = ""
        for since, text in words:
            partial = text if forgotten < since <= at else partial
        action = barge.push(
            Sound(
                at=round(at, 3),
                probability=probability if loud else 0.02,
                level_dbfs=level if loud else -70.0,
                own_dbfs=own,
                concealed=concealed,
                partial=partial,
                saying_s=saying_s,
            )
        )
        if action is not None:
            happened.append((round(at, 3), action))
        if isinstance(action, Resume):
            forgotten = at
            barge.resumed()
        if isinstance(action, Stop):
            break
    return happened


def kinds(happened: list[Happened]) -> list[type]:
    return [type(action) for _, action in happened]


@pytest.mark.parametrize("at", [0.0, 0.02, 0.5, 1.7, 3.3, 3.9])
def test_an_answer_at_any_point_pauses_and_stops(at: float) -> None:
    happened = run(policy(), at + 2, voice=[(at, at + 0.4)], words=[(at + 0.6, "девять")])
    (paused, pause), (stopped, stop) = happened
    assert paused == pytest.approx(at + 0.04)
    assert pause == Pause(round(at, 3))
    assert stop == Stop(BargeInReason.WORDS)
    assert stopped - paused < 0.7


def test_words_stop_it_as_soon_as_they_stand() -> None:
    happened = run(policy(), 2, voice=[(0.5, 1.4)], words=[(0.72, "девять")])
    assert happened[-1] == (0.82, Stop(BargeInReason.WORDS))


def test_a_first_guess_that_becomes_a_nod_does_not_stop_it() -> None:
    happened = run(policy(), 3, voice=[(0.5, 0.8)], words=[(0.7, "на"), (0.76, "ага")])
    assert kinds(happened) == [Pause, Resume]


@pytest.mark.parametrize("length", [0.08, 0.2, 0.3])
def test_a_cough_lets_it_go_on(length: float) -> None:
    happened = run(policy(), 3, voice=[(0.5, 0.5 + length)], words=[(0.8, "[unk]")])
    assert kinds(happened) == [Pause, Resume]
    (paused, _), (resumed, _) = happened
    assert resumed - paused < 0.7


@pytest.mark.parametrize("nod", ["угу", "ага", "так", "ага угу", "да", "ну да"])
def test_a_nod_lets_it_go_on(nod: str) -> None:
    happened = run(policy(), 3, voice=[(0.5, 0.8)], words=[(0.9, nod)])
    assert kinds(happened) == [Pause, Resume]
    assert happened[1][1] == Resume(BargeInReason.NOD)
    assert happened[1][0] - happened[0][0] < 0.7


def test_a_nod_that_goes_on_to_an_answer_stops_it() -> None:
    happened = run(policy(), 3, voice=[(0.5, 1.2)], words=[(0.75, "ну"), (0.95, "ну девять")])
    assert happened[-1] == (1.06, Stop(BargeInReason.WORDS))


SCALE = ScaleExpected(low=0, high=10)
LABELS = ScaleExpected(
    low=1, high=3, labels=(ScaleLabel(code=3, say=("хорошо",)), ScaleLabel(code=1, say=("плохо",)))
)
CHOICE = ChoiceExpected(
    options=(ChoiceOption(id="ok", say=("так и было",)), ChoiceOption(id="soso", say=("ладно",)))
)
SEVERAL = MultiChoiceExpected(
    options=(ChoiceOption(id="ok", say=("хорошо",)), ChoiceOption(id="price", say=("цена",)))
)
CONFIRM = ConfirmExpected(of=SCALE, candidates=(7,))
EITHER = ConfirmExpected(of=YesNoExpected(), candidates=("yes", "no"))

ANSWERS = [
    (YesNoExpected(), "да"),
    (YesNoExpected(), "да да"),
    (YesNoExpected(), "ага"),
    (YesNoExpected(), "ну да"),
    (YesNoExpected(), "хорошо"),
    (CONFIRM, "да"),
    (CONFIRM, "да да"),
    (CONFIRM, "ага"),
    (EITHER, "да"),
    (LABELS, "хорошо"),
    (CHOICE, "так и было"),
    (CHOICE, "ладно"),
    (SEVERAL, "хорошо"),
    (NumberExpected(low=0, high=100), "ну пять"),
    (DateExpected(horizon_days=7), "ну завтра"),
]
NODS = [
    (SCALE, "угу"),
    (SCALE, "да"),
    (SCALE, "хорошо"),
    (LABELS, "угу"),
    (LABELS, "да"),
    (CHOICE, "да"),
    (SEVERAL, "ага"),
    (YesNoExpected(), "угу"),
    (CONFIRM, "угу"),
    (ConfirmExpected(of=SCALE, candidates=(7, 8)), "да"),
    (NumberExpected(low=0, high=100), "ага"),
    (DateExpected(horizon_days=7), "хорошо"),
    (OpenExpected(), "да"),
    (OpenExpected(), "хорошо"),
    (None, "да"),
]


@pytest.mark.parametrize(("expectation", "words"), ANSWERS)
def test_what_answers_the_question_is_no_nod(expectation: Expectation, words: str) -> None:
    happened = run(policy(expectation), 2, voice=[(0.5, 0.8)], words=[(0.9, words)])
    assert happened[-1][1] == Stop(BargeInReason.WORDS)


@pytest.mark.parametrize(("expectation", "words"), NODS)
def test_a_nod_is_what_answers_nothing(expectation: Expectation | None, words: str) -> None:
    happened = run(policy(expectation), 2, voice=[(0.5, 0.8)], words=[(0.9, words)])
    assert happened[-1][1] == Resume(BargeInReason.NOD)


def test_a_long_voice_without_a_known_word_stops_it() -> None:
    happened = run(policy(), 3, voice=[(0.5, 2.5)], words=[(0.9, "[unk]")])
    assert kinds(happened) == [Pause, Stop]
    assert happened[1][1] == Stop(BargeInReason.VOICE)
    assert happened[1][0] - happened[0][0] <= 0.62


def test_a_long_nod_does_not() -> None:
    happened = run(policy(), 1.3, voice=[(0.5, 1.1)], words=[(0.9, "угу")])
    assert kinds(happened) == [Pause, Resume]


def test_the_decision_is_never_later_than_promised() -> None:
    """Voice that stutters just so that neither silence nor speech is ever long."""
    voice = [(0.5 + 0.3 * step, 0.52 + 0.3 * step + 0.04) for step in range(8)]
    happened = run(policy(), 4, voice=voice)
    pairs = list(zip(happened[::2], happened[1::2], strict=False))
    assert pairs
    for (paused, pause), (decided, action) in pairs:
        assert isinstance(pause, Pause)
        assert isinstance(action, Resume | Stop)
        assert decided - paused <= 0.62


def test_a_click_does_not_even_pause() -> None:
    assert run(policy(), 2, voice=[(0.5, 0.52), (0.8, 0.82), (1.2, 1.22)]) == []


def test_noise_that_the_vad_does_not_believe_does_not_pause() -> None:
    assert run(policy(), 2, voice=[(0.5, 1.5)], probability=0.2, level=-32.0) == []
    assert run(policy(), 2, voice=[(0.5, 1.5)], probability=0.12) == []


def test_what_is_as_loud_as_a_voice_pauses_on_less_evidence() -> None:
    """The «ш» of «шесть», before its vowel."""
    assert run(policy(), 2, voice=[(0.5, 1.5)], probability=0.2, level=-28.0)[0] == (
        pytest.approx(0.54),
        Pause(0.5),
    )


def test_a_noisy_line_is_no_voice() -> None:
    """The VAD errs on the noise now and then; it has been that loud all the time."""
    barge = policy()
    for index in range(100):
        barge.push(Sound(at=index * 0.02, probability=0.05, level_dbfs=-38.0))
    for index in range(100, 150):
        assert barge.push(Sound(at=index * 0.02, probability=0.5, level_dbfs=-37.0)) is None


def test_each_false_alarm_makes_the_next_one_harder() -> None:
    barge = policy()
    happened = run(barge, 6, voice=[(1.0, 1.1), (2.0, 2.1), (3.0, 3.1), (4.0, 4.1)])
    assert [at for at, action in happened if isinstance(action, Pause)] == pytest.approx(
        [1.04, 2.06, 3.08, 4.1]
    )


def test_echo_does_not_pause() -> None:
    assert run(policy(), 3, voice=[(0.2, 2.8)], level=-32, own=-30) == []
    assert run(policy(), 3, voice=[(0.2, 2.8)], level=-22, own=-30) == []


def test_a_voice_over_the_echo_does() -> None:
    assert kinds(run(policy(), 2, voice=[(0.5, 1.5)], level=-20, own=-30)) == [Pause, Stop]


def test_words_that_the_prompt_says_at_that_moment_do_not_count_at_echo_level() -> None:
    echo = run(policy(), 3, voice=[(0.5, 0.8)], words=[(0.8, "десять")], level=-19, own=-30, saying_s=3.8)
    assert echo[-1][1] == Resume(BargeInReason.ECHO)


@pytest.mark.parametrize(
    ("level", "own", "saying_s", "word"),
    [
        (-18.0, -120.0, 3.8, "десять"),  # no echo could be so loud
        (-19.0, -30.0, 0.5, "десять"),  # the prompt does not say it now
        (-19.0, -30.0, 3.8, "девять"),  # nor this word at all
    ],
)
def test_but_the_callers_own_words_do(level: float, own: float, saying_s: float, word: str) -> None:
    happened = run(
        policy(), 3, voice=[(0.5, 0.8)], words=[(0.8, word)], level=level, own=own, saying_s=saying_s
    )
    assert happened[-1][1] == Stop(BargeInReason.WORDS)


def test_a_protected_prompt_is_never_touched() -> None:
    assert run(policy(protected=True), 4, voice=[(0.5, 3.5)], words=[(1.0, "девять")]) == []


def test_lost_packets_are_no_voice() -> None:
    assert run(policy(), 2, voice=[(0.5, 1.5)], concealed=True) == []


def test_the_final_words_are_judged_as_the_partial_ones() -> None:
    barge = policy()
    assert barge.judge("", 1.0) == Resume(BargeInReason.NOISE)
    assert barge.judge("угу", 1.0) == Resume(BargeInReason.NOD)
    assert barge.judge("девять", 1.0) is None
