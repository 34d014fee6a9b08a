"""Pauses in texts: one form, between words, and short enough for nobody to think that the line is dead."""

from __future__ import annotations

from collections.abc import Iterator

from bot.surveys import breaks
from bot.surveys.lint.rules import Check, Sheet, Tools, error
from bot.surveys.lint.written import written
from bot.surveys.problems import Problem

BREAK = error(
    "bad-break",
    "метка в тексте — не пауза, слишком длинная или ничего не разделяет",
    f"пауза между словами, {breaks.SHORTEST_S:g}–{breaks.LONGEST_S:g} с: {breaks.EXAMPLE}",
)

RULES = (BREAK,)


def marks(sheet: Sheet, _tools: Tools) -> Iterator[Problem]:
    for found in written(sheet):
        for fault in breaks.faults(found.text):
            yield sheet.problem(BREAK, found.loc, f"{fault.near}: {fault.message}", near=fault.near)


CHECKS: tuple[Check, ...] = (marks,)
