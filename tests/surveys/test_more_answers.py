"""Several choices, one choice, counts, labels of a scale: words and keys to values."""

from __future__ import annotations

import pytest

from bot.core.answer import Answer, AnswerSource, AnswerValue
from bot.core.directives import (
    ChoiceExpected,
    ChoiceOption,
    Expectation,
    MultiChoiceExpected,
    NumberExpected,
    ScaleExpected,
    ScaleLabel,
)
from bot.surveys.answers import Unclear, UnclearReason, parse
from tests.surveys.turns import heard, keys, say

OPTIONS = (
    ChoiceOption(id="price", say=("цена", "стоимость")),
    ChoiceOption(id="quality", say=("качество", "качество связи")),
    ChoiceOption(id="staff", say=("сотрудники", "вежливость операторов")),
    ChoiceOption(id="speed", say=("скорость", "на сайте быстро")),
)
ONE = ChoiceExpected(options=OPTIONS)
ANY = MultiChoiceExpected(options=OPTIONS)
TWO = MultiChoiceExpected(options=OPTIONS, at_most=2)
COUNT = NumberExpected(low=0, high=100)
LABELLED = ScaleExpected(
    low=1,
    high=5,
    labels=(
        ScaleLabel(code=5, say=("отлично",)),
        ScaleLabel(code=4, say=("хорошо",)),
        ScaleLabel(code=2, say=("плохо",)),
        ScaleLabel(code=1, say=("очень плохо", "ужасно")),
    ),
)

NO_MATCH, AMBIGUOUS = UnclearReason.NO_MATCH, UnclearReason.AMBIGUOUS


def read(expectation: Expectation, text: str) -> object:
    result = parse(expectation, say(text))
    return result.value if isinstance(result, Answer) else result.reason


def rows(table: dict[str, object]) -> list[tuple[str, object]]:
    return [(text.strip(), value) for texts, value in table.items() for text in texts.split("|")]


@pytest.mark.parametrize(
    ("text", "value"),
    rows(
        {
            "цена | цену | по цене | стоимости | первый вариант | первое | один | вариант один": "price",
            "качеством связи | вторая | качества | не по цене а по качеству": "quality",
            "сотрудник | вежливость оператора | третий | номер три": "staff",
            "из за скорости | цена ой нет скорость | сайте быстро": "speed",
            "цена или качество | цена качество": AMBIGUOUS,
            "не цена | пятый | второй раз звоню | быстро | три оператора грубили | не знаю": NO_MATCH,
        }
    ),
)
def test_one_choice(text: str, value: object) -> None:
    assert read(ONE, text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    rows(
        {
            "первое и третье | первое третье | один и три | 1 3 | номер один и номер три": ["price", "staff"],
            "и цена и качество | цена качество | качество цена | первые два": ["price", "quality"],
            "всё | все варианты | всё нравится | вообще всё": ["price", "quality", "staff", "speed"],
            "всё кроме цены | кроме цены всё": ["quality", "staff", "speed"],
            "ничего | ничего из этого | ни одного | ни то ни другое | ничего не понравилось": [],
            "только цена | цена | не качество а цена | качество ой нет цена": ["price"],
            "скорость и второе": ["quality", "speed"],
            "последние два": ["staff", "speed"],
            "цена или качество": AMBIGUOUS,
            "не знаю | мне всё равно | всё время занято | ничего не понял | три оператора грубили": NO_MATCH,
        }
    ),
)
def test_several_choices(text: str, value: object) -> None:
    assert read(ANY, text) == value


def test_more_than_may_be_chosen_is_said_so() -> None:
    assert read(TWO, "цена и скорость") == ["price", "speed"]
    result = parse(TWO, say("цена качество скорость"))
    assert result == Unclear(UnclearReason.TOO_MANY, ("price", "quality", "speed"))
    assert read(TWO, "всё") is UnclearReason.TOO_MANY
    assert parse(TWO, keys("123#")) == Unclear(UnclearReason.TOO_MANY, ("price", "quality", "staff"))


@pytest.mark.parametrize(
    ("text", "value"),
    rows(
        {
            "двадцать пять | 25 | ну двадцать пять наверное | twenty five": 25,
            "ни разу | ноль | никогда | ни одного | ни разу не звонил | never": 0,
            "раз | один раз | один | однажды | once": 1,
            "дважды | два раза | двое | twice": 2,
            "раза три | три раза": 3,
            "раз пять | пять раз за два дня | не больше пяти | максимум пять | около пяти": 5,
            "три нет четыре | не три а четыре": 4,
            "сорок минут": 40,
            "пару раз | несколько | много | полтора | больше пяти | пять или шесть | третий раз": AMBIGUOUS,
            "двести | минус пять | тысяча": UnclearReason.OUT_OF_RANGE,
            "не знаю | да | номер пять": NO_MATCH,
        }
    ),
)
def test_how_many(text: str, value: object) -> None:
    assert read(COUNT, text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    rows(
        {
            "отлично | ну отлично": 5,
            "хорошо | в общем хорошо": 4,
            "плохо": 2,
            "очень плохо | ужасно": 1,
            "отлично пять | пять отлично": 5,
            "плохо слышно вас | отлично или хорошо | хорошо перезвоните": AMBIGUOUS,
            "не отлично | никак": NO_MATCH,
        }
    ),
)
def test_declared_labels_count_as_their_codes(text: str, value: object) -> None:
    assert read(LABELLED, text) == value


def test_labels_that_were_not_declared_are_no_numbers() -> None:
    assert read(ScaleExpected(low=1, high=5), "отлично") is NO_MATCH


@pytest.mark.parametrize(
    ("expectation", "digits", "value"),
    [
        (ANY, "13#", ["price", "staff"]), (ANY, "31", ["price", "staff"]), (ANY, "0#", []),
        (ANY, "2", ["quality"]),
        (COUNT, "25", 25), (COUNT, "0", 0), (COUNT, "100", 100),
    ],
)  # fmt: skip
def test_keys(expectation: Expectation, digits: str, value: AnswerValue) -> None:
    result = parse(expectation, keys(digits))
    assert isinstance(result, Answer)
    assert (result.value, result.source) == (value, AnswerSource.DTMF)


@pytest.mark.parametrize(("expectation", "digits"), [(ANY, "15"), (ANY, ""), (COUNT, "101"), (COUNT, "007")])
def test_wrong_keys(expectation: Expectation, digits: str) -> None:
    assert parse(expectation, keys(digits)) == Unclear(UnclearReason.WRONG_KEY)


def test_the_least_sure_choice_decides() -> None:
    said = heard(("цена", 0.9), ("и", 1.0), ("скорость", 0.3))
    assert parse(ANY, said) == Unclear(UnclearReason.LOW_CONFIDENCE, (["price", "speed"],))


def test_what_was_taken_back_is_an_alternative() -> None:
    for expectation, text, value, others in (
        (ScaleExpected(low=0, high=10), "восемь ой нет девять", 9, (8,)),
        (ONE, "цена ой нет скорость", "speed", ("price",)),
        (ANY, "цена ой нет скорость", ["speed"], ("price",)),
        (COUNT, "три нет четыре", 4, (3,)),
    ):
        result = parse(expectation, say(text))
        assert isinstance(result, Answer)
        assert (result.value, result.alternatives, result.source) == (value, others, AnswerSource.CORRECTED)
