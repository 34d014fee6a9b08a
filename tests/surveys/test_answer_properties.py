"""What holds for every utterance: forms and fillers change nothing, and nothing breaks the parser."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.answer import Answer
from bot.core.context import TurnSource, UserTurn
from bot.core.directives import (
    ChoiceExpected,
    ChoiceOption,
    ConfirmExpected,
    DateExpected,
    Expectation,
    MultiChoiceExpected,
    NumberExpected,
    ScaleExpected,
    YesNoExpected,
)
from bot.surveys.answers import Unclear, parse
from bot.surveys.numerals import LEXICON, Form
from tests.effort import effort
from tests.surveys.test_answer_quality import SETS
from tests.surveys.turns import say

TEN = ScaleExpected(low=0, high=10)
OPTIONS = (ChoiceOption(id="price", say=("цена",)), ChoiceOption(id="speed", say=("скорость", "быстрота")))
NOW = datetime(2026, 11, 25, 14, 10, tzinfo=ZoneInfo("Europe/Moscow"))
ALL: list[Expectation] = [
    TEN,
    ScaleExpected(low=1, high=5),
    ScaleExpected(low=1, high=3),
    YesNoExpected(),
    ChoiceExpected(options=OPTIONS),
    MultiChoiceExpected(options=OPTIONS, at_most=1),
    NumberExpected(low=0, high=100),
    DateExpected(horizon_days=14),
    ConfirmExpected(of=TEN, candidates=(7,)),
]

FORMS = st.sampled_from(
    sorted(
        (word, value)
        for word, (value, form) in LEXICON.items()
        if form in (Form.CARDINAL, Form.NOUN) and value <= 10 and word != "семью"  # also «family»
    )
)
BEFORE = st.sampled_from(
    ["", "ну", "ну э", "пожалуй", "я думаю", "наверное", "ставлю", "пусть будет", "поставлю вам", "эээ ну",
     "да", "давайте", "моя оценка", "твёрдая", "где то", "[unk]", "спасибо", "скажем так"]
)  # fmt: skip
AFTER = st.sampled_from(
    ["", "баллов", "пожалуйста", "спасибо", "наверное", "из десяти", "с плюсом", "и всё", "пусть будет",
     "за сервис", "потому что долго ждал", "всё понравилось", "оператор молодец", "[unk]", "не больше", "вот"]
)  # fmt: skip


@given(BEFORE, FORMS, AFTER)
@settings(max_examples=400, deadline=None)
def test_a_number_in_any_form_with_any_filler_is_that_number(
    before: str, form: tuple[str, int], after: str
) -> None:
    word, value = form
    result = parse(TEN, say(f"{before} {word} {after}"))
    assert isinstance(result, Answer), result
    assert result.value == value


@given(FORMS, FORMS, st.sampled_from(["ой нет", "нет", "точнее", "хотя лучше", "ой простите", "то есть"]))
@settings(deadline=None)
def test_what_is_said_after_a_correction_stands(
    first: tuple[str, int], second: tuple[str, int], correction: str
) -> None:
    result = parse(TEN, say(f"{first[0]} {correction} {second[0]}"))
    assert isinstance(result, Answer), result
    assert result.value == second[1]


@given(FORMS, FORMS)
@settings(deadline=None)
def test_between_two_numbers_nothing_is_chosen(first: tuple[str, int], second: tuple[str, int]) -> None:
    if first[1] != second[1]:
        result = parse(TEN, say(f"то ли {first[0]} то ли {second[0]}"))
        assert isinstance(result, Unclear)
        assert set(result.candidates) == {first[1], second[1]}


WORDS = sorted({word for path in SETS.glob("*.tsv") if "held_out" not in path.name
                for word in path.read_text("utf-8").split()})  # fmt: skip


@given(st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join), st.sampled_from(ALL))
@settings(max_examples=600, deadline=None)
def test_no_utterance_gives_a_value_that_was_not_expected(text: str, expected: Expectation) -> None:
    result = parse(expected, UserTurn(source=TurnSource.SPEECH, text=text, at=NOW))
    assert isinstance(result, Answer | Unclear)
    if isinstance(result, Unclear):
        return
    assert result.heard or result.value == []
    match expected:
        case ScaleExpected(low=low, high=high) | NumberExpected(low=low, high=high):
            assert isinstance(result.value, int)
            assert low <= result.value <= high
        case YesNoExpected():
            assert result.value in ("yes", "no")
        case ChoiceExpected():
            assert result.value in ("price", "speed")
        case MultiChoiceExpected():
            assert result.value in ([], ["price"], ["speed"])
        case DateExpected():
            assert datetime.fromisoformat(str(result.value).partition("/")[0]).tzinfo is not None
        case _:
            assert result.value in range(11)


@given(st.text(max_size=80), st.sampled_from(ALL))
@settings(max_examples=300, deadline=None)
def test_any_text_is_read_or_refused(text: str, expected: Expectation) -> None:
    turn = UserTurn(source=TurnSource.SPEECH, text=text, at=NOW)
    assert isinstance(parse(expected, turn), Answer | Unclear)


@given(st.text(alphabet="0123456789*#ABCD", max_size=12), st.sampled_from(ALL))
@settings(deadline=None)
def test_any_keys_are_read_or_refused(digits: str, expected: Expectation) -> None:
    turn = UserTurn(source=TurnSource.DTMF, digits=digits, at=NOW)
    assert isinstance(parse(expected, turn), Answer | Unclear)


@pytest.mark.parametrize("expected", ALL, ids=lambda expected: expected.kind)
@pytest.mark.parametrize("word", ["два три ", "не ", "9", "7 ", "да нет ", "через "])
def test_endless_talk_takes_no_more_than_its_length(word: str, expected: Expectation) -> None:
    def read(times: int) -> None:
        parse(expected, UserTurn(source=TurnSource.SPEECH, text=word * times, at=NOW))

    read(4000)  # each word is analysed once
    assert effort(lambda: read(4000)) <= 2.2 * effort(lambda: read(2000))
