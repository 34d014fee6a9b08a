"""Lint: everything that is wrong with a survey before it rings anyone.

`lint` reads a file, `lint_survey` looks at a survey that is already loaded, as a node does when it
starts: without tools, and of what it finds only errors count there. A file that lints, that is,
whose `lint` is empty, may be published; warnings that are meant are allowed in the file itself
(see `allowing`).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bot.surveys.lint import (
    allowing,
    breaks,
    consent,
    hearing,
    keys,
    length,
    reach,
    recorded,
    refused,
    scales,
    speech,
    triage,
    wording,
)
from bot.surveys.lint.rules import NO_TOOLS, Check, Rule, Sheet, Tools
from bot.surveys.loader import SurveyRead, read_survey
from bot.surveys.problems import Problem
from bot.surveys.schema import Survey

__all__ = ["NO_TOOLS", "RULES", "Rule", "Tools", "lint", "lint_survey"]

_GROUPS = (consent, reach, scales, keys, wording, breaks, length, recorded, speech, hearing, triage)

RULES: dict[str, Rule] = {rule.id: rule for group in (refused, *_GROUPS, allowing) for rule in group.RULES}
"""Every rule by its id."""

_CHECKS: tuple[Check, ...] = tuple(check for group in _GROUPS for check in group.CHECKS)


def lint(path: Path, tools: Tools = NO_TOOLS) -> tuple[Problem, ...]:
    """All problems of a file, in the order of its lines; empty where it may be published.

    What is against the schema is told alone: the rest can only be judged once that is mended.
    """
    return lint_read(path, read_survey(path), tools)


def lint_read(path: Path, read: SurveyRead, tools: Tools = NO_TOOLS) -> tuple[Problem, ...]:
    """As `lint`, of a file that was read already."""
    if read.file is None or read.survey is None:
        return read.problems
    found = tuple(_problems(Sheet(read.survey, path, read.file), tools))
    judged = {rule.id: rule for rule in RULES.values() if not rule.needs or getattr(tools, rule.needs)}
    return _in_order(allowing.allowed(path, read.file.text, found, RULES, judged))


def lint_survey(survey: Survey, tools: Tools = NO_TOOLS, *, path: Path | None = None) -> tuple[Problem, ...]:
    """All problems of a survey without its file: places are the file's name, or the survey's id, alone."""
    return tuple(_problems(Sheet(survey, path or Path(survey.id)), tools))


def _problems(sheet: Sheet, tools: Tools) -> Iterator[Problem]:
    for check in _CHECKS:
        yield from check(sheet, tools)


def _in_order(problems: Iterator[Problem]) -> tuple[Problem, ...]:
    unique = dict.fromkeys(problems)
    return tuple(sorted(unique, key=lambda problem: (problem.place.line, problem.place.column)))
