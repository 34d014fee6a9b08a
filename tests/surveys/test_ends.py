"""Any survey that lints ends on every path, for any answers, silences and interruptions.

The surveys are the shipped ones and random ones; the callers are random, and they answer, keep silent
or say something else at every turn.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.core.context import UserTurn
from bot.core.directives import Ask, End, Note, Offer, OpenCase, Record, Transfer
from bot.surveys import flow
from bot.surveys.flow import Stage
from bot.surveys.loader import load_survey
from bot.surveys.schema import Survey
from tests.surveys.random_callers import LEAVING, NOISE, turns
from tests.surveys.strategies import surveys
from tests.surveys.turns import HANDOVER_FAILED, SILENCE, SURVEYS, Talk

SHIPPED = [load_survey(path) for path in sorted(SURVEYS.glob("*.yaml"))]

A_PUT = 1 + 2 + 1 + 2
"""Turns that one putting of a question may cost without wasting the caller's patience: the answer, two
requests to repeat, a complaint that is soothed, and an answer read back and taken back."""

IDENTITIES, OFFERS, FAILED_HANDOVER = 2, 2 * 3, 1
"""A human and a callback are offered once each, in three wordings at most."""


def longest(survey: Survey) -> int:
    """No caller can keep a survey going for more turns than this.

    Each way back may be taken so often as its branch says, and each time every question may be put.
    """
    ways_back = sum(branch.at_most or 0 for question in survey.questions for branch in question.then)
    puttings = len(survey.questions) * (1 + ways_back)
    return A_PUT * puttings + survey.patience + IDENTITIES + OFFERS + FAILED_HANDOVER


def is_over(talk: Talk) -> bool:
    return talk.state.stage in (Stage.HANDOVER, Stage.ENDED)


def live_through(survey: Survey, data: st.DataObject) -> Talk:
    """A call with a caller who does not leave by himself, to its end."""
    talk = Talk(survey)
    for _ in range(longest(survey)):
        if is_over(talk):
            break
        turn = data.draw(turns(flow.expectation(survey, talk.state)), label="turn")
        talk.turn(turn)
        assert talk.last, "the caller is left in silence"
    return talk


def check_end(talk: Talk) -> None:
    assert is_over(talk), "the call goes on and on"
    ends, transfers = talk.of(End), talk.of(Transfer)
    assert (len(ends), len(transfers)) in ((1, 0), (0, 1))
    last = talk.directives[-1]
    assert isinstance(last, End | Transfer)
    assert last.text
    offers = [offer.offer for offer in talk.of(Offer) if offer.attempt == 1]
    assert len(offers) == len(set(offers)), "the same is offered twice"
    acted = [
        each.reason if isinstance(each, OpenCase) else each.rule
        for each in [*talk.of(OpenCase), *talk.of(Note)]
    ]
    assert len(acted) == len(set(acted)), "a rule acts twice"
    asked = {ask.question_id for ask in talk.of(Ask)}
    assert {record.question_id for record in talk.of(Record)} <= asked, "an answer to what was not asked"
    if transfers:  # nobody picks up
        talk.turn(HANDOVER_FAILED)
        assert talk.state.stage is Stage.ENDED
        assert isinstance(talk.directives[-1], End)


@pytest.mark.parametrize("survey", SHIPPED, ids=lambda survey: survey.id)
@given(data=st.data())
@settings(max_examples=10, deadline=None)
def test_a_shipped_survey_ends_for_every_caller(survey: Survey, data: st.DataObject) -> None:
    check_end(live_through(survey, data))


@given(survey=surveys(), data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_survey_that_lints_ends_for_every_caller(survey: Survey, data: st.DataObject) -> None:
    check_end(live_through(survey, data))


@given(survey=surveys(), turn=st.sampled_from([SILENCE, *NOISE]))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_who_does_the_same_for_ever_is_let_go(survey: Survey, turn: UserTurn) -> None:
    talk = Talk(survey)
    for _ in range(longest(survey)):
        if not is_over(talk):
            talk.turn(turn)
    check_end(talk)


@given(survey=surveys(), data=st.data(), leaves=st.sampled_from(LEAVING))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_who_wants_to_leave_may_at_any_question(
    survey: Survey, data: st.DataObject, leaves: UserTurn
) -> None:
    """At an open question every word is an answer to the ear of a form, but not to ours."""
    talk = Talk(survey)
    for _ in range(data.draw(st.integers(0, 4))):
        if not is_over(talk):
            talk.turn(data.draw(turns(flow.expectation(survey, talk.state)), label="turn"))
    if is_over(talk):
        return
    offered = bool(talk.now(Offer))
    talk.turn(leaves)
    assert is_over(talk) or offered, "a refusal of the survey is a no to an offer, and no more"
    if is_over(talk):
        check_end(talk)
