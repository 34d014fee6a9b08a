"""A call's conversation as it rests in Rasa's tracker, and the two ways in which it moves on.

Pure: a conversation, a turn and a survey in, the next conversation out. Every move remembers the
id of its turn and its reply; the same id again gives the same conversation back, so that a turn
whose reply was lost can be sent twice.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from bot.core.context import CallContext, UserTurn
from bot.core.directives import TurnReply, Understood
from bot.surveys import flow
from bot.surveys.schema import Survey
from bot.surveys.understanding import as_understood


class Conversation(BaseModel):
    """What the slot `conversation` holds, as JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    survey_hash: str
    state: flow.FlowState
    turn_id: str
    reply: TurnReply


def begin(survey: Survey, context: CallContext, turn_id: str) -> Conversation:
    """The start of a call: consent, introduction, first question."""
    step = flow.start(survey, context)
    return Conversation(
        survey_hash=context.survey_hash,
        state=step.state,
        turn_id=turn_id,
        reply=TurnReply(directives=step.directives),
    )


def advance(
    survey: Survey,
    conversation: Conversation,
    turn: UserTurn,
    turn_id: str,
    understood: Understood | None = None,
) -> Conversation:
    """One turn of the caller. A repeated `turn_id` changes nothing."""
    if turn_id == conversation.turn_id:
        return conversation
    turn = as_understood(turn, understood)
    step = flow.next_step(survey, conversation.state, turn)
    return Conversation(
        survey_hash=conversation.survey_hash,
        state=step.state,
        turn_id=turn_id,
        reply=TurnReply(directives=step.directives, understood=understood),
    )
