"""What a caller adds to an answer that was already taken: «восемь…» «…ой нет, девять».

A turn is over after a short silence, so an answer may go on after it: it is taken back, explained or
repeated in other words while the next prompt begins. Such a turn is no answer to a question that was
not yet heard. The turn before is then taken once more, from the state it was taken in, with all the
words that were said: as if they had been heard in one breath.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.core.answer import Answer, AnswerStatus, AnswerValue
from bot.core.context import TurnSource, UserTurn
from bot.core.directives import (
    Callback,
    Directive,
    Expectation,
    Note,
    OpenCase,
    OpenExpected,
    OptOut,
    Record,
    Say,
    ScaleExpected,
    Signal,
    Transfer,
    WithdrawMatter,
    WithdrawSignal,
)
from bot.surveys.answers import UnclearReason, parse
from bot.surveys.course import CASE
from bot.surveys.facts import RaisedSignal
from bot.surveys.misheard import as_meant, beside, is_withdrawn, without_opening
from bot.surveys.offering import expected_at
from bot.surveys.schema import OpenQuestion, Question, Survey, expectation_of
from bot.surveys.state import FlowState, Stage, Step, TakenTurn
from bot.surveys.wishes import wish_of
from bot.surveys.words import split, table
from bot.surveys.yes_no_words import NODS

ADDED_S = 1.6
"""A turn that begins so soon after the one before adds to it: pauses of up to 1.5 s, and the 0.1 s by
which the ends of speech are uncertain."""

_FINAL = (Transfer, Callback, OptOut)
"""What was promised or begun in the step of a turn: it is not taken again."""

_TAKES_BACK = table(
    "ой нет не то точнее вернее тьфу хотя лучше скорее ошибся ошиблась перепутал перепутала оговорился",
    "оговорилась передумал передумала извините простите погодите подождите стойте sorry no actually rather",
)
"""With one of these a new value replaces the one that was taken, whatever the next question expects."""


_RETURNS = table(
    "ой точнее вернее тьфу ошибся ошиблась извините простите погодите подождите стойте sorry oops"
)
"""Whoever begins with one of these goes back to what he said before."""


def taken(before: FlowState, turn: UserTurn, step: Step) -> FlowState:
    """The step's state, with what is needed to take this turn again, if it gave a value and did nothing
    that cannot be taken back."""
    kept = None
    if before.stage is Stage.QUESTION and not any(isinstance(each, _FINAL) for each in step.directives):
        given = (each for each in step.directives if isinstance(each, Record))
        for record in given:
            if record.question_id == before.question_id and record.answer.status is AnswerStatus.ANSWERED:
                without = before.model_copy(update={"last": None})
                kept = TakenTurn(state=without, turn=turn, answer=record.answer)
    return step.state.model_copy(update={"last": kept})


def with_addition(survey: Survey, state: FlowState, turn: UserTurn) -> tuple[FlowState, UserTurn] | None:
    """The state and the whole turn to take instead of `turn`; None where it adds to nothing."""
    last = state.last
    if last is None or turn.source is not TurnSource.SPEECH:
        return None
    if turn.after_s is None or turn.after_s > ADDED_S or not split(turn.text):
        return None
    question = _question(survey, last.state)
    expected = expectation_of(question)
    before = last.answer.value
    if is_withdrawn(expected, turn, before):
        return last.state, turn.model_copy(update={"intent": None, "topic": None})
    misheard = as_meant(expected, turn, before)
    if turn.question_heard and misheard is None:
        return _taken_back(last, turn, expected, before, stray=_is_stray(survey, state, turn))
    turn = misheard or turn
    takes_back = not _TAKES_BACK.isdisjoint(split(turn.text))
    whole, alone = _joined(last.turn, turn), (turn, without_opening(turn))
    for said in (whole, *alone):
        reading = parse(expected, said)
        if not isinstance(reading, Answer):
            continue
        if isinstance(question, OpenQuestion):
            return last.state, said
        if reading.value != before:
            meant = takes_back or not _answers_the_next(survey, state, turn)
            return (last.state, _without_bare(last, said)) if meant else None
        if takes_back and any(_gives_another(expected, each, before) for each in alone):
            continue  # «два… ой нет, плохо», which counts only where no number is said
        if said is whole and not _answers_the_next(survey, state, turn):
            return last.state, said
    return None


def made_good(survey: Survey, stood: FlowState, base: FlowState, step: Step) -> Step:
    """The step of a turn that was taken again in `base`, with what makes good for the first time: `stood`
    was the state after that.

    Signals, cases and notes that do not arise any more are withdrawn, those that stand are not made
    twice, and an answer that was taken back and not replaced is none.
    """
    new = list(step.state.signals[len(base.signals) :])
    gone = []
    for signal in stood.signals[len(base.signals) :]:
        if signal in new:
            new.remove(signal)
        else:
            gone.append(WithdrawSignal(name=signal.name, rule=signal.rule, topic=signal.topic))
    acted = stood.acted[len(base.acted) :]
    dropped = [WithdrawMatter(rule=rule) for rule in acted if rule not in step.state.acted]
    standing = {rule for rule in acted if rule in step.state.acted}
    directives: list[Directive] = [*gone, *dropped]
    for each in _without_standing(step.directives, standing):
        if isinstance(each, Signal):
            signal = RaisedSignal(name=each.name, rule=each.rule, topic=each.topic)
            if signal not in new:
                continue
            new.remove(signal)
        directives.append(each)
    question = _question(survey, base)
    if not any(isinstance(each, Record) and each.question_id == question.id for each in directives):
        none = Answer(status=AnswerStatus.NO_ANSWER, confidence=0.0, reason=UnclearReason.DENIED.value)
        directives.insert(0, Record(question_id=question.id, question_kind=question.kind, answer=none))
    return Step(step.state, tuple(directives))


def _without_standing(directives: tuple[Directive, ...], rules: set[str]) -> Iterator[Directive]:
    """Without the cases and notes of rules that have made theirs, and what is said with a case."""
    of_case = None
    for each in directives:
        rule = each.reason if isinstance(each, OpenCase) else each.rule if isinstance(each, Note) else None
        if rule in rules:
            of_case = rule
            continue
        if isinstance(each, Say) and each.purpose == CASE and of_case is not None:
            of_case = None
            continue
        of_case = None
        yield each


def _question(survey: Survey, state: FlowState) -> Question:
    assert state.question_id is not None  # a value was given to it
    return survey.question(state.question_id)


def _taken_back(
    last: TakenTurn, turn: UserTurn, expected: Expectation, before: AnswerValue, *, stray: bool
) -> tuple[FlowState, UserTurn] | None:
    """Who has heard the next question answers that, unless he says in so many words that he does not, or
    says what is `stray` there: «нет, не решили» to a scale. A bare «нет» may be a refusal, except after a
    «угу», which may have been a «ну…»."""
    words = split(turn.text)
    opens = words[0] in _RETURNS or words[:2] == ("то", "есть")
    if words[0] == "нет":
        opens = isinstance(expected, ScaleExpected) or (stray and (len(words) > 1 or _is_nod(last.turn)))
    opens = opens and not isinstance(expected, OpenExpected)
    return (last.state, turn) if opens and _gives_another(expected, turn, before) else None


def _is_nod(turn: UserTurn) -> bool:
    return NODS.issuperset(split(turn.text))


def _is_stray(survey: Survey, state: FlowState, turn: UserTurn) -> bool:
    """Whether these words answer nothing that is being asked now."""
    expected = _closed_now(survey, state) if state.stage is Stage.QUESTION else None
    return expected is not None and not isinstance(parse(expected, turn), Answer)


def _gives_another(expected: Expectation, turn: UserTurn, before: AnswerValue) -> bool:
    """Whether these words alone give another value than the one before."""
    reading = parse(expected, turn)
    return isinstance(reading, Answer) and reading.value != before


def _joined(first: UserTurn, second: UserTurn) -> UserTurn:
    """Both turns in one; the intent is that of the second where it wishes something."""
    wishes = second if wish_of(second) is not None else first
    return UserTurn(
        source=TurnSource.SPEECH,
        text=f"{first.text} {second.text}".strip(),
        words=(*first.words, *second.words) if first.words or not first.text else (),
        intent=wishes.intent,
        intent_confidence=wishes.intent_confidence,
        topic=wishes.topic,
    )


def _without_bare(last: TakenTurn, whole: UserTurn) -> UserTurn:
    """Without what the NLU made of a value that is corrected, where nothing else was said with it: «два»
    may sound like a complaint, and «ой, девять» is none. «Два, долго ждал» is one, whatever the score."""
    other = beside(split(last.turn.text), last.answer.heard)
    if other or whole.intent != last.turn.intent:
        return whole
    return whole.model_copy(update={"intent": None, "intent_confidence": 0.0, "topic": None})


def _answers_the_next(survey: Survey, state: FlowState, turn: UserTurn) -> bool:
    """Whether the words are a whole answer to the closed question that is being put."""
    expected = _closed_now(survey, state)
    return expected is not None and isinstance(parse(expected, turn), Answer)


def _closed_now(survey: Survey, state: FlowState) -> Expectation | None:
    """What the closed question that is being put expects; None where none is."""
    if state.stage is Stage.OFFER:
        assert state.offer is not None  # the stage says so
        return expected_at(survey.rule(state.offer.rule).offer or "human")
    if state.stage is not Stage.QUESTION or state.question_id is None:
        return None
    question = survey.question(state.question_id)
    return None if isinstance(question, OpenQuestion) else expectation_of(question)
