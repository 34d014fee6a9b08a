"""The caller's turn after an offer: yes, no, a time for the callback, or something else altogether."""

from __future__ import annotations

from itertools import pairwise

from bot.core.answer import Answer
from bot.core.context import TurnSource, UserTurn
from bot.core.directives import (
    Callback,
    ConfirmExpected,
    DateExpected,
    Expectation,
    Offer,
    OfferAnswered,
    OptOut,
    YesNoExpected,
)
from bot.core.endings import Disposition
from bot.core.intents import Intent
from bot.surveys import course, noticing, promising, triage
from bot.surveys.answers import UnclearReason, parse
from bot.surveys.draft import Draft
from bot.surveys.schema import TriageRule
from bot.surveys.state import PendingOffer
from bot.surveys.wishes import LEAST_INTENT_CONFIDENCE, Wish, wish_of
from bot.surveys.words import split, table

OFFER_ATTEMPTS = 3
"""The offer, said otherwise, and once more; then the survey goes on as if declined."""

OFFER_EXPECTS = YesNoExpected()

_TIME = DateExpected(horizon_days=14)

CALLBACK_EXPECTS = ConfirmExpected(of=_TIME, candidates=("yes",))
"""Yes or no, or when: words are listened to as for a date."""

_NO_CALL = table("надо нужно стоит звоните звони перезванивайте need")
"""«Завтра не надо» names a day and is a no."""


def expected_at(offer: str) -> Expectation:
    """What is listened for after an offer of this kind."""
    return CALLBACK_EXPECTS if offer == "callback" else OFFER_EXPECTS


def at_offer(draft: Draft, turn: UserTurn, *, unrecorded: bool = False) -> None:
    """One turn of the caller while an offer waits for its answer; `unrecorded` where it has just stopped
    the recording: «нет, не записывайте» declines nothing."""
    pending = draft.state.offer
    assert pending is not None  # the stage says so
    if turn.source is not TurnSource.SILENCE:
        draft.update(silent=False, silent_questions=0)
    wish = wish_of(turn)
    rule = draft.survey.rule(pending.rule)
    noticing.notice(draft, turn, noticing.heard_in(draft.survey, turn), complained=wish is Wish.COMPLAIN)
    if rule.offer == "callback":
        turn = turn if draft.now is None else turn.model_copy(update={"at": draft.now})
        if _takes_a_callback(draft, rule, pending, turn, wish):
            return
    if wish in _LEAVES:
        _LEAVES[wish](draft, turn)
        return
    if unrecorded and wish is not Wish.REQUEST_AGENT:
        _once_more(draft, pending, turn, Wish.REPEAT)
        return
    decided = True if wish is Wish.REQUEST_AGENT else _decision(turn)
    if decided is None and wish in (Wish.REFUSE_QUESTION, Wish.REFUSE_SURVEY):
        decided = False
    if decided is None:
        _once_more(draft, pending, turn, wish)
    elif decided:
        _accept(draft, pending, rule, turn)
    else:
        course.decline(draft, words=True)


def _decision(turn: UserTurn) -> bool | None:
    """Yes or no from words or keys; from the intent alone where the words are in no table."""
    reading = parse(OFFER_EXPECTS, turn)
    if isinstance(reading, Answer):
        return reading.value == "yes"
    if reading.candidates or turn.intent_confidence < LEAST_INTENT_CONFIDENCE:
        return None
    return {Intent.AFFIRM: True, Intent.DENY: False}.get(turn.intent) if turn.intent else None


def _takes_a_callback(
    draft: Draft, rule: TriageRule, pending: PendingOffer, turn: UserTurn, wish: Wish | None
) -> bool:
    """Whoever wants a person now instead is passed on; whoever names a time is rung then."""
    if wish is Wish.REQUEST_AGENT:
        course.turned_down(draft)
        draft.signal(triage.REQUEST_AGENT, "intent:request_agent", turn.topic, turn.text)
        topic = draft.state.topic or pending.topic
        course.transfer(draft, target=rule.target, reason=triage.REQUEST_AGENT, topic=topic, requested=True)
        return True
    if wish is not None and wish is not Wish.CALLBACK:
        return False
    if turn.source is not TurnSource.SPEECH or _says_no_call(turn):
        return False
    time = parse(_TIME, turn)
    if isinstance(time, Answer):
        _promise(draft, rule, pending, when=turn.text, due=str(time.value))
    elif wish is Wish.CALLBACK or time.reason is UnclearReason.AMBIGUOUS:
        _promise(draft, rule, pending, when=turn.text)  # a time that only the agent can make out
    else:
        return False
    return True


def _says_no_call(turn: UserTurn) -> bool:
    words = split(turn.text)
    return any(first in ("не", "not", "don't") and second in _NO_CALL for first, second in pairwise(words))


def _promise(draft: Draft, rule: TriageRule, pending: PendingOffer, *, when: str = "", due: str = "") -> None:
    """A callback is agreed on, for the time that was offered, or for his own, which `when` tells; the
    survey goes on. `due` is that time as it was read, or empty."""
    texts, latest = draft.survey.texts, draft.survey.calling.latest
    by = pending.by
    moment = promising.end_of(due, latest) if due else None
    if not when and by is not None:
        moment = promising.due_of(by, draft.now, latest)
    topic = draft.state.topic or pending.topic
    draft.add(OfferAnswered(offer="callback", accepted=True))
    draft.add(Callback(when=when, by="agent", due=moment, target=rule.target, reason=rule.id, topic=topic))
    said = texts.callback_at if when else triage.with_time(draft.survey, texts.callback_promised, by)
    draft.say(said, "acknowledgement")
    draft.update(offer=None)
    course.back(draft, None)


def _accept(draft: Draft, pending: PendingOffer, rule: TriageRule, turn: UserTurn) -> None:
    if rule.offer == "callback":
        _promise(draft, rule, pending)
        return
    draft.add(OfferAnswered(offer="human", accepted=True))
    course.transfer(
        draft, target=rule.target, reason=rule.id, topic=draft.state.topic or pending.topic, requested=False
    )


def _once_more(draft: Draft, pending: PendingOffer, turn: UserTurn, wish: Wish | None) -> None:
    draft.update(fruitless=draft.state.fruitless + 1)
    if pending.attempt >= OFFER_ATTEMPTS or draft.state.fruitless >= draft.survey.patience:
        course.decline(draft, words=False)
        return
    if wish is Wish.IDENTITY:
        draft.say_next("identity", "identity")
    elif turn.source is TurnSource.DTMF:
        draft.say_next("wrong_key", "no_match")
    elif turn.source is TurnSource.SILENCE:
        draft.say_next("no_input", "no_input")
    elif wish is not Wish.REPEAT:
        draft.say_next("no_match", "no_match")
    attempt = pending.attempt + 1
    rule = draft.survey.rule(pending.rule)
    assert rule.offer is not None  # it was made
    wordings = triage.offer_wordings(draft.survey, rule, pending.topic, pending.by)
    text = draft.render(wordings[(attempt - 1) % len(wordings)])
    draft.add(Offer(offer=rule.offer, text=text, topic=pending.topic, attempt=attempt, rule=rule.id))
    draft.update(offer=pending.model_copy(update={"attempt": attempt}))


def _opt_out(draft: Draft, turn: UserTurn) -> None:
    _off(draft)
    draft.add(OptOut(words=turn.text))
    draft.end(Disposition.OPTED_OUT, "opted_out")


def _callback(draft: Draft, turn: UserTurn) -> None:
    pending = draft.state.offer
    assert pending is not None  # the stage says so
    rule = draft.survey.rule(pending.rule)
    topic = draft.state.topic or pending.topic
    _off(draft)
    draft.add(Callback(when=turn.text, by="agent", target=rule.target, reason=rule.id, topic=topic))
    draft.end(Disposition.CALLBACK, "callback")


def _wrong_person(draft: Draft, turn: UserTurn) -> None:
    _off(draft)
    draft.end(Disposition.WRONG_PERSON, "wrong_person")


def _goodbye(draft: Draft, turn: UserTurn) -> None:
    course.turned_down(draft)
    course.leave(draft, Disposition.HUNG_UP, "hung_up")


def _off(draft: Draft) -> None:
    """The offer is off, and no case comes of it."""
    assert draft.state.offer is not None  # the stage says so
    rule = draft.survey.rule(draft.state.offer.rule)
    assert rule.offer is not None  # it was made
    draft.add(OfferAnswered(offer=rule.offer, accepted=False))


_LEAVES = {
    Wish.OPT_OUT: _opt_out,
    Wish.CALLBACK: _callback,
    Wish.WRONG_PERSON: _wrong_person,
    Wish.GOODBYE: _goodbye,
}
