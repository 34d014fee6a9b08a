"""What a call comes to, by who answered it."""

from __future__ import annotations

import pytest

from bot.call.answering.classifier import Verdict
from bot.call.answering.picture import Weight
from bot.call.outcome import Progress, of_answered, of_unanswered
from bot.core.answerer import Answerer
from bot.core.endings import Disposition, EndCause, EndKind, retry_cause


def verdict(answerer: Answerer, outcome: Disposition | None = None) -> Verdict:
    return Verdict(answerer, ("words: x",), 1.0, Weight.WORDS, outcome=outcome)


OURS = EndCause(EndKind.LOCAL_HANGUP)


@pytest.mark.parametrize("answerer", [one for one in Answerer if one.is_machine])
def test_a_machine_is_never_completed_and_answers_are_kept(answerer: Answerer) -> None:
    met = Progress().met(verdict(answerer))
    assert of_answered(met, OURS).value == {"announcement": "unavailable"}.get(answerer, answerer.value)
    assert of_answered(met.ending(Disposition.COMPLETED), OURS) is not Disposition.COMPLETED
    assert of_answered(Progress().with_answer().met(verdict(answerer)), OURS) is Disposition.PARTIAL


def test_what_the_carrier_said_is_the_outcome() -> None:
    wrong = verdict(Answerer.ANNOUNCEMENT, Disposition.INVALID_NUMBER)
    assert of_answered(Progress().met(wrong), OURS) is Disposition.INVALID_NUMBER
    assert of_unanswered(EndCause(EndKind.NO_ANSWER, 480), wrong) is Disposition.INVALID_NUMBER
    assert retry_cause(Disposition.INVALID_NUMBER) is None


def test_every_disposition_says_whether_it_is_worth_another_call() -> None:
    last = {disposition for disposition in Disposition if retry_cause(disposition) is None}
    assert last == {
        Disposition.COMPLETED,
        Disposition.PARTIAL,
        Disposition.TRANSFERRED,
        Disposition.REFUSED,
        Disposition.OPTED_OUT,
        Disposition.WRONG_PERSON,
        Disposition.HUNG_UP,
        Disposition.DECLINED,
        Disposition.INVALID_NUMBER,
        Disposition.FAX,
        Disposition.CANCELLED,
    }
