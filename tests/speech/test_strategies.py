"""How much silence ends a turn, by what the question expects and what was said: every strategy."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.directives import (
    ChoiceExpected,
    ChoiceOption,
    Expectation,
    OpenExpected,
    ScaleExpected,
    YesNoExpected,
)
from bot.speech.endpointing import Endpointer, NoInput, OverReason, TurnOver, strategy_for
from bot.speech.settings import EndpointingSettings
from tests.speech.sounds import spoken
from tests.speech.test_endpointing import pattern, run

SETTINGS = EndpointingSettings()
COMPLETE, LIKELY = SETTINGS.complete_silence_s, SETTINGS.likely_silence_s
OPEN_S, INCOMPLETE = SETTINGS.open_silence_s, SETTINGS.incomplete_silence_s

NPS = ScaleExpected(low=0, high=10)
PERCENT = ScaleExpected(low=0, high=100)
YES_NO = YesNoExpected()
OPEN = OpenExpected()
TARIFF = ChoiceExpected(
    options=(
        ChoiceOption(id="net", say=("интернет",)),
        ChoiceOption(id="both", say=("интернет и телевидение", "всё вместе")),
        ChoiceOption(id="phone", say=("телефон", "связь")),
    )
)


def silence_s(expectation: Expectation, text: str) -> float:
    return strategy_for(expectation, SETTINGS).silence_s(expectation, text, 1.0)


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ("девять", COMPLETE),
        ("ну наверное девять", COMPLETE),
        ("э девять", COMPLETE),
        ("[unk] девять", COMPLETE),
        ("десять баллов", COMPLETE),
        ("десять из десяти", COMPLETE),
        ("твёрдая четвёрка", COMPLETE),
        ("восемь ой нет девять", COMPLETE),
        ("девять спасибо", COMPLETE),
        ("один", LIKELY),
        ("двадцать", LIKELY),
        ("девять наверное", LIKELY),
        ("девять [unk]", LIKELY),
        ("соедините с оператором", LIKELY),
        ("повторите пожалуйста", LIKELY),
        ("больше не звоните", LIKELY),
        ("кто это", LIKELY),
        ("девять всё понравилось", OPEN_S),
        ("", INCOMPLETE),
        ("[unk]", INCOMPLETE),
        ("э", INCOMPLETE),
        ("угу", INCOMPLETE),
        ("ну", INCOMPLETE),
        ("ну наверное", INCOMPLETE),
        ("не знаю", INCOMPLETE),
        ("ставлю", INCOMPLETE),
        ("нуль", LIKELY),  # as «ну» is heard
        ("нуль наверное", INCOMPLETE),
        ("нуль не знаю", INCOMPLETE),
        ("нуль наверное семь", COMPLETE),
        ("ноль наверное", LIKELY),
        ("ноль", COMPLETE),
        ("десять из", INCOMPLETE),
        ("восемь нет", INCOMPLETE),
        ("восемь ой", INCOMPLETE),
        ("восемь или", INCOMPLETE),
        ("восемь или девять", INCOMPLETE),
        ("восемь потому что", INCOMPLETE),
        ("между шестью", INCOMPLETE),
        ("между шесть [unk]", INCOMPLETE),
        ("между шестью и семью", INCOMPLETE),
        ("между шестью и семью пусть будет семь", COMPLETE),
    ],
)
def test_a_scale(text: str, needed: float) -> None:
    assert silence_s(NPS, text) == needed


@pytest.mark.parametrize(
    ("text", "needed"),
    [("двадцать", LIKELY), ("двадцать пять", COMPLETE), ("сто", COMPLETE), ("девяносто", LIKELY)],
)
def test_a_number_that_could_go_on(text: str, needed: float) -> None:
    assert silence_s(PERCENT, text) == needed


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ("да", COMPLETE),
        ("нет", COMPLETE),
        ("нет не решили", COMPLETE),
        ("да удобно", COMPLETE),
        ("ну да конечно", COMPLETE),
        ("угу", LIKELY),
        ("ага", COMPLETE),
        ("да наверное", LIKELY),
        ("да но", INCOMPLETE),
        ("нет не", INCOMPLETE),
        ("не до конца", INCOMPLETE),
        ("ну", INCOMPLETE),
        ("ну наверное", INCOMPLETE),
        ("", INCOMPLETE),
        ("нет я очень долго ждал", OPEN_S),
    ],
)
def test_yes_or_no(text: str, needed: float) -> None:
    assert silence_s(YES_NO, text) == needed


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ("телефон", COMPLETE),
        ("интернет и телевидение", COMPLETE),
        ("второе", COMPLETE),
        ("интернет", LIKELY),
        ("интернет и", INCOMPLETE),
        ("ну это", INCOMPLETE),
        ("интернет или телефон", INCOMPLETE),
    ],
)
def test_a_choice(text: str, needed: float) -> None:
    assert silence_s(TARIFF, text) == needed


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ("очень долго ждал", OPEN_S),
        ("всё понравилось", OPEN_S),
        ("очень долго ждал потому что", INCOMPLETE),
        ("ну", INCOMPLETE),
        ("", INCOMPLETE),
        ("[unk] [unk]", INCOMPLETE),
    ],
)
def test_an_open_answer(text: str, needed: float) -> None:
    assert silence_s(OPEN, text) == needed


@given(
    st.sampled_from([NPS, PERCENT, YES_NO, TARIFF, OPEN]),
    st.lists(
        st.sampled_from(
            [
                "да",
                "нет",
                "ну",
                "не",
                "восемь",
                "один",
                "двадцать",
                "интернет",
                "и",
                "ой",
                "[unk]",
                "потому",
                "что",
            ]
        )
    ).map(" ".join)
    | st.text(max_size=20),
)
def test_any_words_have_a_silence(expectation: Expectation, text: str) -> None:
    assert COMPLETE <= silence_s(expectation, text) <= INCOMPLETE


# On the virtual clock --------------------------------------------------------------------------

PAUSES = [round(0.3 + 0.1 * step, 1) for step in range(13)]


@pytest.mark.parametrize("pause_s", PAUSES)
@pytest.mark.parametrize(
    ("expectation", "first", "whole"),
    [
        (NPS, "ну наверное", "ну наверное девять"),
        (NPS, "", "девять"),  # «э-э-э девять»: a voice without words
        (NPS, "ставлю", "ставлю три"),
        (NPS, "десять из", "десять из десяти"),
        (YES_NO, "ну", "ну да"),
        (YES_NO, "нет не", "нет не решили"),
        (TARIFF, "интернет и", "интернет и телевидение"),
        (OPEN, "очень долго ждал потому что", "очень долго ждал потому что никто не отвечал"),
    ],
)
def test_a_pause_in_what_is_not_whole_cuts_nobody(
    expectation: Expectation, first: str, whole: str, pause_s: float
) -> None:
    fed = spoken(pattern(("quiet", 1.0), ("voice", 0.4), ("quiet", pause_s), ("voice", 0.4), ("quiet", 3.0)))
    said = {1.5: first, round(1.4 + pause_s + 0.5, 2): whole}
    over = run(Endpointer(expectation, no_input_s=9.0), fed, said)[-1]
    assert isinstance(over, TurnOver)
    assert over.ended_s == pytest.approx(1.8 + pause_s)
    assert over.at - over.ended_s <= (OPEN_S if expectation is OPEN else COMPLETE) + 0.02


def test_a_correction_inside_the_window_is_the_same_turn() -> None:
    fed = spoken(pattern(("voice", 0.4), ("quiet", 0.2), ("voice", 0.9), ("quiet", 2.0)))
    over = run(
        Endpointer(NPS, no_input_s=5.0),
        fed,
        {0.5: "восемь", 1.1: "восемь ой нет", 1.6: "восемь ой нет девять"},
    )
    assert over[-1] == TurnOver(1.76, 0.0, 1.5, OverReason.SILENCE)


@pytest.mark.parametrize("expectation", [NPS, YES_NO, TARIFF, OPEN], ids=lambda e: e.kind)
def test_silence_at_every_question(expectation: Expectation) -> None:
    fed = spoken([False] * 400)
    assert run(Endpointer(expectation, no_input_s=4.0), fed) == [NoInput(4.0)]


@pytest.mark.parametrize("expectation", [NPS, YES_NO, TARIFF, OPEN], ids=lambda e: e.kind)
def test_a_cough_at_every_question_leaves_the_wait_as_it_was(expectation: Expectation) -> None:
    fed = spoken(pattern(("quiet", 1.0), ("voice", 0.12), ("quiet", 4.0)))
    assert run(Endpointer(expectation, no_input_s=4.0), fed, {1.2: "[unk]"})[-1] == NoInput(4.0)


def test_a_nod_at_a_scale_may_be_followed_by_the_answer() -> None:
    fed = spoken(pattern(("voice", 0.2), ("quiet", 1.4), ("voice", 0.4), ("quiet", 2.0)))
    over = run(Endpointer(NPS, no_input_s=5.0), fed, {0.3: "угу", 1.9: "угу девять"})[-1]
    assert isinstance(over, TurnOver)
    assert over.at == pytest.approx(2.26)


def test_an_open_answer_may_take_thirty_seconds() -> None:
    long = OpenExpected()
    fed = spoken(pattern(*((("voice", 2.0), ("quiet", 1.0)) * 12)))
    over = run(Endpointer(long, no_input_s=5.0), fed, {0.5: "очень долго ждал"})[-1]
    assert isinstance(over, TurnOver)
    assert (over.reason, over.at) == (OverReason.TOO_LONG, pytest.approx(30.0, abs=0.02))


@pytest.mark.parametrize(
    ("expectation", "before", "text", "needed"),
    [
        (NPS, YES_NO, "нет не решили", COMPLETE),
        (YES_NO, NPS, "девять", COMPLETE),
        (OPEN, NPS, "нет девять", COMPLETE),
        (OPEN, NPS, "очень долго ждал", OPEN_S),
        (None, NPS, "ой нет девять", COMPLETE),
        (NPS, OPEN, "и ещё", INCOMPLETE),
    ],
)
def test_what_may_still_be_about_the_question_before(
    expectation: Expectation | None, before: Expectation, text: str, needed: float
) -> None:
    fed = spoken(pattern(("voice", 0.5), ("quiet", 3.0)))
    over = run(Endpointer(expectation, no_input_s=5.0, before=before), fed, {0.4: text})[-1]
    assert isinstance(over, TurnOver)
    assert over.at - over.ended_s == pytest.approx(needed, abs=0.021)
