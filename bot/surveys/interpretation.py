"""One utterance as a call would take it: what is meant, what value it gives, whether a human is due.

Pure. The NLU's part comes in as `Understood`; wishes and answers are read by the same functions that
read them in a call (`wishes`, `answers`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.core.answer import Answer, AnswerValue
from bot.core.context import CallContext, TurnSource, UserTurn
from bot.core.directives import Expectation, OpenExpected, ScaleExpected, Understood, YesNoExpected
from bot.core.intents import Intent, Topic
from bot.surveys import triage
from bot.surveys.answers import parse
from bot.surveys.schema import Survey, expectation_of
from bot.surveys.state import FlowState
from bot.surveys.wishes import Wish, only_says_no, stands, wish_of

Escalates = Callable[[Answer], bool]
"""Whether an answer alone is reason enough to offer a human."""

SCALES: dict[str, Expectation] = {
    "0-10": ScaleExpected(low=0, high=10),
    "1-5": ScaleExpected(low=1, high=5),
    "1-3": ScaleExpected(low=1, high=3),
    "yes_no": YesNoExpected(),
}

_LOW = {"0-10": 6, "1-5": 2, "1-3": 1}
"""Up to here a score is low: the detractors of NPS, the two lowest of five, the lowest of three. As the
surveys that ship do it. «No» is low or not by the question, so without a survey it is not."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked: the answer that is expected, and which answers are low."""

    expectation: Expectation
    escalates: Escalates


@dataclass(frozen=True, slots=True)
class Interpretation:
    """`value` is None where nothing was asked or no answer was given; `reason` then says why (None
    where nothing was asked). `topic` is that of a complaint. `escalate`: a human should be offered."""

    intent: Intent
    confidence: float
    topic: Topic | None
    value: AnswerValue
    reason: str | None
    escalate: bool


def asked_on_scale(scale: str) -> Asked:
    """`scale` is a key of `SCALES`."""
    low = _LOW.get(scale)

    def is_low(answer: Answer) -> bool:
        return low is not None and isinstance(answer.value, int | float) and answer.value <= low

    return Asked(SCALES[scale], is_low)


def asked_in_survey(survey: Survey, question_id: str) -> Asked:
    """A question of a survey; low is what raises a signal by the survey's own triage rules.

    Raises KeyError for a question that the survey does not have.
    """
    context = CallContext(call_id="", survey_hash="", direction="outbound")

    def raises_signal(answer: Answer) -> bool:
        return bool(triage.new_signals(survey, FlowState(context=context, answers={question_id: answer})))

    return Asked(expectation_of(survey.question(question_id)), raises_signal)


def interpret(text: str, found: Understood | None, asked: Asked | None = None) -> Interpretation:
    """What these words mean, as an answer to what was asked where something was."""
    understood = found or Understood(intent=Intent.OUT_OF_SCOPE, confidence=0.0)
    turn = UserTurn(
        source=TurnSource.SPEECH if text.strip() else TurnSource.SILENCE,
        text=text,
        intent=understood.intent,
        intent_confidence=understood.confidence,
        topic=understood.topic,
    )
    expectation = None if asked is None else asked.expectation
    wish = wish_of(turn, open_question=isinstance(expectation, OpenExpected))
    value: AnswerValue = None
    reason, low = None, False
    if asked is not None:
        reading = parse(asked.expectation, turn)
        if not isinstance(reading, Answer):
            reason = _WITHOUT_VALUE.get(wish, reading.reason.value)
        elif not stands(asked.expectation, wish, turn):
            reason = "belongs_to_wish"
        else:
            value, low = reading.value, asked.escalates(reading)
            if only_says_no(asked.expectation, wish, turn):
                wish = None
    return Interpretation(
        intent=understood.intent,
        confidence=understood.confidence,
        topic=understood.topic,
        value=value,
        reason=reason,
        escalate=low or wish in (Wish.COMPLAIN, Wish.REQUEST_AGENT),
    )


_WITHOUT_VALUE: dict[Wish | None, str] = {
    Wish.DONT_KNOW: "dont_know",
    Wish.REFUSE_QUESTION: "refused",
    Wish.REFUSE_SURVEY: "refused",
}
"""Why a question goes without a value where the caller said so himself, as an answer's record has it."""
