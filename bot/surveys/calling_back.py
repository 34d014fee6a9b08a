"""When a caller who has no time now wants the bot to ring again, in his own words."""

from __future__ import annotations

from datetime import datetime

from bot.core.answer import Answer
from bot.core.context import TurnSource, UserTurn
from bot.core.directives import DateExpected
from bot.surveys.answers import parse

HORIZON_DAYS = 14
_WHEN = DateExpected(horizon_days=HORIZON_DAYS)


def named_in(turn: UserTurn) -> datetime | None:
    """The moment from which he may be rung, the begin of a span; None where he names none, or none that
    can be made out."""
    if turn.source is not TurnSource.SPEECH or turn.at is None:
        return None
    read = parse(_WHEN, turn)
    return datetime.fromisoformat(str(read.value).partition("/")[0]) if isinstance(read, Answer) else None
