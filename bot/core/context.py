"""What the dialogue is told about a call at its start, and what a caller's turn is."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, BaseModel, ConfigDict

from bot.core.answer import Answer
from bot.core.intents import Intent, Topic
from bot.core.zones import Zone


class Person(BaseModel):
    """A customer or an agent, as far as the company told us; every field may be empty."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    id: str = ""
    first_name: str = ""
    middle_name: str = ""
    last_name: str = ""


class CallContext(BaseModel):
    """Per-call data: goes to Rasa as the metadata of `/start_survey`.

    `timezone` (IANA) is the customer's, or the company's where his is not known; what he says about
    dates and times is read in it. `reason` is why a campaign rings, in its own words. `resumed` are
    the answers of an interrupted survey that this call goes on with, by question.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    call_id: str
    survey_hash: str
    direction: Literal["outbound", "inbound"]
    customer: Person = Person()
    agent: Person = Person()
    department: str = ""
    timezone: Zone = "Europe/Moscow"
    reason: str = ""
    resumed: dict[str, Answer] = {}

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


class TurnSource(StrEnum):
    SPEECH = "speech"
    DTMF = "dtmf"
    SILENCE = "silence"
    HANDOVER_FAILED = "handover_failed"


class Word(BaseModel):
    """One recognised word; times in seconds of media time, confidence 0..1."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    text: str
    start: float
    end: float
    confidence: float


class UserTurn(BaseModel):
    """One turn of the caller as the survey flow sees it.

    `text` is raw lower-case words (ё kept); unrecognised words stand as `[unk]`. `digits` are the
    keys of a DTMF turn. `intent` and `topic` come from the NLU, and only speech has them. `at` is when
    the turn was taken: «через час» counts from there. `after_s` is how long after the end of the
    caller's own turn before this one began, where that is known; `question_heard` that by then he had
    heard the question to its end. Of a handover that failed `text` is the reason, and `due` the moment
    by which somebody will have rung back, where routing has named one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    source: TurnSource
    text: str = ""
    words: tuple[Word, ...] = ()
    digits: str = ""
    intent: Intent | None = None
    intent_confidence: float = 0.0
    topic: Topic | None = None
    at: AwareDatetime | None = None
    after_s: float | None = None
    question_heard: bool = False
    due: AwareDatetime | None = None


def message_of(text: str) -> str:
    """Words as the NLU may read them: never empty, and never a command, which a slash would make it."""
    return text.replace("/", " ").strip() or "[unk]"
