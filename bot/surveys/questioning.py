"""The caller's turn at a question: an answer, a wish, both in one breath, or neither."""

from __future__ import annotations

from bot.core.answer import Answer, AnswerStatus
from bot.core.context import TurnSource, UserTurn
from bot.core.directives import Callback, OptOut
from bot.core.endings import Disposition
from bot.core.intents import Topic
from bot.surveys import asking, calling_back, confirming, course, noticing, privacy, triage
from bot.surveys.answers import Unclear, UnclearReason, parse
from bot.surveys.conditions import MISUNDERSTOOD
from bot.surveys.draft import Draft
from bot.surveys.noticing import Heard
from bot.surveys.questions import ChoiceQuestion, DateQuestion, MultiChoiceQuestion, YesNoQuestion
from bot.surveys.schema import (
    CsatQuestion,
    NpsQuestion,
    OpenQuestion,
    Question,
    expectation_of,
)
from bot.surveys.wishes import Wish, only_says_no, stands, wish_of

FREE_REPEATS = 2
"""«Say that again» costs nothing twice a question; after that it counts as a wasted turn."""

FREE_IDENTITIES = 2
"""The same for «who are you», a call."""

REFUSALS = 2
"""So many questions refused in a row refuse the survey."""

_POOLS = {
    UnclearReason.SILENCE: "no_input",
    UnclearReason.NO_MATCH: "no_match",
    UnclearReason.AMBIGUOUS: "ambiguous",
    UnclearReason.LOW_CONFIDENCE: "low_confidence",
    UnclearReason.OUT_OF_RANGE: "out_of_range",
    UnclearReason.WRONG_KEY: "wrong_key",
    UnclearReason.DENIED: "no_match",
    UnclearReason.TOO_MANY: "ambiguous",
    UnclearReason.NO_CLOCK: "no_match",
}


_NOT_UNDERSTOOD = (UnclearReason.NO_MATCH, UnclearReason.AMBIGUOUS, UnclearReason.LOW_CONFIDENCE)


def at_question(draft: Draft, turn: UserTurn, *, unrecorded: bool = False) -> None:
    """One turn of the caller while a question waits for its answer; `unrecorded` where it has just stopped
    the recording."""
    assert draft.state.question_id is not None  # the stage says so
    question = draft.survey.question(draft.state.question_id)
    if turn.source is not TurnSource.SILENCE:
        draft.update(silent=False, silent_questions=0)
    if turn.at is not None:
        turn = turn.model_copy(update={"at": turn.at.astimezone(draft.state.context.zone)})
    wish = wish_of(turn, open_question=isinstance(question, OpenQuestion))
    reading = parse(confirming.expected(draft.survey, draft.state), turn)
    wish = _unless_answered(wish, question, reading)
    if unrecorded:
        reading = privacy.beside_refusal(expectation_of(question), reading, turn)
        wish = None if wish is Wish.REFUSE_QUESTION else wish  # it was not the question that was refused
    value = reading if isinstance(reading, Answer) and stands(expectation_of(question), wish, turn) else None
    if value is not None and only_says_no(expectation_of(question), wish, turn):
        wish = None
        draft.update(topic=draft.state.topic or turn.topic)
    heard = _beside(noticing.heard_in(draft.survey, turn), question, value)
    if wish in _LEAVES:
        if value is not None:
            draft.record(question, value)
        noticing.notice(draft, turn, heard, complained=False)
        _LEAVES[wish](draft, turn)
    elif value is not None and confirming.is_wanted(draft, question, value):
        confirming.ask(draft, question, (value.value,), value.heard)
    elif value is not None:
        _accept(draft, question, value, turn, heard, complained=wish is Wish.COMPLAIN)
    elif unrecorded and wish not in _ASIDES:
        asking.put_again(draft, question)
    else:
        _without_answer(draft, question, turn, heard, wish, reading)


def _beside(heard: Heard, question: Question, value: Answer | None) -> Heard:
    """Without the words that are the answer itself: «не решили» to «решён ли вопрос?», an option's name."""
    if value is None:
        return heard
    if isinstance(question, YesNoQuestion):
        return heard.without(Topic.UNRESOLVED)
    if isinstance(question, ChoiceQuestion | MultiChoiceQuestion):
        return Heard((), heard.others)
    return heard


def _without_answer(
    draft: Draft,
    question: Question,
    turn: UserTurn,
    heard: Heard,
    wish: Wish | None,
    reading: Answer | Unclear,
) -> None:
    """A turn without an answer: what it tells all the same, and then an offer that this makes due, or
    the wish, the doubt, or the question again."""
    told = noticing.notice(draft, turn, heard, complained=wish is Wish.COMPLAIN)
    told = noticing.interrupted(draft, turn) or told
    if wish is None and heard.complaints and not (isinstance(reading, Unclear) and reading.candidates):
        wish = Wish.COMPLAIN  # by the words alone: the NLU did not see it
    if told and course.offer_at_once(draft):
        return
    if wish in _ASIDES:
        _ASIDES[wish](draft, question, turn)
    elif isinstance(reading, Unclear):
        _doubt(draft, question, reading, turn)
    else:
        _fail(draft, question, UnclearReason.NO_MATCH, turn.text)


def after_the_end(draft: Draft, turn: UserTurn) -> None:
    """One turn over the farewell, which changes nothing of how the survey ended."""
    wish = wish_of(turn)
    if wish is Wish.OPT_OUT:
        draft.add(OptOut(words=turn.text))
        draft.say(draft.survey.closings.opted_out, "closing")
    elif wish is Wish.REQUEST_AGENT:
        _request_agent(draft, turn)
    else:
        privacy.heed(draft, turn)


def _unless_answered(wish: Wish | None, question: Question, reading: Answer | Unclear) -> Wish | None:
    """«Завтра перезвоните» answers the question when to ring; «семь или восемь, не знаю» does know."""
    if wish is Wish.CALLBACK and isinstance(question, DateQuestion) and isinstance(reading, Answer):
        return None
    if wish is Wish.DONT_KNOW and isinstance(reading, Unclear) and len(reading.candidates) == 2:
        return None
    return wish


def _doubt(draft: Draft, question: Question, reading: Unclear, turn: UserTurn) -> None:
    """Ask once whether it was this, or which of two; otherwise the turn led nowhere."""
    patient = draft.state.fruitless + 1 < draft.survey.patience
    if patient and confirming.is_due(draft, question, reading):
        draft.update(failures=draft.state.failures + 1, fruitless=draft.state.fruitless + 1)
        confirming.ask(draft, question, reading.candidates, turn.text)
    else:
        _fail(draft, question, reading.reason, turn.text)


def _accept(
    draft: Draft, question: Question, value: Answer, turn: UserTurn, heard: Heard, *, complained: bool
) -> None:
    first = draft.state.answered == 0
    draft.record(question, value)
    draft.update(refusals=0)
    asked = isinstance(question, OpenQuestion)
    noticing.notice(draft, turn, heard, complained=complained, asked=asked)
    if complained or heard.complaints:
        course.go_on(draft, "sympathy", "sympathy")
    elif _is_low(question, value):
        course.go_on(draft, "acknowledgement_low")
    else:
        # Thanks after every question would be a drone: after the first and then after each second.
        course.go_on(draft, "acknowledgement" if first or draft.state.answered % 2 else None)


def _is_low(question: Question, value: Answer) -> bool:
    """In the lower half of a scale of satisfaction: thanks for frankness fit, plain ones would not."""
    if not isinstance(question, NpsQuestion | CsatQuestion) or not isinstance(value.value, int):
        return False
    scale = question.expectation
    return value.value < (scale.low + scale.high) / 2


def _fail(draft: Draft, question: Question, reason: UnclearReason, words: str = "") -> None:
    """A turn that led nowhere: say why, put the question in other words, or let it go.

    `words` are those that were not understood. So many of such turns are a signal, and may make an
    offer due.
    """
    draft.update(failures=draft.state.failures + 1, fruitless=draft.state.fruitless + 1)
    stumbles = draft.state.stumbles.get(reason, 0) + 1
    draft.update(stumbles={**draft.state.stumbles, reason.value: stumbles})
    if reason in _NOT_UNDERSTOOD:
        draft.update(misheard=draft.state.misheard + 1)
    listening = draft.survey.signals
    raised = (
        listening is not None
        and draft.state.misheard >= listening.misunderstood_after
        and course.misunderstood(draft, f"{MISUNDERSTOOD}:turns", words)
    )
    spent = draft.state.fruitless >= draft.survey.patience
    if spent or asking.is_spent(question, draft.state, reason):
        course.dispose_unanswered(draft, question, reason.value, words)
        return
    if raised and course.offer_at_once(draft):
        return
    _say_why(draft, question, reason)
    with_keys = reason is UnclearReason.WRONG_KEY or draft.state.confirming or stumbles >= 2
    asking.put_again(draft, question, with_keys=with_keys)


def _say_why(draft: Draft, question: Question, reason: UnclearReason) -> None:
    """Each reason in words of its own; a number that is not on the scale is told first what is."""
    named = asking.bounds(draft.survey, question) if reason is UnclearReason.OUT_OF_RANGE else ""
    if named and named not in draft.state.used:
        draft.update(used={**draft.state.used, named: 1})
        draft.say(named, "no_match")
        return
    pool = _POOLS[reason]
    if not getattr(draft.survey.texts, pool):
        pool = "ambiguous"  # a version from before this reason had words of its own
    draft.say_next(pool, "no_input" if reason is UnclearReason.SILENCE else "no_match")


# Wishes that end the questions --------------------------------------------------------------


def _opt_out(draft: Draft, turn: UserTurn) -> None:
    draft.add(OptOut(words=turn.text))
    draft.end(Disposition.OPTED_OUT, "opted_out")


def _request_agent(draft: Draft, turn: UserTurn) -> None:
    draft.signal(triage.REQUEST_AGENT, "intent:request_agent", turn.topic, turn.text)
    course.transfer(
        draft,
        target=course.DEFAULT_TARGET,
        reason=triage.REQUEST_AGENT,
        topic=draft.state.topic,
        requested=True,
    )


def _callback(draft: Draft, turn: UserTurn) -> None:
    draft.add(Callback(when=turn.text, by="bot", due=calling_back.named_in(turn)))
    draft.end(Disposition.CALLBACK, "callback")


def _wrong_person(draft: Draft, turn: UserTurn) -> None:
    draft.end(Disposition.WRONG_PERSON, "wrong_person")


def _refuse_survey(draft: Draft, turn: UserTurn) -> None:
    draft.end(Disposition.REFUSED, "refused")


def _goodbye(draft: Draft, turn: UserTurn) -> None:
    pending = draft.state.question_id
    if pending in draft.state.answers and asking.way_on(draft.survey, draft.state).question is None:
        course.finish(draft)
    else:
        course.leave(draft, Disposition.HUNG_UP, "hung_up")


_LEAVES = {
    Wish.OPT_OUT: _opt_out,
    Wish.REQUEST_AGENT: _request_agent,
    Wish.CALLBACK: _callback,
    Wish.WRONG_PERSON: _wrong_person,
    Wish.REFUSE_SURVEY: _refuse_survey,
    Wish.GOODBYE: _goodbye,
}


# Wishes after which the survey goes on ------------------------------------------------------


def _complain(draft: Draft, question: Question, turn: UserTurn) -> None:
    """A complaint without a value: an offer where a rule wants it now, else sympathy and the question."""
    if course.offer_at_once(draft):
        return
    if draft.state.soothed:
        _fail(draft, question, UnclearReason.NO_MATCH, turn.text)
    else:
        draft.update(soothed=1)
        draft.say_next("sympathy", "sympathy")
        asking.put_again(draft, question)


def _repeat(draft: Draft, question: Question, turn: UserTurn) -> None:
    if draft.state.repeats >= FREE_REPEATS:
        _fail(draft, question, UnclearReason.NO_MATCH, turn.text)
    else:
        draft.update(repeats=draft.state.repeats + 1)
        # Not the confirming question, which has one wording: nobody hears the same sentence twice.
        asking.put_again(draft, question)


def _identify(draft: Draft, question: Question, turn: UserTurn) -> None:
    if draft.state.identified >= FREE_IDENTITIES:
        _fail(draft, question, UnclearReason.NO_MATCH, turn.text)
    else:
        draft.update(identified=draft.state.identified + 1)
        draft.say_next("identity", "identity")
        asking.put_again(draft, question)


def _dont_know(draft: Draft, question: Question, turn: UserTurn) -> None:
    draft.record(question, _without_value(AnswerStatus.DONT_KNOW, turn))
    draft.update(refusals=0)
    course.go_on(draft, "skipped")


def _refuse_question(draft: Draft, question: Question, turn: UserTurn) -> None:
    draft.record(question, _without_value(AnswerStatus.REFUSED, turn))
    draft.update(refusals=draft.state.refusals + 1)
    if draft.state.refusals >= REFUSALS:
        draft.end(Disposition.REFUSED, "refused")
    else:
        course.go_on(draft, "skipped")


def _without_value(status: AnswerStatus, turn: UserTurn) -> Answer:
    return Answer(status=status, confidence=turn.intent_confidence, heard=turn.text, reason=status.value)


_ASIDES = {
    Wish.COMPLAIN: _complain,
    Wish.REPEAT: _repeat,
    Wish.IDENTITY: _identify,
    Wish.DONT_KNOW: _dont_know,
    Wish.REFUSE_QUESTION: _refuse_question,
}
