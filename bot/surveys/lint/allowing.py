"""`# lint: allow rule-id`: what an author says is meant.

The comment stands on the line that a warning names, or alone on the line above it. It excuses
warnings only: nothing excuses an error. One that excuses nothing is a problem itself, or it would
hide the next fault on its line.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from bot.core.errors import Place
from bot.surveys.lint.rules import Rule, error
from bot.surveys.problems import Problem

USELESS = error(
    "useless-allow",
    "замечание «lint: allow» ничего не разрешает",
    "уберите его, или назовите предупреждение этой строки",
)

RULES = (USELESS,)

_ALLOW = re.compile(r"(?:^|\s)#\s*lint:\s*allow\s+([\w ,-]+)")
_ALONE = re.compile(r"^\s*#")


def allowed(
    path: Path,
    text: str,
    problems: Sequence[Problem],
    rules: Mapping[str, Rule],
    judged: Collection[str] | None = None,
) -> Iterator[Problem]:
    """The problems that are left, and the comments that were for nothing.

    A comment on a rule that could not be `judged` for want of a tool may be for something.
    """
    comments = list(_comments(text))
    used = set()
    for problem in problems:
        matching = [
            place
            for place, (_, _, lines, rule_id) in enumerate(comments)
            if problem.place.line in lines and rule_id == problem.rule and problem.level == "warning"
        ]
        used.update(matching)
        if not matching:
            yield problem
    for place, (line, column, _, rule_id) in enumerate(comments):
        unjudged = judged is not None and rule_id in rules and rule_id not in judged
        if place not in used and not unjudged:
            yield _useless(Place(str(path), line, column), rule_id, rules)


def _comments(text: str) -> Iterator[tuple[int, int, tuple[int, ...], str]]:
    """Line and column of each, the lines that it is for, and a rule's id."""
    for line, written in enumerate(text.split("\n"), start=1):
        match = _ALLOW.search(written)
        if match is None:
            continue
        lines = (line, line + 1) if _ALONE.match(written) else (line,)
        column = written.index("#", match.start()) + 1
        for rule_id in re.split(r"[\s,]+", match.group(1).strip()):
            yield line, column, lines, rule_id


def _useless(place: Place, rule_id: str, rules: Mapping[str, Rule]) -> Problem:
    rule = rules.get(rule_id)
    if rule is None:
        message = f"«lint: allow {rule_id}»: такого правила нет"
    elif rule.level == "error":
        message = f"«lint: allow {rule_id}»: это ошибка, а разрешить можно только предупреждение"
    else:
        message = f"«lint: allow {rule_id}»: здесь нет такого предупреждения"
    return Problem(place, message, USELESS.mend, rule=USELESS.id, level=USELESS.level)
