"""Whether the scores of two versions of a survey compare, and if not, why.

A score is comparable with an older one only where the same people were asked the same question in
the same words, on the same scale, in the same surroundings. What breaks that, and what may bend it:

- another kind, scale, direction, set of positive codes or language is another measure;
- other words are another stimulus: H. Schuman, S. Presser, Questions and Answers in Attitude
  Surveys (1981), found shifts of ten points and more from one word («forbid», «not allow»);
- questions asked before it set the frame for a question (order effects, ibid.);
- whoever is asked under another condition is another population.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import IntEnum
from itertools import islice

from bot.surveys.changes import Change
from bot.surveys.meaning import WAYS, words_of
from bot.surveys.paths import TRANSFERRED, Paths
from bot.surveys.questions import Question
from bot.surveys.schema import Survey

SCORED = frozenset({"nps", "csat", "ces", "score"})
"""The kinds of question whose answers make a score."""

REWRITTEN = 0.5
"""Share of words in common (in order, of both texts) below which a question is another question."""

_NEGATIONS = frozenset({"не", "ни", "нет", "без", "not", "no", "never", "without"})


class Effect(IntEnum):
    """How the scores of two versions compare; the greatest of all that was found holds."""

    COMPARABLE = 0
    CAVEAT = 1
    INCOMPARABLE = 2


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a score is not simply comparable; `code` is stable, `about` names questions, rules or fields."""

    effect: Effect
    code: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One question's comparability, with every reason against it."""

    question: str
    kind: str
    reasons: tuple[Reason, ...]

    @property
    def effect(self) -> Effect:
        return max((reason.effect for reason in self.reasons), default=Effect.COMPARABLE)


_MEASURE = frozenset({"kind", "low", "high", "points", "positive", "direction", "options", "horizon_days"})
_BENDS = frozenset({"labels", "at_most", "unit", "audio", "confirm", "reask", "help", "dtmf_hint"})
_FRAME = frozenset({"consent", "introduction", "record", "voice", "company"})


def verdicts(a: Survey, b: Survey, changes: Sequence[Change], ways: tuple[Paths, Paths]) -> Iterator[Verdict]:
    """A verdict for each question of `a` that is not answered in free words."""
    renamed = {each.before: each.after for each in changes if each.how == "renamed"}
    kept = {each.id for each in b.questions}
    for question in a.questions:
        if question.kind in ("open", "date"):
            continue
        other = renamed.get(question.id, question.id)
        if other not in kept:
            gone = Reason(Effect.INCOMPARABLE, "removed")
            yield Verdict(question.id, question.kind, (gone,))
            continue
        found = [
            *_own(question, b.question(other), changes),
            *_around(a, b, question.id, other, changes, ways),
        ]
        if other != question.id:
            found.append(Reason(Effect.CAVEAT, "renamed", f"{question.id} → {other}"))
        yield Verdict(other, question.kind, tuple(dict.fromkeys(found)))


def _own(old: Question, new: Question, changes: Sequence[Change]) -> Iterator[Reason]:
    """What changed in the question itself."""
    changed = [
        each.field for each in changes if (each.part, each.how, each.where) == ("question", "changed", new.id)
    ]
    for name in changed:
        if name == "ask":
            yield _reworded(old.ask, new.ask)
        elif name == "when":
            yield Reason(Effect.INCOMPARABLE, "population", "when")
        elif name in _MEASURE:
            # One more or other words for an option only change what is recognised.
            if name == "options" and _ids(old) == _ids(new):
                yield Reason(Effect.CAVEAT, "recognition", name)
            else:
                yield Reason(Effect.INCOMPARABLE, "measure", name)
        elif name in _BENDS:
            yield Reason(Effect.CAVEAT, "stimulus", name)


def _reworded(old: str, new: str) -> Reason:
    before, after = words_of(old), words_of(new)
    if set(before) & _NEGATIONS != set(after) & _NEGATIONS:
        return Reason(Effect.INCOMPARABLE, "negated")
    if SequenceMatcher(None, before, after, autojunk=False).ratio() < REWRITTEN:
        return Reason(Effect.INCOMPARABLE, "rewritten")
    return Reason(Effect.CAVEAT, "reworded")


def _ids(question: Question) -> list[str]:
    return [option.id for option in getattr(question, "options", ())]


def _around(
    a: Survey, b: Survey, old: str, new: str, changes: Sequence[Change], ways: tuple[Paths, Paths]
) -> Iterator[Reason]:
    """What changed before the question: who comes to it, and in what frame of mind."""
    if a.language != b.language:
        yield Reason(Effect.INCOMPARABLE, "language", f"{a.language} → {b.language}")
    for each in changes:
        if each.part == "survey" and each.field in _FRAME:
            yield Reason(Effect.CAVEAT, "frame", each.field)
    renamed = {each.before: each.after for each in changes if each.how == "renamed"}
    before = [renamed.get(q.id, q.id) for q in a.questions[: a.position(old)]]
    after = [q.id for q in b.questions[: b.position(new)]]
    if before != after:
        others = sorted(set(before) ^ set(after)) or after
        yield Reason(Effect.CAVEAT, "order", ", ".join(others))
    earlier = set(before) | set(after)
    led = [
        each.where
        for each in changes
        if (each.part, each.field) == ("question", "then") and each.where in earlier
    ]
    if led and not (_always(ways[0], old) and _always(ways[1], new)):
        yield Reason(Effect.INCOMPARABLE, "population", ", ".join(led))
    rules = [
        each.where
        for each in changes
        if each.part == "triage" and _comes_before(each.where, (a, old), (b, new))
    ]
    if rules:
        yield Reason(Effect.CAVEAT, "handover", ", ".join(dict.fromkeys(rules)))


def _always(paths: Paths, question_id: str) -> bool:
    """Whether every call that is not handed over comes to the question."""
    return paths.complete and all(
        any(fork.id == question_id for fork, _ in way.forks)
        for way in islice(paths.ways(), WAYS)
        if way.ending.disposition != TRANSFERRED
    )


def _comes_before(rule_id: str, *of: tuple[Survey, str]) -> bool:
    """Whether a rule may offer a human before the question, in one of the versions."""
    for survey, question_id in of:
        for rule in survey.triage:
            if rule.id == rule_id and (
                rule.after is None or survey.position(rule.after) < survey.position(question_id)
            ):
                return True
    return False
