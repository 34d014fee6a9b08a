"""What values of a survey mean: equal where a caller could not tell them apart.

Punctuation, pauses, case and spaces are not meaning, nor is the name of a recording's file; a condition is
what it compares, whichever way round it is written.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from itertools import islice
from typing import Any

from pydantic import BaseModel

from bot.surveys.breaks import without_breaks
from bot.surveys.conditions import AnswerIs, Condition, SignalIs, comparisons, written
from bot.surveys.expressions import Expression, ExpressionInvalid, parse
from bot.surveys.paths import Paths
from bot.surveys.questions import Recorded

WAYS = 5000
"""Ways that are compared one by one; more are taken for different."""


def meaning(value: Any) -> Any:
    """Equal for values that mean the same; what is empty is as if it were not there."""
    if value in ("", (), {}):
        return None
    if isinstance(value, str):
        return words_of(value)
    if isinstance(value, AnswerIs | SignalIs | Expression):
        return _of_condition(value)
    if isinstance(value, Recorded):
        return value.sha256
    if isinstance(value, BaseModel):
        return {name: meaning(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, Mapping):
        return {key: meaning(each) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return tuple(map(meaning, value))
    return value


def words_of(text: str) -> tuple[str, ...]:
    """The words of a text and its pipes, without case, punctuation and the dots of ё."""
    return tuple(re.findall(r"\{[^{}]*\}|[\w'’-]+", without_breaks(text).casefold().replace("ё", "е")))


def _of_condition(condition: Condition) -> Any:
    """One comparison as its symbol sees it, whichever way round; several as the tree that they are."""
    found = comparisons(condition)
    text = written(condition)
    try:
        tree = parse(text).tree
    except ExpressionInvalid:  # a signal with a topic, of before there were expressions
        return text
    if len(found) == 1 and isinstance(tree, ast.Compare):
        (only,) = found
        return only.symbol, only.operator, only.values, only.other
    return ast.dump(tree)


def plain(value: Any) -> Any:
    """For people and JSON: conditions as they are written, models as tables without what is unset."""
    if isinstance(value, AnswerIs | SignalIs | Expression):
        return written(value)
    if isinstance(value, BaseModel):
        given = {name: plain(getattr(value, name)) for name in type(value).model_fields}
        return {name: each for name, each in given.items() if each is not None}
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [plain(each) for each in value]
    return value


def same_ways(a: Paths, b: Paths) -> bool:
    if not (a.complete and b.complete) or a.count != b.count or a.count > WAYS:
        return False

    def told(paths: Paths) -> list[Any]:
        return [
            (
                [(fork.kind, fork.id, said) for fork, said in way.forks],
                way.ending.disposition,
                way.ending.target,
            )
            for way in islice(paths.ways(), WAYS)
        ]

    return told(a) == told(b)
