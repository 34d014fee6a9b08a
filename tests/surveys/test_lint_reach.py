"""How the lint walks a survey: what can be asked, in so many steps."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from bot.surveys.lint.exploring import MOST_STEPS, explore
from bot.surveys.paths import paths_of
from bot.surveys.schema import Survey
from tests.surveys.strategies import unchecked_surveys
from tests.surveys.test_lint_parts import NPS, rules, survey

_NUMBERS = ("раз", "два", "три", "четыре", "пять", "шесть", "семь", "восемь", "девять", "десять")


def test_a_way_that_only_an_answer_opens() -> None:
    checked = survey(
        {"id": "nps", "kind": "nps", "ask": NPS, "then": [{"when": "answer.nps >= 9", "goto": "last"}]},
        {"id": "why", "kind": "open", "ask": "Почему?", "when": "answer.nps >= 9"},
        {"id": "last", "kind": "open", "ask": "Что ещё?"},
    )
    assert rules(checked) == ["unreachable-question"]
    explored = explore(checked)
    assert explored.complete
    assert explored.asked == {"nps", "last"}
    assert explored.longest == 2


def test_going_back_counts_and_ends() -> None:
    back = {"when": "answer.nps <= 6", "goto": "nps", "at_most": 3}
    checked = survey(
        {"id": "nps", "kind": "nps", "ask": NPS},
        {"id": "sure", "kind": "yes_no", "ask": "Вы уверены?", "then": [back]},
    )
    assert explore(checked).longest == 8
    assert rules(checked) == ["too-many-questions"]


def test_what_is_heard_may_be_anything() -> None:
    checked = survey(
        {
            "id": "a",
            "kind": "open",
            "ask": "Как дела?",
            "when": '"billing" in topics and "praise" in intents',
        },
        {"id": "b", "kind": "open", "ask": "Почему?", "when": 'customer.first_name == "Анна"'},
        {"id": "c", "kind": "open", "ask": "Что ещё?", "when": 'not (agent.first_name != "Пётр")'},
    )
    assert rules(checked) == []
    impossible = '"billing" in topics and not ("billing" in topics)'
    checked = survey(
        {"id": "a", "kind": "open", "ask": "Как дела?"},
        {"id": "b", "kind": "open", "ask": "Почему?", "when": impossible},
    )
    assert rules(checked) == ["unreachable-question"]


def test_a_walk_that_is_too_long_is_given_up_and_accuses_nobody() -> None:
    options = [{"id": f"o{place}", "say": word} for place, word in enumerate(("раз", "два", "три"))]
    named = " or ".join(f'"o{place}" in answer.m{number}' for number in range(4) for place in range(3))
    questions: list[dict[str, Any]] = [
        {"id": f"m{number}", "kind": "multi_choice", "ask": ask, "dtmf_hint": ask, "options": options}
        for number, ask in enumerate(("Раз, два, три?", "Три, два, раз?", "Два, раз, три?", "Раз, три, два?"))
    ]
    people = " or ".join(f'"{topic}" in topics' for topic in ("billing", "quality", "rudeness", "waiting"))
    questions.append({"id": "z", "kind": "open", "ask": "Почему?", "when": f"({named}) and ({people})"})
    explored = explore(survey(*questions))
    assert MOST_STEPS < 100_000
    assert not explored.complete
    assert rules(survey(*questions)) == []


def test_what_is_heard_grows_on_the_way() -> None:
    """A complaint may come after a question that is only put while there is none."""
    checked = survey(
        {"id": "nps", "kind": "nps", "ask": NPS},
        {"id": "solved", "kind": "yes_no", "ask": "Вам помогли?", "when": 'not ("complaint" in signals)'},
        {
            "id": "why",
            "kind": "open",
            "ask": "Почему?",
            "when": 'answer.solved == "no" and "complaint" in signals',
        },
        {
            "id": "back",
            "kind": "open",
            "ask": "Что ещё?",
            "when": 'answer.solved == "no" and "billing" in topics and not ("complaint" in signals)',
        },
    )
    assert rules(checked) == []
    assert explore(checked).asked == {"nps", "solved", "why", "back"}


@pytest.mark.parametrize("count", [24, 50])
def test_many_signals_are_walked_within_the_bound(count: int) -> None:
    """2^24 sets of signals are never built: the walk is given up after its steps."""
    names = [f"r{place}" for place in range(count)]
    parts = [names[start : start + 12] for start in range(0, count, 12)]
    checked = survey(
        {"id": "nps", "kind": "nps", "ask": NPS},
        *(
            {
                "id": f"q{place}",
                "kind": "open",
                "ask": ask,
                "when": " or ".join(f'"{name}" in signals' for name in part),
            }
            for place, (part, ask) in enumerate(
                zip(parts, ("Раз?", "Два?", "Три?", "Четыре?", "Пять?"), strict=False)
            )
        ),
        triage=[{"id": name, "when": "answer.nps <= 6", "offer": "human"} for name in names],
    )
    explored = explore(checked)
    assert not explored.complete
    assert explored.steps <= MOST_STEPS + 200


def test_long_rules_are_counted_in_their_comparisons() -> None:
    """Fifty rules of 19 comparisons, none of which can hold: each state costs a thousand steps."""
    questions = [
        {"id": f"q{place}", "kind": "nps", "ask": f"{NPS[:-1]} {word}?"}
        for place, word in enumerate(_NUMBERS)
    ]
    never = " and ".join(f"answer.q{place % 10} >= 9" for place in range(18)) + " and answer.q1 <= 2"
    triage = [{"id": f"r{place}", "when": never, "offer": "human"} for place in range(50)]
    explored = explore(survey(*questions, triage=triage))
    assert not explored.complete
    assert explored.longest == 10
    assert explored.steps <= MOST_STEPS + 200
    with pytest.raises(ValueError, match="50"):
        survey(*questions, triage=[*triage, {**triage[0], "id": "more"}])


@given(checked=unchecked_surveys())
@settings(max_examples=30, deadline=None, database=None)
def test_whatever_the_flow_can_ask_the_walk_has_met(checked: Survey) -> None:
    explored = explore(checked)
    if explored.complete:
        assert paths_of(checked, steps=300).asked() <= explored.asked
