"""The course of a survey between turns: on to the next question, an offer, a transfer or the end."""

from __future__ import annotations

from bot.core.answer import AnswerStatus
from bot.core.context import UserTurn
from bot.core.directives import Callback, Note, Offer, OfferAnswered, OpenCase, Say, Transfer
from bot.core.endings import Disposition
from bot.core.intents import Topic
from bot.surveys import asking, promising, triage
from bot.surveys.conditions import MISUNDERSTOOD
from bot.surveys.draft import Draft
from bot.surveys.schema import Question, TriageRule
from bot.surveys.state import PendingOffer, Stage

SILENT_QUESTIONS = 2
"""So many questions in a row without a sound, and nobody is there."""

NOT_UNDERSTOOD = ("no_match", "ambiguous", "low_confidence")
"""Reasons of «no answer» that are the bot's failure to understand."""

DEFAULT_TARGET = "responsible"
"""The agents' table entry for a caller who asks for a person by himself."""


def go_on(draft: Draft, lead: str | None = None, purpose: str = "acknowledgement") -> None:
    """After a question is disposed of: an offer that is due, else the next question, else the end.

    `lead` is the pool of a short sentence to say before a next question; before an offer, which
    has its own sympathetic words, and before a closing it is left out.
    """
    for signal, words in triage.new_signals(draft.survey, draft.state):
        draft.signal(signal.name, signal.rule, words=words)
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
    """Offer a human, or a callback, for the first time."""
    assert rule.offer is not None  # it is due
    topic, by = draft.state.topic, rule.by
    if by is not None:
        by = promising.still_true(by, draft.now, draft.survey.calling.latest)
    first, _ = triage.offer_wordings(draft.survey, rule, topic, by)
    draft.add(Offer(offer=rule.offer, text=draft.render(first), topic=topic, rule=rule.id))
    draft.update(
        stage=Stage.OFFER,
        offer=PendingOffer(rule=rule.id, topic=topic, by=by),
        offered=(*draft.state.offered, rule.id),
    )


def decline(draft: Draft, *, words: bool) -> None:
    """The offer is off: back to the question that it interrupted, or on with the survey.

    `words` says whether the caller did decline; silence is taken for a no, without comment.
    """
    turned_down(draft)
    back(draft, "declined" if words else None)


def turned_down(draft: Draft) -> None:
    """Write down that the offer is off, and open the case that its rule wants then."""
    assert draft.state.offer is not None  # it waits for its answer
    rule = draft.survey.rule(draft.state.offer.rule)
    assert rule.offer is not None  # it was made
    draft.add(OfferAnswered(offer=rule.offer, accepted=False))
    draft.update(offer=None)
    if rule.declined == "case":
        draft.add(_case(draft, rule))
        draft.update(acted=(*draft.state.acted, rule.id))


def back(draft: Draft, lead: str | None) -> None:
    """From an offer to the question that it interrupted, or on with the survey."""
    pending = draft.state.question_id
    if pending is not None and pending not in draft.state.answers:
        if lead is not None:
            draft.say_next(lead, "acknowledgement")
        asking.put_again(draft, draft.survey.question(pending))
    else:
        go_on(draft, lead)


def offer_at_once(draft: Draft) -> bool:
    """Make the offer of a rule that has become due while a question waits; whether there is one."""
    rule = triage.rule_due(draft.survey, draft.state, draft.state.question_id)
    if rule is not None:
        offer(draft, rule)
    return rule is not None


def act(draft: Draft) -> None:
    """Open the cases and leave the notes that are due, before the caller is asked or told the next thing."""
    for rule in triage.acts_due(draft.survey, draft.state):
        draft.update(acted=(*draft.state.acted, rule.id))
        if rule.do == "case":
            draft.insert(_case(draft, rule))
            if rule.text is not None:
                draft.insert(Say(text=draft.render(rule.text), purpose=CASE))
        else:
            topic = draft.state.topic
            draft.insert(Note(rule=rule.id, topic=topic, words=triage.grounds(rule, draft.state)))


CASE = "case"
"""The purpose of the sentence that is said when a case is opened."""


def _case(draft: Draft, rule: TriageRule) -> OpenCase:
    return OpenCase(
        reason=rule.id,
        topic=draft.state.topic,
        words=triage.grounds(rule, draft.state),
        target=rule.target,
    )


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


def handover_failed(draft: Draft, turn: UserTurn) -> None:
    """Nobody took the caller: say so, promise that an agent will ring, by when if that is known, and end."""
    draft.say(draft.survey.texts.handover_failed, "apology")
    draft.add(Callback(by="agent", due=turn.due))
    due = None if turn.due is None else turn.due.astimezone(draft.state.context.zone)
    by = promising.words_for(due, draft.now)
    closing = "handover_failed" if by is None else f"handover_{by}"
    if not getattr(draft.survey.closings, closing):  # a version from before such promises
        closing = "handover_failed"
    draft.end(Disposition.CALLBACK, closing)


def dispose_unanswered(draft: Draft, question: Question, reason: str, words: str = "") -> None:
    """The ladder is at its end: «no answer», then on, unless nobody seems to be there.

    `words` are the last ones, where there were any.
    """
    silent = draft.state.silent_questions + 1 if draft.state.silent else 0
    draft.record(question, asking.no_answer(reason, draft.state))
    draft.update(silent_questions=silent)
    if reason in NOT_UNDERSTOOD:
        misunderstood(draft, f"{MISUNDERSTOOD}:question", words)
    if silent >= SILENT_QUESTIONS or draft.state.fruitless >= draft.survey.patience:
        leave(draft, Disposition.NO_INPUT, "no_input" if silent else "hung_up")
    else:
        go_on(draft, "skipped")


def misunderstood(draft: Draft, rule: str, words: str = "") -> bool:
    """Raise the signal of a caller who is not understood, once a call; whether it was raised now."""
    raised = any(signal.name == MISUNDERSTOOD for signal in draft.state.signals)
    if raised or draft.survey.signals is None:
        return False
    draft.signal(MISUNDERSTOOD, rule, words=words)
    return True


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
