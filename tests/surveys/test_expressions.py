"""The language of conditions: what it says, what it refuses, and that it reaches nothing else."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.surveys.expressions import MAX_LENGTH, Comparison, Expression, ExpressionInvalid, parse
from tests.effort import effort

KNOWN: dict[str, Any] = {
    "answer": {
        "nps": 3,
        "resolved": "no",
        "reasons": ["price", "delivery"],
        "when": "2027-02-01",
        "lost": None,
    },
    "customer": {"first_name": "Анна", "last_name": ""},
    "agent": {"first_name": "Пётр"},
    "intents": {"complain", "inform"},
    "topics": {"rudeness"},
    "signals": set(),
}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("answer.nps <= 6", True),
        ("6 >= answer.nps", True),
        ("answer.nps > 6", False),
        ("0 <= answer.nps <= 6", True),
        ("4 <= answer.nps <= 6", False),
        ("answer.nps == 3.0", True),
        ("answer.nps != 3", False),
        ('answer.resolved == "no"', True),
        ("answer.resolved != 'yes'", True),
        ('answer.resolved in ["no", "yes"]', True),
        ('answer.resolved not in ["no"]', False),
        ('"price" in answer.reasons', True),
        ('"quality" not in answer.reasons', True),
        ('answer.when >= "2027-01-31"', True),
        ('"rudeness" in topics and "complain" in intents', True),
        ('"complaint" in signals', False),
        ('customer.first_name == "Анна" and agent.first_name != "Анна"', True),
        ('answer.nps <= 6 and answer.resolved == "yes" or "rudeness" in topics', True),
        ("not (answer.nps <= 6)", False),
        ("not answer.nps <= 6", False),
        ("answer.nps <= 6\n  and answer.nps >= 2", True),
        ("  answer.nps <= 6  ", True),
    ],
)
def test_what_it_says(text: str, holds: bool) -> None:
    assert parse(text).holds(KNOWN) is holds


@pytest.mark.parametrize(
    "symbol", ["answer.lost", "answer.never_asked", "customer.last_name", "agent.last_name"]
)
@pytest.mark.parametrize(
    "comparison", ["== 1", "!= 1", "< 1", "<= 1", "> 1", ">= 1", 'in ["a"]', 'not in ["a"]', "== answer.lost"]
)
def test_a_comparison_with_what_is_not_known_is_false(symbol: str, comparison: str) -> None:
    assert not parse(f"{symbol} {comparison}").holds(KNOWN)
    assert parse(f"not ({symbol} {comparison})").holds(KNOWN)
    assert not parse(f'"a" not in {symbol}').holds(KNOWN)


def test_values_without_a_common_order_are_not_ordered() -> None:
    assert not parse('answer.nps < "9"').holds(KNOWN)
    assert not parse('answer.nps >= "9"').holds(KNOWN)
    assert not parse("answer.resolved > 1").holds(KNOWN)
    assert parse('answer.nps != "3"').holds(KNOWN)
    assert not parse('"n" in answer.resolved').holds(KNOWN)


def test_what_is_told_about_it() -> None:
    expression = parse('6 > answer.nps and "price" in answer.reasons or answer.a != answer.b')
    assert expression.symbols == {"answer.nps", "answer.reasons", "answer.a", "answer.b"}
    assert expression.answers == {"nps", "reasons", "a", "b"}
    assert expression.comparisons == (
        Comparison("answer.nps", "<", (6,), near="6 > answer.nps"),
        Comparison("answer.reasons", "contains", ("price",), near='"price" in answer.reasons'),
        Comparison("answer.a", "!=", (), "answer.b", "answer.a != answer.b"),
    )
    assert parse('"x" not in topics').comparisons[0].operator == "lacks"
    assert parse("answer.c not in (1, 2)").comparisons[0].values == (1, 2)
    assert [c.operator for c in parse("0 <= answer.nps < 7").comparisons] == [">=", "<"]


def test_equal_texts_are_equal_conditions() -> None:
    assert parse("answer.nps <= 6") == parse("answer.nps <= 6")
    assert len({parse("answer.nps <= 6"), parse("answer.nps <= 6"), parse("answer.nps <= 7")}) == 2


REFUSED = [
    ("", 1, "пусто", ""),
    ("   ", 1, "пусто", ""),
    ("answer.nps", 1, "нужно сравнение", ""),
    ("true", 1, "нужно сравнение", ""),
    ("answer.nps = 6", 12, "не разобрать", "=="),
    ("answer.nps <= 6 && answer.nps > 1", 18, "не разобрать", "and"),
    ("answer.nps <=", 14, "оборвано", ""),
    ("answer.nps <= 6 and", 20, "оборвано", ""),
    ("(answer.nps <= 6", 1, "не разобрать", ""),
    ('answer.c == "a', 13, "не разобрать", ""),
    ("anwser.nps <= 6", 1, "неизвестное имя «anwser»", "answer"),
    ('"rudeness" in topic', 15, "неизвестное имя «topic»", "topics"),
    ("answer.nps == null", 15, "null всегда ложно", "not ("),
    ("answer.nps == None", 15, "None всегда ложно", "not ("),
    ("answer.solved == true", 18, "неизвестное имя «true»", ""),
    ("answer.solved == True", 18, "число или текст", '"yes"'),
    ("answer.nps + 1 > 2", 1, "число или текст", ""),
    ("answer.nps is 3", 1, "так не сравнивают", ""),
    ("1 == 1", 1, "два постоянных", ""),
    ("answer.nps == [1, 2]", 15, "одно значение", "in"),
    ('answer.c in "abc"', 13, "нужен список", ""),
    ('"a" in "abc"', 1, "значение и список", ""),
    ("answer.nps in []", 15, "число или текст", ""),
    ("1 < answer.nps == 2", 1, "цепочкой", "and"),
    ("answer.nps == 1; answer.nps == 2", 16, "не разобрать", ""),
    ("answer.nps == 1 answer.nps == 2", 17, "не разобрать", ""),
    ("x" * (MAX_LENGTH + 1), 1, f"длиннее {MAX_LENGTH}", ""),
]


@pytest.mark.parametrize(("text", "column", "message", "hint"), REFUSED)
def test_what_is_not_in_the_language(text: str, column: int, message: str, hint: str) -> None:
    with pytest.raises(ExpressionInvalid, match=message) as caught:
        parse(text)
    assert caught.value.column == column, caught.value
    assert hint in caught.value.fault.hint
    assert caught.value.fault.rule in ("expression-syntax", "unknown-reference")


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true') == 0",
        "().__class__.__bases__ == 1",
        "answer.nps.__class__ == 1",
        "answer['nps'] == 1",
        "(lambda: 1)() == 1",
        "[x for x in answer] == 1",
        "answer.nps in (x for x in topics)",
        "f'{answer}' == 'x'",
        "(answer := 1) == 1",
        "answer.nps if topics else 1",
        "b'x' == answer.nps",
        "1j == answer.nps",
        "... == answer.nps",
        "*answer == 1",
        "await answer == 1",
        "9**9**9 == answer.nps",
        "'a' * 10**9 == answer.nps",
        "topics.pop == 1",
    ],
)
def test_what_python_could_do_and_the_language_cannot(text: str) -> None:
    with pytest.raises(ExpressionInvalid):
        parse(text)


@pytest.mark.parametrize("name", ["__class__", "keys", "get", "__dict__", "items", "pop"])
def test_a_field_is_looked_up_in_a_table_and_nowhere_else(name: str) -> None:
    """An attribute of Python's is a field like any other that is not there."""
    assert not parse(f"answer.{name} != 1").holds(KNOWN)
    assert parse(f"answer.{name} == 1").holds({**KNOWN, "answer": {name: 1}})


@pytest.mark.parametrize(
    "text", ["(" * 400, "not " * 120 + "answer.nps > 1", "[" * 300 + "]" * 200, "\x00", "\ud800"]
)
def test_what_is_odd_is_answered_at_once(text: str) -> None:
    refused = _refusal(text)
    assert refused is None or refused.column >= 1
    assert effort(lambda: _refusal(text)) < 10 * len(text) + 100


@given(
    st.text(alphabet=st.sampled_from("answer.nps topics<>=!\"'()[],0193 andornotin_\n\\#:;"), max_size=60)
    | st.text(max_size=40)
)
@example("\rÀ")
@example("\fÀ == 1")
@settings(deadline=None)
def test_any_text_is_a_condition_or_refused(text: str) -> None:
    refused = _refusal(text)
    if refused is not None:
        assert refused.fault.message
        assert 1 <= refused.column <= len(text) + 1
    else:
        assert parse(text).symbols


def _refusal(text: str) -> ExpressionInvalid | None:
    """Why it is not a condition; None where it is one, which then also can be decided."""
    try:
        expression = parse(text)
    except ExpressionInvalid as error:
        return error
    assert expression.holds(KNOWN) in (True, False)
    return None


def test_deciding_takes_no_more_than_the_length() -> None:
    once = 'answer.nps <= 6 and ("price" in answer.reasons or answer.resolved == "no")'
    short, long = parse(once), parse(" and ".join([f"({once})"] * 4))
    assert effort(lambda: long.holds(KNOWN)) <= 5 * effort(lambda: short.holds(KNOWN))


# Against a model ----------------------------------------------------------------------------

ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}

Model = tuple[str, Callable[[dict[str, int | None]], bool]]
NAMES = ("a", "b", "c")


def _compared(name: str, sign: str, bound: int) -> Model:
    def holds(answers: dict[str, int | None]) -> bool:
        value = answers.get(name)
        return value is not None and ORDERS[sign](value, bound)

    return f"answer.{name} {sign} {bound}", holds


def _joined(left: Model, word: str, right: Model) -> Model:
    join = all if word == "and" else any
    return f"({left[0]}) {word} ({right[0]})", lambda answers: join((left[1](answers), right[1](answers)))


def _denied(inner: Model) -> Model:
    return f"not ({inner[0]})", lambda answers: not inner[1](answers)


models = st.recursive(
    st.builds(_compared, st.sampled_from(NAMES), st.sampled_from(sorted(ORDERS)), st.integers(0, 10)),
    lambda inner: (
        st.builds(_joined, inner, st.sampled_from(["and", "or"]), inner) | st.builds(_denied, inner)
    ),
    max_leaves=6,
)


@given(models, st.dictionaries(st.sampled_from(NAMES), st.none() | st.integers(0, 10)))
@settings(deadline=None)
def test_it_means_what_logic_means(model: Model, answers: dict[str, int | None]) -> None:
    text, holds = model
    expression = parse(text)
    assert expression.holds({**KNOWN, "answer": answers}) == holds(answers)
    assert isinstance(expression, Expression)
    assert expression.answers <= set(NAMES)
