"""Whatever a caller does: a survey ends, once, never drones, and says nothing that was not prepared."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.answer import AnswerStatus
from bot.core.context import Person, TurnSource, UserTurn
from bot.core.directives import Ask, Directive, End, Offer, OptOut, Record, Say, Transfer
from bot.core.endings import Disposition
from bot.core.intents import Intent, Topic
from bot.surveys.flow import Stage
from bot.surveys.loader import load_survey
from bot.surveys.prompts import prompts
from bot.surveys.schema import Survey
from tests.surveys.turns import CSAT, HANDOVER_FAILED, NPS, SILENCE, Talk, keys

EVERYTHING = load_survey(Path(__file__).parent / "everything.yaml")
"""A survey with every kind of question and rules of every shape."""

SURVEYS = [NPS, CSAT, EVERYTHING]

TEXTS = [
    "девять",
    "двойка",
    "да решили",
    "нет",
    "да",
    "двенадцать",
    "между семью и восемью",
    "[unk]",
    "",
    "магазин",
    "очень долго ждал",
    "не хочу участвовать в опросе",
    "больше не звоните",
    "двойка ужасное обслуживание",
    "решили но соедините с оператором",
]

SPOKEN = [
    UserTurn(
        source=TurnSource.SPEECH,
        text=text,
        intent=intent,
        intent_confidence=sure,
        topic=list(Topic)[place % len(Topic)] if intent is Intent.COMPLAIN else None,
    )
    for place, text in enumerate(TEXTS)
    for intent in (None, *Intent)
    for sure in (0.3, 0.7, 0.95)
]
# Wishes that end a call at once are rarer, or hardly any talk would get far.
_STAYS = (None, Intent.COMPLAIN, Intent.ASK_REPEAT, Intent.ASK_IDENTITY, Intent.DONT_KNOW, Intent.REFUSE)
LINGERING = [turn for turn in SPOKEN if turn.intent in _STAYS and "не звоните" not in turn.text]
PRESSED = [keys(digits) for digits in ("1", "2", "9", "10", "11", "*", "#")]

staying = st.sampled_from([*LINGERING, *[SILENCE] * 60, *PRESSED * 8])
turns = staying | staying | staying | st.sampled_from(SPOKEN) | st.just(HANDOVER_FAILED)
talks = st.lists(turns, max_size=60)
names = st.sampled_from(["", "Анна", "Пётр Ильич"])


def texts_of(directive: Directive) -> list[str]:
    """What a caller hears of a directive."""
    if isinstance(directive, Say | Ask | Offer | Transfer | End):
        return [directive.text]
    return []


def bound(survey: Survey) -> int:
    """No caller can keep a survey going for more turns than this."""
    free = sum(1 + 2 + 1 + 1 for _ in survey.questions)  # an answer, two repeats, a complaint, a refusal
    return free + survey.patience + 2 + 3 + 1  # who is calling twice, an offer's attempts, the handover


@pytest.mark.parametrize("survey", SURVEYS, ids=lambda survey: survey.id)
@given(said=talks, name=names)
@settings(max_examples=200, deadline=None)
def test_every_talk_is_a_good_one(survey: Survey, said: list[UserTurn], name: str) -> None:
    person = Person(first_name=name)
    talk = Talk(survey, customer=person, agent=person)
    prepared = set(prompts(survey, talk.context))
    asked: dict[str, str] = {}
    lived = 0
    for turn in said:
        if talk.state.stage in (Stage.HANDOVER, Stage.ENDED) and turn is not HANDOVER_FAILED:
            continue
        stage = talk.state.stage
        lived += stage is not Stage.ENDED
        assert lived <= bound(survey)
        talk.turn(turn)
        assert stage is Stage.ENDED or talk.last, "the caller is left in silence"
        for ask in talk.now(Ask):
            assert asked.get(ask.question_id) != ask.text, "a question twice in the same words"
            asked[ask.question_id] = ask.text
    heard = [text for directive in talk.directives for text in texts_of(directive)]
    assert set(heard) <= prepared
    assert all(text and "{" not in text for text in heard)
    assert all(first != second for first, second in pairwise(heard))
    said_between = [directive.text for directive in talk.of(Say)]
    assert all(first != second for first, second in pairwise(said_between)), "a pool is not drawn in turn"
    repairs = [each.text for each in talk.of(Say) if each.purpose in ("no_match", "no_input")]
    assert len(repairs) == len(set(repairs)), "a sentence twice in a call"
    check_ends(talk)
    check_records(talk)


def check_ends(talk: Talk) -> None:
    """At most one end and one transfer, and each is the last word of its stage."""
    ends, transfers = talk.of(End), talk.of(Transfer)
    assert len(ends) <= 1
    assert len(transfers) <= 1
    assert (talk.state.stage is Stage.ENDED) == bool(ends)
    if talk.state.stage is Stage.HANDOVER:
        assert isinstance(talk.directives[-1], Transfer)
    if ends:
        assert talk.directives[-1] is ends[0]
    if transfers and ends:
        assert ends[0].disposition is Disposition.CALLBACK
    if talk.of(OptOut):
        assert ends[0].disposition is Disposition.OPTED_OUT


def check_records(talk: Talk) -> None:
    """One record a question, and a disposition that agrees with them."""
    recorded = [record.question_id for record in talk.of(Record)]
    assert len(recorded) == len(set(recorded))
    statuses = {record.answer.status for record in talk.of(Record)}
    for end in talk.of(End):
        if end.disposition in (Disposition.COMPLETED, Disposition.PARTIAL):
            assert statuses & {AnswerStatus.ANSWERED, AnswerStatus.DONT_KNOW}
        if end.disposition is Disposition.COMPLETED:
            assert AnswerStatus.ANSWERED in statuses
        if end.disposition in (Disposition.NO_INPUT, Disposition.HUNG_UP):
            assert AnswerStatus.ANSWERED not in statuses


@pytest.mark.parametrize("survey", SURVEYS, ids=lambda survey: survey.id)
@given(turn=staying)
@settings(max_examples=60, deadline=None)
def test_the_same_turn_for_ever_ends_too(survey: Survey, turn: UserTurn) -> None:
    talk = Talk(survey)
    for _ in range(bound(survey)):
        talk.turn(turn)
    assert talk.state.stage in (Stage.ENDED, Stage.HANDOVER)


@pytest.mark.parametrize("survey", SURVEYS, ids=lambda survey: survey.id)
@given(said=st.lists(staying, min_size=50, max_size=50))
@settings(max_examples=60, deadline=None)
def test_any_long_talk_ends_within_the_bound(survey: Survey, said: list[UserTurn]) -> None:
    talk = Talk(survey)
    assert bound(survey) <= len(said)
    talk.turn(*said[: bound(survey)])
    assert talk.state.stage in (Stage.ENDED, Stage.HANDOVER)
