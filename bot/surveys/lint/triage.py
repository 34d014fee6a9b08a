"""Triage rules: to whom, and in words that are followed by listening."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from bot.surveys.lint.rules import Check, Sheet, Tools, error, warning
from bot.surveys.problems import Problem

NO_TARGET = error(
    "transfer-without-target",
    "правило предлагает сотрудника, но не говорит, кому передать звонок",
    "добавьте target: имя из таблицы сотрудников, например responsible",
)
UNKNOWN_TARGET = warning(
    "transfer-target-unknown",
    "такого имени нет в таблице сотрудников этой машины, и звонок передать будет некому",
    "допишите имя в [handover.agents] файла otklik.toml или возьмите имя оттуда",
)

RULES = (NO_TARGET, UNKNOWN_TARGET)


def targets(sheet: Sheet, tools: Tools) -> Iterator[Problem]:
    """A version that is published has its target; only in a file can it be left out by mistake."""
    for index, rule in enumerate(sheet.survey.triage):
        if not sheet.wrote("triage", index, "target"):
            message = f"правило «{rule.id}»: кому передать звонок, не сказано"
            yield sheet.problem(NO_TARGET, ("triage", index), message)
        elif tools.targets is not None and rule.target not in tools.targets:
            near = get_close_matches(rule.target, tools.targets, n=1, cutoff=0.5)
            known = f"есть: {', '.join(sorted(tools.targets))}" if tools.targets else UNKNOWN_TARGET.mend
            message = f"правило «{rule.id}»: «{rule.target}» нет в таблице сотрудников"
            hint = f"может быть, {near[0]}?" if near else known
            yield sheet.problem(UNKNOWN_TARGET, ("triage", index, "target"), message, hint)


CHECKS: tuple[Check, ...] = (targets,)
