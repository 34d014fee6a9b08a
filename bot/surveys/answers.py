"""From what a caller did to a typed answer, or a reason why there is none.

Pure and quick (about a millisecond): whole words and their grammar, no stems cut off, no guesses. The
same code reads answers in a call, in `otklik understand` and in the tests.
"""

from __future__ import annotations

from datetime import datetime

from bot.core.answer import Answer, AnswerSource, AnswerStatus, AnswerValue
from bot.core.context import TurnSource, UserTurn
from bot.core.directives import (
    ChoiceExpected,
    ConfirmExpected,
    DateExpected,
    Expectation,
    MultiChoiceExpected,
    NumberExpected,
    OpenExpected,
    ScaleExpected,
    YesNoExpected,
)
from bot.surveys.choices import read_choice
from bot.surveys.dates import keyed_hour, read_date
from bot.surveys.hedges import said
from bot.surveys.multi_choices import read_choices
from bot.surveys.numbers import read_number
from bot.surveys.reading import Reading, Unclear, UnclearReason
from bot.surveys.scales import read_scale
from bot.surveys.words import UNKNOWN, tokens
from bot.surveys.yes_no import has_outcome, read_yes_no

__all__ = ["LEAST_CONFIDENCE", "Unclear", "UnclearReason", "parse", "says_outcome"]

LEAST_CONFIDENCE = 0.5
"""An answer that rests on a word less sure than this is not taken."""

MOST_WORDS = 150
"""What comes after so many words at a closed question is no longer its answer."""

_MOST_KEYS = 9


def parse(
    expectation: Expectation, turn: UserTurn, *, least_confidence: float = LEAST_CONFIDENCE
) -> Answer | Unclear:
    """The answer that `turn` gives to what is expected.

    Speech at an open question is always an answer, however little of it was recognised: the sound
    is the record.
    """
    if isinstance(expectation, ConfirmExpected):
        return _confirmation(expectation, turn, least_confidence)
    if turn.source is TurnSource.DTMF:
        return _from_keys(expectation, turn)
    if turn.source is not TurnSource.SPEECH:
        return Unclear(UnclearReason.SILENCE)
    if isinstance(expectation, OpenExpected):
        return _from_comment(turn)
    reading = _read(expectation, turn)
    if isinstance(reading, Unclear):
        return reading
    if reading.confidence < least_confidence:
        return Unclear(UnclearReason.LOW_CONFIDENCE, (reading.value,))
    return Answer(
        status=AnswerStatus.ANSWERED,
        value=reading.value,
        confidence=reading.confidence,
        source=AnswerSource.CORRECTED if reading.corrected else AnswerSource.SPEECH,
        heard=reading.heard,
        alternatives=reading.alternatives,
    )


def _read(expectation: Expectation, turn: UserTurn) -> Reading | Unclear:
    spoken = said(turn)[:MOST_WORDS]
    match expectation:
        case ScaleExpected(low=low, high=high, labels=labels):
            return read_scale(spoken, low, high, labels)
        case YesNoExpected():
            return read_yes_no(spoken)
        case ChoiceExpected(options=options):
            return read_choice(spoken, options)
        case MultiChoiceExpected(options=options, at_most=at_most):
            return read_choices(spoken, options, at_most)
        case NumberExpected(low=low, high=high):
            return read_number(spoken, low, high)
        case DateExpected(horizon_days=days):
            return Unclear(UnclearReason.NO_CLOCK) if turn.at is None else read_date(spoken, turn.at, days)
        case OpenExpected() | ConfirmExpected():  # not read as a value; `parse` takes them before
            return Unclear(UnclearReason.NO_MATCH)


def _confirmation(expected: ConfirmExpected, turn: UserTurn, least_confidence: float) -> Answer | Unclear:
    """A value said in the open («нет, восемь») stands; «да» stands for the one that was named."""
    value = parse(expected.of, turn, least_confidence=least_confidence)
    if isinstance(value, Answer):
        others = [other for other in expected.candidates if other != value.value]
        named = len(others) < len(expected.candidates)
        keyed = value.source is AnswerSource.DTMF
        return value.model_copy(
            update={
                "source": value.source if named or keyed else AnswerSource.CORRECTED,
                "alternatives": (*others, *(one for one in value.alternatives if one not in others)),
            }
        )
    if len(expected.candidates) > 1 or isinstance(expected.of, YesNoExpected):
        return value
    agreed = read_yes_no(tokens(turn)) if turn.source is TurnSource.SPEECH else value
    if isinstance(agreed, Unclear):
        return value
    if agreed.value == "no":
        return Unclear(UnclearReason.DENIED, expected.candidates)
    if agreed.confidence < least_confidence:
        return Unclear(UnclearReason.LOW_CONFIDENCE, expected.candidates)
    return Answer(
        status=AnswerStatus.ANSWERED,
        value=expected.candidates[0],
        confidence=agreed.confidence,
        source=AnswerSource.SPEECH,
        heard=agreed.heard,
    )


def says_outcome(turn: UserTurn) -> bool:
    """Whether the words name the matter of a yes/no question itself («решили», «не помогли»)."""
    return has_outcome(tokens(turn))


def _from_comment(turn: UserTurn) -> Answer:
    """An open answer; `value` is the recognised words, empty where all of them are unknown."""
    known = [word for word in turn.text.split() if word != UNKNOWN]
    return Answer(
        status=AnswerStatus.ANSWERED,
        value=turn.text.strip() if known else "",
        confidence=min((word.confidence for word in turn.words), default=1.0),
        source=AnswerSource.SPEECH,
        heard=turn.text,
    )


def _from_keys(expectation: Expectation, turn: UserTurn) -> Answer | Unclear:
    """Keys: the number itself, 1 and 2 for yes and no, an option's place in the list, the hour of a day."""
    value = _keyed(expectation, turn.digits.rstrip("#"), turn.at)
    if isinstance(value, Unclear):
        return value
    return Answer(status=AnswerStatus.ANSWERED, value=value, source=AnswerSource.DTMF, heard=turn.digits)


def _keyed(expectation: Expectation, keys: str, now: datetime | None) -> AnswerValue | Unclear:
    wrong = Unclear(UnclearReason.WRONG_KEY)
    if not (keys.isascii() and keys.isdecimal()) or len(keys) > _MOST_KEYS:
        return wrong
    if isinstance(expectation, MultiChoiceExpected):
        return _keyed_options(expectation, keys)
    pressed = int(keys)
    match expectation:
        case DateExpected():  # «09» is an hour as well as «9»
            hour = None if now is None else keyed_hour(pressed, now)
            return wrong if hour is None else hour
        case _ if str(pressed) != keys:
            return wrong
        case ScaleExpected(low=low, high=high) | NumberExpected(low=low, high=high):
            return pressed if low <= pressed <= high else wrong
        case YesNoExpected():
            return {1: "yes", 2: "no"}.get(pressed, wrong)
        case ChoiceExpected(options=options):
            return options[pressed - 1].id if 1 <= pressed <= len(options) else wrong
        case _:
            return wrong


def _keyed_options(expectation: MultiChoiceExpected, keys: str) -> AnswerValue | Unclear:
    """Each key is an option; 0 alone is none of them."""
    if keys == "0":
        return []
    places = {int(key) for key in keys}
    if not all(1 <= place <= len(expectation.options) for place in places):
        return Unclear(UnclearReason.WRONG_KEY)
    ids = [option.id for place, option in enumerate(expectation.options, start=1) if place in places]
    if expectation.at_most is not None and len(ids) > expectation.at_most:
        return Unclear(UnclearReason.TOO_MANY, tuple(ids))
    return list(ids)
