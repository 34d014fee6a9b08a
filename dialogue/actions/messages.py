"""What Rasa's tracker tells of the present turn: the caller's turn, its id, the call's context."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError
from rasa_sdk import Tracker

from bot.core.context import CallContext, TurnSource, UserTurn
from bot.core.errors import BadInput
from bot.core.ids import new_id
from bot.surveys.state import Stage
from dialogue.actions.conversation import Conversation

SLOT = "conversation"

_TRIGGERED = frozenset(TurnSource) - {TurnSource.SPEECH}


def conversation_of(tracker: Tracker) -> Conversation | None:
    """None before the start, and after a restart of Rasa lost what it had in memory."""
    kept = tracker.get_slot(SLOT)
    return None if kept is None else Conversation.model_validate(kept)


def goes_on(tracker: Tracker) -> bool:
    """Whether there is a conversation that is not over. rasa_sdk asks several times a turn, so that all else
    in it stays unread."""
    kept = tracker.get_slot(SLOT)
    return kept is not None and kept["state"]["stage"] != Stage.ENDED


def context_of(tracker: Tracker) -> CallContext:
    """The metadata of `/start_survey`. Raises BadInput."""
    try:
        return CallContext.model_validate(_metadata(tracker).get("context"))
    except ValidationError as error:
        raise BadInput(
            f"в /start_survey нет контекста звонка, ошибок: {error.error_count()}",
            hint='он передаётся в metadata: {"turn_id": …, "context": {…}}',
        ) from error


def turn_of(tracker: Tracker) -> UserTurn:
    """The caller's turn: a triggered intent, or speech with its words in the metadata.

    Speech that came without metadata, as from Rasa's own tools, is its text alone.
    Raises BadInput.
    """
    at = _taken_at(tracker)
    intent = tracker.latest_message.get("intent", {}).get("name")
    if intent in _TRIGGERED:
        try:
            return UserTurn(
                source=TurnSource(intent),
                digits=str(_entity(tracker, "digits") or ""),
                text=str(_entity(tracker, "reason") or ""),
                due=_entity(tracker, "due"),
                at=at,
            )
        except ValidationError as error:
            raise BadInput(f"сущности {intent} не по договору, ошибок: {error.error_count()}") from error
    turn = _metadata(tracker).get("turn")
    if turn is None:
        return UserTurn(source=TurnSource.SPEECH, text=tracker.latest_message.get("text") or "", at=at)
    try:
        heard = UserTurn.model_validate(turn)
    except ValidationError as error:
        raise BadInput(f"в metadata не ход звонящего, ошибок: {error.error_count()}") from error
    return heard if heard.at is not None else heard.model_copy(update={"at": at})


def turn_id_of(tracker: Tracker) -> str:
    """The id by which a repeated turn is known; a fresh one where the sender gave none."""
    return str(_metadata(tracker).get("turn_id") or _entity(tracker, "turn_id") or new_id("turn"))


def _taken_at(tracker: Tracker) -> datetime | None:
    """When Rasa took the turn, by its tracker; None in a tracker without events."""
    for event in reversed(tracker.events):
        if event.get("event") == "user" and event.get("timestamp") is not None:
            return datetime.fromtimestamp(event["timestamp"], UTC)
    return None


def _metadata(tracker: Tracker) -> Mapping[str, Any]:
    return tracker.latest_message.get("metadata") or {}


def _entity(tracker: Tracker, name: str) -> Any:
    return next(tracker.get_latest_entity_values(name), None)
