"""The course of a survey between turns: on to the next question, an offer, a transfer or the end."""

from __future__ import annotations

from bot.core.answer import AnswerStatus
from bot.core.directives import Callback, Offer, OfferAnswered, Transfer
from bot.core.endings import Disposition
from bot.core.intents import Topic
from bot.surveys import asking, triage
from bot.surveys.draft import Draft
from bot.surveys.schema import Question, TriageRule
from bot.surveys.state import PendingOffer, Stage

SILENT_QUESTIONS = 2
"""So many questions in a row without a sound, and nobody is there."""

DEFAULT_TARGET = "responsible"
"""The agents' table entry for a caller who asks for a person by himself."""


def go_on(draft: Draft, lead: str | None = None, purpose: str = "acknowledgement") -> None:
    """After a question is disposed of: an offer that is due, else the next question, else the end.

    `lead` is the pool of a short sentence to say before a next question; before an offer, which
    has its own sympathetic words, and before a closing it is left out.
    """
    for signal in triage.new_signals(draft.survey, draft.state):
        draft.signal(signal.name, signal.rule)
    way = asking.way_on(draft.survey, draft.state)
    rule = triage.rule_due(draft.survey, draft.state, way.question.id if way.question else None)
    if rule is not None:
        offer(draft, rule)
    elif way.question is None:
        finish(draft)
    else:
        if lead is not None:
            draft.say_next(lead, purpose)
        asking.put(draft, way)


def offer(draft: Draft, rule: TriageRule) -> None:
    """Offer a human for the first time."""
    topic = draft.state.topic
    first, _ = triage.offer_wordings(draft.survey, rule, topic)
    draft.add(Offer(offer=rule.offer, text=draft.render(first), topic=topic))
    draft.update(
        stage=Stage.OFFER,
        offer=PendingOffer(rule=rule.id, topic=topic),
        offered=(*draft.state.offered, rule.id),
    )


def decline(draft: Draft, *, words: bool) -> None:
    """The offer is off: back to the question that it interrupted, or on with the survey.

    `words` says whether the caller did decline; silence is taken for a no, without comment.
    """
    draft.add(OfferAnswered(offer="human", accepted=False))
    draft.update(offer=None)
    pending = draft.state.question_id
    if pending is not None and pending not in draft.state.answers:
        if words:
            draft.say_next("declined", "acknowledgement")
        asking.put_again(draft, draft.survey.question(pending))
    else:
        go_on(draft, "declined" if words else None)


def transfer(draft: Draft, *, target: str, reason: str, topic: Topic | None, requested: bool) -> None:
    """Hand over to a human; what is left of the survey is dropped."""
    draft.add(
        Transfer(
            target=target,
            reason=reason,
            text=draft.render(draft.survey.closings.transfer),
            whisper=draft.render(
                triage.whisper(draft.survey, draft.state.answers, topic, requested=requested)
            ),
        )
    )
    draft.update(stage=Stage.HANDOVER, offer=None)


def handover_failed(draft: Draft) -> None:
    """Nobody took the caller: say so, promise that an agent will ring, and end."""
    draft.say(draft.survey.texts.handover_failed, "apology")
    draft.add(Callback(by="agent"))
    draft.end(Disposition.CALLBACK, "handover_failed")


def dispose_unanswered(draft: Draft, question: Question, reason: str) -> None:
    """The ladder is at its end: «no answer», then on, unless nobody seems to be there."""
    silent = draft.state.silent_questions + 1 if draft.state.silent else 0
    draft.record(question, asking.no_answer(reason, draft.state))
    draft.update(silent_questions=silent)
    if silent >= SILENT_QUESTIONS or draft.state.fruitless >= draft.survey.patience:
        leave(draft, Disposition.NO_INPUT, "no_input" if silent else "hung_up")
    else:
        go_on(draft, "skipped")


def leave(draft: Draft, without_answers: Disposition, closing: str) -> None:
    """End before the last question: partial where anything was answered."""
    if draft.state.answered:
        draft.end(Disposition.PARTIAL, "partial")
    else:
        draft.end(without_answers, closing)


def finish(draft: Draft) -> None:
    """All that was due is disposed of. Completed means that at least one question has an answer.

    Without one: refused where the caller refused a question, no input where nothing usable was
    said, and otherwise (he knew no answer to anything) partial: he was there and listened.
    """
    statuses = {answer.status for answer in draft.state.answers.values()}
    if AnswerStatus.ANSWERED in statuses:
        draft.end(Disposition.COMPLETED, "completed")
    elif AnswerStatus.REFUSED in statuses:
        draft.end(Disposition.REFUSED, "refused")
    elif AnswerStatus.DONT_KNOW in statuses:
        draft.end(Disposition.PARTIAL, "hung_up")
    else:
        draft.end(Disposition.NO_INPUT, "no_input" if draft.state.silent else "hung_up")
