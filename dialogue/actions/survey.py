"""The four custom actions. What happens next is decided in bot.surveys.flow; they carry it.

    action_start_survey    a call begins
    validate_survey_form   an answer, a key or silence, read by the form
    action_interruption    what a caller says instead of an answer
    action_outside         a turn that no rule has a place for: after the end, or of a lost call

An action answers with one TurnReply as JSON in `custom`, or with `{"error", "message", "hint"}`.
"""

from __future__ import annotations

from typing import Any

import structlog
from rasa_sdk import Action, FormValidationAction, Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from bot.core.errors import DialogueUnavailable, OtklikError
from bot.surveys.understanding import understand
from dialogue.actions.conversation import Conversation, advance, begin
from dialogue.actions.messages import SLOT, context_of, conversation_of, goes_on, turn_id_of, turn_of
from dialogue.actions.shelf import Surveys

ANSWER = "answer"
"""The one slot that the form ever asks for."""

_log = structlog.get_logger(__name__)


class StartSurvey(Action):  # type: ignore[misc]  # rasa_sdk brings no types
    def __init__(self, surveys: Surveys) -> None:
        self._surveys = surveys

    def name(self) -> str:
        return "action_start_survey"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        turn_id = turn_id_of(tracker)
        conversation = conversation_of(tracker)
        if conversation is None or conversation.turn_id != turn_id:
            try:
                context = context_of(tracker)
                conversation = begin(self._surveys.by_hash(context.survey_hash), context, turn_id)
            except OtklikError as error:
                return _refuse(dispatcher, tracker, error)
        return _answer(dispatcher, conversation)


class Interruption(Action):  # type: ignore[misc]  # rasa_sdk brings no types
    def __init__(self, surveys: Surveys) -> None:
        self._surveys = surveys

    def name(self) -> str:
        return "action_interruption"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        return _turn(self._surveys, dispatcher, tracker)


class Outside(Action):  # type: ignore[misc]  # rasa_sdk brings no types
    """After the end the flow answers a turn with no directives; without a conversation, an error."""

    def __init__(self, surveys: Surveys) -> None:
        self._surveys = surveys

    def name(self) -> str:
        return "action_outside"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        return _turn(self._surveys, dispatcher, tracker)


class ValidateSurveyForm(FormValidationAction):  # type: ignore[misc]
    """The form asks for one slot, again and again, for as long as the survey lasts."""

    def __init__(self, surveys: Surveys) -> None:
        self._surveys = surveys

    def name(self) -> str:
        return "validate_survey_form"

    async def required_slots(
        self,
        domain_slots: list[str],
        dispatcher: CollectingDispatcher,
        tracker: Tracker,
        domain: dict[str, Any],
    ) -> list[str]:
        return [ANSWER] if goes_on(tracker) else []

    async def extract_answer(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> dict[str, Any]:
        """The domain maps the text to the slot; there is nothing to extract beside it."""
        return {}

    async def validate_answer(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> dict[str, Any]:
        """Take the turn; the slot stays empty, so that it is asked for again."""
        return {str(event["name"]): event["value"] for event in _turn(self._surveys, dispatcher, tracker)}


def actions(surveys: Surveys) -> tuple[Action, ...]:
    """All actions that the domain names."""
    return StartSurvey(surveys), Interruption(surveys), Outside(surveys), ValidateSurveyForm(surveys)


def _turn(surveys: Surveys, dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    conversation = conversation_of(tracker)
    if conversation is None:
        return _refuse(dispatcher, tracker, DialogueUnavailable("разговор утерян: Rasa перезапускалась"))
    try:
        turn = turn_of(tracker)
        survey = surveys.by_hash(conversation.survey_hash)
    except OtklikError as error:
        return _refuse(dispatcher, tracker, error)
    understood = understand(tracker.latest_message)
    return _answer(dispatcher, advance(survey, conversation, turn, turn_id_of(tracker), understood))


def _answer(dispatcher: CollectingDispatcher, conversation: Conversation) -> list[EventType]:
    dispatcher.utter_message(json_message=conversation.reply.model_dump(mode="json"))
    return [SlotSet(SLOT, conversation.model_dump(mode="json")), SlotSet(ANSWER, None)]


def _refuse(dispatcher: CollectingDispatcher, tracker: Tracker, error: OtklikError) -> list[EventType]:
    _log.error("turn refused", call_id=tracker.sender_id, code=error.code, reason=error.message)
    dispatcher.utter_message(json_message={"error": error.code, "message": error.message, "hint": error.hint})
    return [SlotSet(ANSWER, None)]
