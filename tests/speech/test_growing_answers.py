"""How long the kinds of questions wait whose answers grow: lists, counts, times, and the confirming one."""

from __future__ import annotations

import pytest

from bot.core.directives import (
    ChoiceOption,
    ConfirmExpected,
    DateExpected,
    Expectation,
    MultiChoiceExpected,
    NumberExpected,
    ScaleExpected,
)
from bot.speech.endpointing import Endpointer, NoInput, TurnOver, strategy_for
from bot.speech.settings import EndpointingSettings
from tests.speech.sounds import spoken
from tests.speech.test_endpointing import pattern, run

SETTINGS = EndpointingSettings()
LIST = MultiChoiceExpected(
    options=(ChoiceOption(id="price", say=("цена",)), ChoiceOption(id="speed", say=("скорость",)))
)
TWO_OF_THREE = MultiChoiceExpected(
    options=(*LIST.options, ChoiceOption(id="quality", say=("качество",))), at_most=2
)
COUNT = NumberExpected(low=0, high=100)
MANY = NumberExpected(low=0, high=10_000)
WHEN = DateExpected(horizon_days=7)
SEVEN = ConfirmExpected(of=ScaleExpected(low=0, high=10), candidates=(7,))


def waits(expectation: Expectation, partial: str) -> float:
    return strategy_for(expectation, SETTINGS).silence_s(expectation, partial, 1.0)


@pytest.mark.parametrize(
    ("expectation", "partial", "seconds"),
    [
        (LIST, "цена", SETTINGS.open_silence_s),
        (LIST, "цена и", SETTINGS.incomplete_silence_s),
        (COUNT, "двадцать", SETTINGS.likely_silence_s),
        (COUNT, "ну наверное", SETTINGS.incomplete_silence_s),
        (WHEN, "завтра", SETTINGS.likely_silence_s),
        (WHEN, "завтра утром в", SETTINGS.incomplete_silence_s),
        (SEVEN, "да", SETTINGS.complete_silence_s),
        (SEVEN, "восемь", SETTINGS.complete_silence_s),
        (SEVEN, "нет", SETTINGS.open_silence_s),
        (SEVEN, "нет восемь", SETTINGS.complete_silence_s),
    ],
)
def test_it_waits_for_what_may_follow(expectation: Expectation, partial: str, seconds: float) -> None:
    assert waits(expectation, partial) == seconds


WHOLE = [
    (LIST, "цена и скорость"),  # there are but two
    (TWO_OF_THREE, "качество цена"),
    (TWO_OF_THREE, "цена больше ничего"),
    (TWO_OF_THREE, "цена и всё"),
    (TWO_OF_THREE, "цена это всё"),
    (TWO_OF_THREE, "цена всё"),
    (LIST, "всё"),
    (COUNT, "двадцать пять"),
    (COUNT, "сто"),
    (COUNT, "пять"),
    (COUNT, "два раза"),
    (COUNT, "ни разу"),
    (COUNT, "дважды"),
    (WHEN, "завтра в десять утра"),
    (WHEN, "в десять утра завтра"),
    (WHEN, "в пятницу в три часа дня"),
    (WHEN, "завтра в половине седьмого вечера"),
    (WHEN, "через двадцать минут"),
    (WHEN, "сейчас"),
]
GROWING = [
    (TWO_OF_THREE, "цена", SETTINGS.open_silence_s),
    (TWO_OF_THREE, "цена пожалуйста", SETTINGS.open_silence_s),
    (COUNT, "девяносто", SETTINGS.likely_silence_s),
    (COUNT, "один", SETTINGS.likely_silence_s),
    (COUNT, "раз", SETTINGS.likely_silence_s),
    (MANY, "сто", SETTINGS.likely_silence_s),
    (MANY, "пять", SETTINGS.likely_silence_s),  # thousand
    (MANY, "сто двадцать", SETTINGS.likely_silence_s),
    (WHEN, "завтра утром", SETTINGS.likely_silence_s),
    (WHEN, "завтра в десять", SETTINGS.likely_silence_s),  # thirty
    (WHEN, "в шесть вечера", SETTINGS.likely_silence_s),  # tomorrow
    (WHEN, "через час", SETTINGS.likely_silence_s),  # and a half
    (WHEN, "после шести вечера", SETTINGS.likely_silence_s),
    (WHEN, "завтра с двух дня", SETTINGS.likely_silence_s),  # to five
]


@pytest.mark.parametrize(("expectation", "partial"), WHOLE)
def test_what_nothing_can_follow_is_quick(expectation: Expectation, partial: str) -> None:
    assert waits(expectation, partial) == SETTINGS.complete_silence_s


@pytest.mark.parametrize(("expectation", "partial", "seconds"), GROWING)
def test_what_may_grow_is_waited_for(expectation: Expectation, partial: str, seconds: float) -> None:
    assert waits(expectation, partial) == seconds


# On the virtual clock -----------------------------------------------------------------------

EVERY = [LIST, COUNT, WHEN, SEVEN]
PAUSES = [round(0.3 + 0.2 * step, 1) for step in range(7)]  # to 1.5 s


@pytest.mark.parametrize("pause_s", PAUSES)
@pytest.mark.parametrize(
    ("expectation", "first", "whole"),
    [
        (LIST, "", "цена и скорость"),  # «э-э-э цена…»: a voice without words
        (LIST, "цена и", "цена и скорость"),
        (LIST, "ну это", "ну это цена и скорость"),
        (COUNT, "", "двадцать пять"),
        (COUNT, "ну наверное", "ну наверное двадцать пять"),
        (COUNT, "раза", "раза три"),
        (WHEN, "", "завтра в десять утра"),
        (WHEN, "завтра в", "завтра в десять утра"),
        (WHEN, "ну", "ну завтра в десять утра"),
        (SEVEN, "", "да"),
        (SEVEN, "ну", "ну да"),
        (SEVEN, "нет не", "нет не семь а восемь"),
    ],
)
def test_a_pause_in_what_is_not_whole_cuts_nobody(
    expectation: Expectation, first: str, whole: str, pause_s: float
) -> None:
    fed = spoken(pattern(("quiet", 1.0), ("voice", 0.4), ("quiet", pause_s), ("voice", 0.4), ("quiet", 3.0)))
    over = run(
        Endpointer(expectation, no_input_s=9.0), fed, {1.5: first, round(1.4 + pause_s + 0.5, 2): whole}
    )[-1]
    assert isinstance(over, TurnOver)
    assert over.ended_s == pytest.approx(1.8 + pause_s)
    assert over.at - over.ended_s <= SETTINGS.complete_silence_s + 0.02


@pytest.mark.parametrize(
    ("expectation", "first", "pause_s", "whole"),
    [
        (LIST, "цена", 1.1, "цена и скорость"),
        (COUNT, "двадцать", 0.5, "двадцать пять"),
        (WHEN, "завтра", 0.5, "завтра в десять утра"),
        (WHEN, "завтра в десять", 0.5, "завтра в десять утра"),
        (SEVEN, "нет", 1.1, "нет восемь"),
    ],
)
def test_a_pause_in_what_may_grow_cuts_nobody_who_makes_a_short_one(
    expectation: Expectation, first: str, pause_s: float, whole: str
) -> None:
    fed = spoken(pattern(("voice", 0.4), ("quiet", pause_s), ("voice", 0.4), ("quiet", 3.0)))
    over = run(Endpointer(expectation, no_input_s=9.0), fed, {0.3: first, round(pause_s + 0.8, 2): whole})[-1]
    assert isinstance(over, TurnOver)
    assert over.ended_s == pytest.approx(0.8 + pause_s)


@pytest.mark.parametrize(
    ("expectation", "words"),
    [
        (LIST, ("цена", "цена ой нет", "цена ой нет скорость больше ничего")),
        (COUNT, ("двадцать пять", "двадцать пять ой", "двадцать пять ой нет тридцать шесть")),
        (
            WHEN,
            ("завтра в десять утра", "завтра в десять утра ой", "завтра в десять утра ой нет в девять утра"),
        ),
        (SEVEN, ("да", "да ой нет", "да ой нет восемь")),
    ],
)
def test_a_correction_inside_the_window_is_the_same_turn(
    expectation: Expectation, words: tuple[str, str, str]
) -> None:
    fed = spoken(pattern(("voice", 0.4), ("quiet", 0.2), ("voice", 0.9), ("quiet", 2.0)))
    over = run(Endpointer(expectation, no_input_s=5.0), fed, {0.35: words[0], 1.0: words[1], 1.55: words[2]})[
        -1
    ]
    assert isinstance(over, TurnOver)
    assert over.ended_s == pytest.approx(1.5)
    assert over.at == pytest.approx(1.76, abs=0.021)


@pytest.mark.parametrize("expectation", EVERY, ids=lambda e: e.kind)
def test_silence_at_every_question(expectation: Expectation) -> None:
    assert run(Endpointer(expectation, no_input_s=4.0), spoken([False] * 400)) == [NoInput(4.0)]


@pytest.mark.parametrize("expectation", EVERY, ids=lambda e: e.kind)
def test_a_cough_at_every_question_leaves_the_wait_as_it_was(expectation: Expectation) -> None:
    fed = spoken(pattern(("quiet", 1.0), ("voice", 0.12), ("quiet", 4.0)))
    assert run(Endpointer(expectation, no_input_s=4.0), fed, {1.2: "[unk]"})[-1] == NoInput(4.0)
