"""Every difference in meaning between two versions of a survey, part by part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal

from pydantic import BaseModel

from bot.surveys.conditions import written
from bot.surveys.dictionary import WordList
from bot.surveys.meaning import meaning, plain
from bot.surveys.schema import Survey

ASIDE = ("version", "title")
"""Fields of a survey that mean nothing to a caller."""

_APART = frozenset({"id", *ASIDE, "questions", "triage", "texts", "closings", "calling", "dictionaries"})


Part = Literal["survey", "question", "triage", "dictionary", "text", "closing", "calling"]
How = Literal["added", "removed", "renamed", "moved", "changed"]


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `where` is a question's or rule's id, `field` what of it; values are plain JSON."""

    part: Part
    how: How
    where: str = ""
    field: str = ""
    before: Any = None
    after: Any = None


def changes_between(a: Survey, b: Survey, *, alike: bool) -> tuple[Change, ...]:
    """From `a` to `b`. Where all calls go the same ways (`alike`), conditions do not differ in meaning."""
    return (
        *_of_survey(a, b),
        *_of_questions(a, b, alike),
        *_of_rules(a, b, alike),
        *_of_dictionaries(a, b),
        *_of_rest(a, b),
    )


def _of_survey(a: Survey, b: Survey) -> Iterator[Change]:
    if a.id != b.id:
        yield Change("survey", "changed", "", "id", a.id, b.id)
    yield from _fields("survey", "", a, b, _APART)


def _of_questions(a: Survey, b: Survey, alike: bool) -> Iterator[Change]:
    old, new = [question.id for question in a.questions], [question.id for question in b.questions]
    renamed = dict(_renamed(a, b))
    for question_id in old:
        if question_id in renamed:
            yield Change("question", "renamed", question_id, "id", question_id, renamed[question_id])
        elif question_id not in new:
            yield Change("question", "removed", question_id, before=a.question(question_id).ask)
    for question_id in new:
        if question_id not in old and question_id not in renamed.values():
            yield Change("question", "added", question_id, after=b.question(question_id).ask)
    for question_id in _moved([renamed.get(each, each) for each in old], new):
        before = next(each for each in old if renamed.get(each, each) == question_id)
        yield Change(
            "question", "moved", question_id, "", a.position(before) + 1, b.position(question_id) + 1
        )
    unsaid = frozenset({"id"}) | (frozenset({"when", "then"}) if alike else frozenset())
    for question_id in old:
        other = renamed.get(question_id, question_id)
        if other in new:
            yield from _fields("question", other, a.question(question_id), b.question(other), unsaid)


def _of_rules(a: Survey, b: Survey, alike: bool) -> Iterator[Change]:
    old, new = [rule.id for rule in a.triage], [rule.id for rule in b.triage]
    yield from (
        Change("triage", "removed", each, before=written(a.rule(each).when))
        for each in old
        if each not in new
    )
    yield from (
        Change("triage", "added", each, after=written(b.rule(each).when)) for each in new if each not in old
    )
    if not alike:
        for each in _moved(old, new):
            yield Change("triage", "moved", each, "", old.index(each) + 1, new.index(each) + 1)
    for each in old:
        if each in new:
            silent = a.rule(each).do or b.rule(each).do  # a case or a note is on no way
            unsaid = frozenset({"id", "when"}) if alike and not silent else frozenset({"id"})
            yield from _fields("triage", each, a.rule(each), b.rule(each), unsaid)


def _of_dictionaries(a: Survey, b: Survey) -> Iterator[Change]:
    """List by list, and of a list that both have only the phrases that came or went."""
    old, new = _lists(a), _lists(b)
    for name in dict.fromkeys((*old, *new)):
        before, after = old.get(name), new.get(name)
        if before is None or after is None:
            how: How = "added" if before is None else "removed"
            yield Change("dictionary", how, name, "", _phrases(before), _phrases(after))
            continue
        yield from _fields("dictionary", name, before, after, frozenset({"id", "words", "but"}))
        for field in ("words", "but"):
            was, now = getattr(before, field), getattr(after, field)
            gone = [phrase for phrase in was if phrase not in now]
            come = [phrase for phrase in now if phrase not in was]
            if gone or come:
                yield Change("dictionary", "changed", name, field, gone, come)


def _lists(survey: Survey) -> dict[str, WordList]:
    """By their names in events: «complaints.waiting»."""
    return {f"{one.id}.{each.id}": each for one in survey.dictionaries for each in one.lists}


def _phrases(words: WordList | None) -> list[str] | None:
    return None if words is None else list(words.words)


def _of_rest(a: Survey, b: Survey) -> Iterator[Change]:
    yield from _fields("text", "", a.texts, b.texts)
    yield from _fields("closing", "", a.closings, b.closings)
    yield from _fields("calling", "", a.calling, b.calling)


def _fields(
    part: Part, where: str, a: BaseModel, b: BaseModel, unsaid: frozenset[str] = frozenset()
) -> Iterator[Change]:
    """Every field that either has and that differs in meaning, in the order of the schema."""
    for name in dict.fromkeys((*type(a).model_fields, *type(b).model_fields)):
        before, after = getattr(a, name, None), getattr(b, name, None)
        if name not in unsaid and meaning(before) != meaning(after):
            yield Change(part, "changed", where, name, plain(before), plain(after))


def _renamed(a: Survey, b: Survey) -> Iterator[tuple[str, str]]:
    """Questions that only have another id: of the same kind, in the same words."""
    old = {each.id for each in a.questions}
    new = {each.id for each in b.questions}
    gone = [each for each in a.questions if each.id not in new]
    come = [each for each in b.questions if each.id not in old]
    for question in gone:
        for other in come:
            if question.kind == other.kind and meaning(question.ask) == meaning(other.ask):
                yield question.id, other.id
                break


def _moved(old: Sequence[str], new: Sequence[str]) -> list[str]:
    """Of what is in both, what changed its place among the others: the fewest that explain it."""
    first, second = [each for each in old if each in new], [each for each in new if each in old]
    blocks = SequenceMatcher(None, first, second, autojunk=False).get_matching_blocks()
    kept = {each for block in blocks for each in first[block.a : block.a + block.size]}
    return [each for each in second if each not in kept]
