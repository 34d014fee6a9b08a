"""Whoever corrects an answer is treated as if he had said the right one at once, signals included."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from bot.core.context import UserTurn
from bot.core.directives import (
    Directive,
    MultiChoiceExpected,
    Note,
    NumberExpected,
    OpenCase,
    OpenExpected,
    Record,
    Say,
    ScaleExpected,
    Signal,
    WithdrawMatter,
    WithdrawSignal,
)
from bot.core.intents import Topic
from bot.surveys import flow
from bot.surveys.course import CASE
from bot.surveys.flow import FlowState, Step
from bot.surveys.schema import Survey
from bot.surveys.spoken import sayings
from tests.surveys import random_callers
from tests.surveys.strategies import unchecked_surveys
from tests.surveys.turns import context, say


def outcome(state: FlowState) -> dict[str, object]:
    """All that a flow remembers, but for how it came to be and in which words."""
    kept = state.model_dump(exclude={"last", "answers", "grounds"})
    return {**kept, "answers": {name: each.value for name, each in state.answers.items()}}


def course(step: Step) -> list[object]:
    """What is done next, but for the making good and the words of an answer."""
    good = Signal | WithdrawSignal | OpenCase | Note | WithdrawMatter
    left = [each for each in step.directives if not isinstance(each, good)]
    left = [each for each in left if not (isinstance(each, Say) and each.purpose == CASE)]
    return [(each.question_id, each.answer.value) if isinstance(each, Record) else each for each in left]


def standing(directives: list[Directive]) -> list[tuple[str, str, Topic | None]]:
    """The signals that stand after all these, as whoever reads the record sees it."""
    found: list[tuple[str, str, Topic | None]] = []
    for each in directives:
        if isinstance(each, Signal):
            found.append((each.name, each.rule, each.topic))
        elif isinstance(each, WithdrawSignal):
            found.remove((each.name, each.rule, each.topic))
    return found


def matters(directives: list[Directive]) -> list[str]:
    """The rules whose cases and notes stand after all these; what is withdrawn stood."""
    found: list[str] = []
    for each in directives:
        if isinstance(each, OpenCase):
            found.append(each.reason)
        elif isinstance(each, Note):
            found.append(each.rule)
        elif isinstance(each, WithdrawMatter):
            found.remove(each.rule)
    assert len(found) == len(set(found)), "a rule acts twice"
    return found


def one_of(survey: Survey, state: FlowState) -> list[UserTurn]:
    """The answers to the question that waits, each as spoken."""
    question_id = flow.current_question(state)
    expected = flow.expectation(survey, state)
    if question_id is None or expected is None or isinstance(expected, OpenExpected | MultiChoiceExpected):
        return []
    said = sayings(survey, survey.question(question_id)) or ()
    if isinstance(expected, NumberExpected | ScaleExpected):
        said = said[: expected.high - expected.low + 1]
    return [say(text) for text in said]


NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
OPTIONS = [{"id": "shop", "say": "магазин"}, {"id": "site", "say": "сайт"}, {"id": "app", "say": "кабинет"}]
ONE_TO_TEN = ["один", "два", "три", "четыре", "пять", "шесть", "семь", "восемь", "девять", "десять"]
KINDS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "nps": ({}, ["ноль", *ONE_TO_TEN]),
    "csat": ({"points": 5, "positive": [4, 5]}, ONE_TO_TEN[:5]),
    "ces": ({"low": 1, "high": 7, "direction": "higher_is_easier"}, ONE_TO_TEN[:7]),
    "score": ({"low": 0, "high": 10, "labels": {0: "плохо", 10: "хорошо"}}, [*ONE_TO_TEN, "плохо", "хорошо"]),
    "yes_no": ({}, ["да", "нет", "решили", "не решили"]),
    "choice": ({"options": OPTIONS, "dtmf_hint": "Один, два, три."}, ["магазин", "сайт", "кабинет"]),
    "multi_choice": (
        {"options": OPTIONS, "dtmf_hint": "Один, два, три."},
        ["магазин", "сайт", "кабинет", "магазин и сайт", "ничего"],
    ),
    "number": ({"high": 100}, ["ни разу", "дважды", *ONE_TO_TEN, "двадцать пять", "сто"]),
    "date": ({"horizon_days": 14}, ["завтра", "послезавтра", "в пятницу в десять утра", "через час"]),
}


def asking(kind: str, **changes: Any) -> Survey:
    """A question of this kind whose every answer is a signal, goes on elsewhere, or leads back; `changes` are
    of the survey."""
    more, _ = KINDS[kind]
    value = {
        "yes_no": 'answer.it == "no"',
        "choice": 'answer.it == "shop"',
        "multi_choice": '"shop" in answer.it',
        "date": 'answer.it != "2000-01-01"',
    }
    low = value.get(kind, "answer.it <= 2")
    high = {"yes_no": 'answer.it == "yes"', "choice": 'answer.it == "site"'}.get(kind, low)
    if kind in ("nps", "csat", "ces", "score", "number"):
        high = "answer.it == 4"
    return Survey.model_validate(
        {
            "id": "one",
            "version": 1,
            "language": "ru",
            "title": "Один вопрос",
            "company": "Ромашка",
            "consent": "Здравствуйте!",
            "introduction": "Один вопрос.",
            "questions": [
                {
                    "id": "it",
                    "kind": kind,
                    "ask": "Что скажете?",
                    "reask": ["Скажите ещё раз."],
                    "then": [{"when": high, "goto": "it", "at_most": 1}],
                    **more,
                },
                {"id": "why", "kind": "open", "when": low, "ask": "Почему?", "reask": ["И почему?"]},
            ],
            "triage": [
                {"id": "low", "when": low, "offer": "human"},
                {"id": "matter", "when": low, "do": "case", "text": "Передам это руководителю."},
                {"id": "remark", "when": high, "do": "note"},
            ],
            **changes,
        }
    )


@dataclass(frozen=True)
class Call:
    """A call up to a question, and two answers to it; the survey need not lint: whatever is asked can be
    corrected."""

    survey: Survey
    before: tuple[UserTurn, ...]
    wrong: UserTurn
    right: UserTurn


@st.composite
def calls(draw: st.DrawFn) -> Call:
    survey = draw(unchecked_surveys())
    state = flow.start(survey, context(survey)).state
    before: list[UserTurn] = []
    for _ in range(draw(st.integers(0, 4))):
        before.append(draw(random_callers.turns(flow.expectation(survey, state))))
        state = flow.next_step(survey, state, before[-1]).state
    answers = one_of(survey, state)
    assume(len(answers) > 1)
    wrong, right = draw(st.permutations(answers))[:2]
    return Call(survey, tuple(before), wrong, right)


LATER = asking(
    "yes_no",
    triage=[
        {"id": "r0", "when": 'not (answer.it == "yes") or "rudeness" in topics', "do": "note"},
        {"id": "r1", "when": 'answer.it == "yes" or answer.it == "no"', "do": "note"},
    ],
)
"""«Да» raises the signal of its second rule, and «нет» those of both."""


@settings(max_examples=100)
@given(calls())
@example(Call(LATER, (), say("да"), say("нет")))
def test_a_corrected_answer_leaves_what_the_right_one_leaves(call: Call) -> None:
    survey, right = call.survey, call.right
    step = flow.start(survey, context(survey))
    directives: list[Directive] = [*step.directives]
    for turn in call.before:
        step = flow.next_step(survey, step.state, turn)
        directives += step.directives
    taken = flow.next_step(survey, step.state, call.wrong)
    straight = flow.next_step(survey, step.state, right)
    assume(taken.state.last is not None and straight.state.last is not None)
    again = right.model_copy(update={"text": f"ой нет {right.text}", "after_s": 0.6})
    corrected = flow.next_step(survey, taken.state, again)
    assert outcome(corrected.state) == outcome(straight.state)
    assert course(corrected) == course(straight)
    told = standing([*directives, *taken.directives, *corrected.directives])
    # Which stand, and not since when: conditions ask whether a signal is there, rules take their turn as
    # the survey writes them, and one that stands is not told a second time for the sake of its place.
    kept = Counter((each.name, each.rule, each.topic) for each in corrected.state.signals)
    assert Counter(told) == Counter(standing([*directives, *straight.directives])) == kept
    acted = matters([*directives, *taken.directives, *corrected.directives])
    assert set(acted) == set(matters([*directives, *straight.directives])) == set(corrected.state.acted)


@pytest.mark.parametrize("kind", KINDS)
def test_every_answer_of_every_kind_is_corrected_to_every_other(kind: str) -> None:
    survey = asking(kind)
    first = flow.start(survey, context(survey))
    straight = {
        text: flow.next_step(survey, first.state, say(text).model_copy(update={"at": NOON}))
        for text in KINDS[kind][1]
    }
    low = 0
    for wrong, right in permutations(straight, 2):
        taken, whole = straight[wrong], straight[right]
        assert taken.state.last is not None
        assert whole.state.last is not None
        turn = say(f"ой нет {right}").model_copy(update={"after_s": 0.6, "at": NOON})
        corrected = flow.next_step(survey, taken.state, turn)
        same = taken.state.last.answer.value == whole.state.last.answer.value
        told = standing([*taken.directives, *corrected.directives])
        assert told == standing([*whole.directives]), (wrong, right)
        acted = matters([*taken.directives, *corrected.directives])
        assert set(acted) == set(matters([*whole.directives])), (wrong, right)
        if not same:
            assert outcome(corrected.state) == outcome(whole.state), (wrong, right)
            assert course(corrected) == course(whole), (wrong, right)
        low += any(isinstance(each, WithdrawSignal) for each in corrected.directives)
    assert low or kind == "date"
