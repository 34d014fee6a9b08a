"""What a survey says besides its questions, with defaults in its language.

A pool holds several wordings of one thing; they are used in turn, so that a caller never hears the
same sentence twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from bot.core.intents import Topic
from bot.surveys.piping import Text
from bot.surveys.promising import By
from bot.surveys.texts_en import CLOSINGS_EN, TEXTS_EN
from bot.surveys.texts_ru import CLOSINGS_RU, TEXTS_RU


def _one_or_many(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Sentence = Annotated[Text, Field(min_length=1, max_length=600)]
Pool = Annotated[tuple[Sentence, ...], BeforeValidator(_one_or_many), Field(min_length=1)]

LaterPool = Annotated[tuple[Sentence, ...], BeforeValidator(_one_or_many)]
"""A pool that came into the schema after surveys were published."""


class Texts(BaseModel):
    """Sentences between the questions.

    `filler` and `connecting` are for the call itself, while the caller would otherwise hear
    nothing. The `whisper_…` texts and `agent_recorded` are for the agent alone; `whisper_score`
    has the place `{value}`, and `numbers` are the words for 0 to 10 that are put there.

    `confirm` has the place `{value}` and `confirm_either` also `{other}`, for what was heard. `bounds` names
    the ends of a scale, or of a count, with the places `{low}` and `{high}`: what is said first to a number
    beyond them.

    `callback_by` says when a callback is promised for; the texts of a callback but `callback_at`, for a
    time that the caller names himself, have the place `{by}` for it.

    A text that came into the schema after surveys were published (0.2) has an empty default: an
    older version that is read says what it said when it was published, and keeps its hash.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    acknowledgement: Pool
    acknowledgement_low: Pool
    no_input: Pool
    no_match: Pool
    ambiguous: Pool
    out_of_range: Pool
    wrong_key: Pool
    skipped: Pool
    sympathy: Pool
    identity: Pool
    declined: Pool
    low_confidence: LaterPool = ()
    bounds: str = ""
    unrecorded: Text = ""
    confirm: str = ""
    confirm_either: str = ""
    dtmf_scale: Sentence
    dtmf_yes_no: Sentence
    dtmf_number: Text = ""
    dtmf_date: Text = ""
    offer: Sentence
    offer_by_topic: dict[Topic, Sentence]
    offer_reask: Sentence
    offer_callback: Text = ""
    offer_callback_by_topic: dict[Topic, Text] = Field(default_factory=dict)
    offer_callback_reask: Text = ""
    callback_by: dict[By, Text] = Field(default_factory=dict)
    callback_promised: Text = ""
    callback_at: Text = ""
    handover_failed: Sentence
    filler: Pool
    connecting: Pool
    whisper_score: Annotated[str, Field(min_length=1)]
    whisper_topics: dict[Topic, Sentence]
    whisper_requested: Sentence
    agent_recorded: Sentence
    numbers: Annotated[tuple[str, ...], Field(min_length=11, max_length=11)]


class Closings(BaseModel):
    """The last sentence by outcome. `transfer` is said before the agent is rung, `error` when we fail.

    After a handover that failed, `handover_today`, `handover_tomorrow` and `handover_workday` promise a
    time where one is known (empty in versions from before there were such promises).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    completed: Sentence
    partial: Sentence
    refused: Sentence
    opted_out: Sentence
    callback: Sentence
    wrong_person: Sentence
    no_input: Sentence
    hung_up: Sentence
    transfer: Sentence
    handover_failed: Sentence
    handover_today: Text = ""
    handover_tomorrow: Text = ""
    handover_workday: Text = ""
    error: Sentence


LISTENING = {"misunderstood_after": 3, "interruptions": 3}
"""When a call that goes badly is a signal, unless a survey says otherwise."""

_DEFAULTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "ru": (TEXTS_RU, CLOSINGS_RU),
    "en": (TEXTS_EN, CLOSINGS_EN),
}


def with_defaults(data: Any) -> Any:
    """Survey data with every wording that its author left out, in the survey's language."""
    if not isinstance(data, Mapping):
        return data
    texts, closings = _DEFAULTS.get(str(data.get("language")), _DEFAULTS["ru"])
    return {
        **data,
        "signals": _over(LISTENING, data.get("signals")),
        "texts": _over(texts, data.get("texts")),
        "closings": _over(closings, data.get("closings")),
    }


def _over(defaults: dict[str, Any], given: Any) -> Any:
    """`given` laid over the defaults, one level deeper where both are tables by topic."""
    if given is None:
        return defaults
    if not isinstance(given, Mapping):
        return given
    merged: dict[str, Any] = dict(defaults)
    for key, value in given.items():
        default = defaults.get(key)
        both = isinstance(default, Mapping) and isinstance(value, Mapping)
        merged[key] = {**default, **value} if both and default is not None else value
    return merged
