"""A survey call as a pure function of turns: `start`, then `next_step` until it ends or hands over.

    idle ── start ──► question ──► question … ──► ended
                         │  ▲
                         ▼  │ declined, or a callback agreed on
                       offer ── accepted ──► handover ── failed ──► ended

Cases and notes of triage rules come with whatever step makes them due.

Nothing here knows time, sound or a network. Whatever the caller does, a survey ends: wasted turns
are counted a question and a call, and what costs nothing (a repeat, who is calling) is counted too.
"""

from __future__ import annotations

from bot.core.context import CallContext, TurnSource, UserTurn
from bot.core.directives import Expectation
from bot.surveys import asking, confirming, course, privacy, resuming
from bot.surveys.correcting import made_good, taken, with_addition
from bot.surveys.draft import Draft
from bot.surveys.offering import at_offer, expected_at
from bot.surveys.questioning import after_the_end, at_question
from bot.surveys.schema import Survey
from bot.surveys.state import FlowState, PendingOffer, Stage, Step

__all__ = [
    "FlowState",
    "PendingOffer",
    "Stage",
    "Step",
    "current_question",
    "expectation",
    "next_step",
    "start",
]


def start(survey: Survey, context: CallContext) -> Step:
    """Consent, introduction and the first question; or, of a survey that was interrupted, consent, an
    apology and the first question that has no answer yet."""
    given = resuming.still_asked(survey, context.resumed)
    state, first = resuming.first_open(survey, FlowState(context=context, answers=given))
    draft = Draft(survey, state)
    draft.say(survey.consent, "consent", protected=True)
    draft.say(resuming.apology(survey.language) if given else survey.introduction, "introduction")
    if first.question is None:
        course.finish(draft)
    else:
        asking.put(draft, first)
    return draft.step()


def next_step(survey: Survey, state: FlowState, turn: UserTurn) -> Step:
    """What follows from one turn of the caller.

    While a handover is under way only its failure counts; after the end a wish for a person or for no
    more calls does: any other turn gives the state back with no directives. What merely adds to the turn
    before (`correcting`) is taken together with it.
    """
    stood, addition = state, with_addition(survey, state, turn)
    if addition is not None:
        state, turn = addition
    draft = Draft(survey, state, turn.at)
    if state.stage is Stage.ENDED:
        after_the_end(draft, turn)
        return draft.step()
    draft.heard(turn)
    unrecorded = state.stage is not Stage.HANDOVER and privacy.heed(draft, turn)
    if turn.source is TurnSource.HANDOVER_FAILED:
        course.handover_failed(draft, turn)
    elif state.stage is Stage.QUESTION:
        at_question(draft, turn, unrecorded=unrecorded)
    elif state.stage is Stage.OFFER:
        at_offer(draft, turn, unrecorded=unrecorded)
    course.act(draft)
    step = draft.step()
    if addition is not None:
        step = made_good(survey, stood, state, step)
    return Step(taken(state, turn, step), step.directives)


def expectation(survey: Survey, state: FlowState) -> Expectation | None:
    """What answer is expected now; None while none is (handover, end)."""
    if state.stage is Stage.OFFER:
        assert state.offer is not None  # the stage says so
        return expected_at(survey.rule(state.offer.rule).offer or "human")
    return None if current_question(state) is None else confirming.expected(survey, state)


def current_question(state: FlowState) -> str | None:
    """The id of the question that waits for its answer, or None."""
    return state.question_id if state.stage is Stage.QUESTION else None
