"""The caller's turn after an offer: yes, no, or something else altogether."""

from __future__ import annotations

from bot.core.answer import Answer
from bot.core.context import TurnSource, UserTurn
from bot.core.directives import Callback, Offer, OfferAnswered, OptOut, YesNoExpected
from bot.core.endings import Disposition
from bot.core.intents import Intent
from bot.surveys import course, triage
from bot.surveys.answers import parse
from bot.surveys.conditions import COMPLAINT
from bot.surveys.draft import Draft
from bot.surveys.state import PendingOffer
from bot.surveys.wishes import LEAST_INTENT_CONFIDENCE, Wish, wish_of

OFFER_ATTEMPTS = 3
"""The offer, said otherwise, and once more; then the survey goes on as if declined."""

OFFER_EXPECTS = YesNoExpected()


def at_offer(draft: Draft, turn: UserTurn) -> None:
    """One turn of the caller while an offer waits for its answer."""
    pending = draft.state.offer
    assert pending is not None  # the stage says so
    if turn.source is not TurnSource.SILENCE:
        draft.update(silent=False, silent_questions=0)
    wish = wish_of(turn)
    if wish in _LEAVES:
        draft.add(OfferAnswered(offer="human", accepted=False))
        _LEAVES[wish](draft, turn)
        return
    decided = True if wish is Wish.REQUEST_AGENT else _decision(turn)
    if wish is Wish.COMPLAIN:
        draft.signal(COMPLAINT, "intent:complain", turn.topic, turn.text)
    if decided is None and wish in (Wish.REFUSE_QUESTION, Wish.REFUSE_SURVEY):
        decided = False
    if decided is None:
        _once_more(draft, pending, turn, wish)
    elif decided:
        _accept(draft, pending)
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


def _accept(draft: Draft, pending: PendingOffer) -> None:
    rule = draft.survey.rule(pending.rule)
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
    wordings = triage.offer_wordings(draft.survey, draft.survey.rule(pending.rule), pending.topic)
    text = wordings[(attempt - 1) % len(wordings)]
    draft.add(Offer(offer="human", text=draft.render(text), topic=pending.topic, attempt=attempt))
    draft.update(offer=pending.model_copy(update={"attempt": attempt}))


def _opt_out(draft: Draft, turn: UserTurn) -> None:
    draft.add(OptOut(words=turn.text))
    draft.end(Disposition.OPTED_OUT, "opted_out")


def _callback(draft: Draft, turn: UserTurn) -> None:
    draft.add(Callback(when=turn.text, by="agent"))
    draft.end(Disposition.CALLBACK, "callback")


def _wrong_person(draft: Draft, turn: UserTurn) -> None:
    draft.end(Disposition.WRONG_PERSON, "wrong_person")


def _goodbye(draft: Draft, turn: UserTurn) -> None:
    course.leave(draft, Disposition.HUNG_UP, "hung_up")


_LEAVES = {
    Wish.OPT_OUT: _opt_out,
    Wish.CALLBACK: _callback,
    Wish.WRONG_PERSON: _wrong_person,
    Wish.GOODBYE: _goodbye,
}
