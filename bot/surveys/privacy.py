"""A caller who does not want to be recorded: the survey goes on without sound, from that moment."""

from __future__ import annotations

from bot.core.answer import Answer
from bot.core.context import TurnSource, UserTurn
from bot.core.directives import Expectation, OpenExpected, StopRecording, YesNoExpected
from bot.surveys.answers import Unclear, UnclearReason, says_outcome
from bot.surveys.cues import wants_no_recording
from bot.surveys.draft import Draft
from bot.surveys.schema import Survey
from bot.surveys.texts_en import TEXTS_EN
from bot.surveys.texts_ru import TEXTS_RU
from bot.surveys.words import split

_BESIDES = 5
"""At an open question so many words are a comment, too."""


def unrecorded(survey: Survey) -> str:
    """What the caller is told; versions from before there was such a text have their language's."""
    return survey.texts.unrecorded or (TEXTS_EN if survey.language == "en" else TEXTS_RU)["unrecorded"]


def refuses_recording(turn: UserTurn) -> bool:
    return turn.source is TurnSource.SPEECH and wants_no_recording(turn.text)


def beside_refusal(expectation: Expectation, reading: Answer | Unclear, turn: UserTurn) -> Answer | Unclear:
    """What is left for the question in a turn that refuses the recording: «нет, не записывайте» is no «no»
    to it, and no comment."""
    if isinstance(expectation, OpenExpected) and len(split(turn.text)) < _BESIDES:
        return Unclear(UnclearReason.NO_MATCH)
    if isinstance(expectation, YesNoExpected) and not says_outcome(turn):
        return Unclear(UnclearReason.NO_MATCH)
    return reading


def heed(draft: Draft, turn: UserTurn) -> bool:
    """Stop the recording where the turn says so for the first time; whether it did."""
    if draft.state.unrecorded or not refuses_recording(turn):
        return False
    draft.add(StopRecording(words=turn.text))
    draft.update(unrecorded=True)
    draft.say(unrecorded(draft.survey), "privacy")
    return True
