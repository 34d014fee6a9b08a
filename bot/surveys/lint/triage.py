"""Triage rules: to whom, and in words that are followed by listening."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches

from bot.surveys.conditions import written
from bot.surveys.lint.rules import Check, Sheet, Tools, error, warning
from bot.surveys.meaning import meaning
from bot.surveys.problems import Problem
from bot.surveys.schema import Survey, TriageRule

NO_TARGET = error(
    "transfer-without-target",
    "правило предлагает сотрудника, но не говорит, кому передать звонок",
    "добавьте target: имя из таблицы сотрудников, например responsible",
)
UNKNOWN_TARGET = warning(
    "transfer-target-unknown",
    "такого имени нет в таблице сотрудников этой машины, и звонок передать будет некому",
    "допишите имя в [handover.agents] файла otklik.toml или возьмите имя оттуда",
    needs="targets",
)

TARGET_FORM = error(
    "transfer-target-form",
    "так получателя не называют: номером и адресом он не бывает",
    "responsible, department:ОТДЕЛ, skill:УМЕНИЕ или имя сотрудника латиницей",
)
NEVER_OFFERED = error(
    "rule-never-reached",
    "правило, до которого не дойдёт: раньше него то же предлагает другое по тому же условию",
    "уберите одно из двух или измените условие",
)

RULES = (NO_TARGET, UNKNOWN_TARGET, TARGET_FORM, NEVER_OFFERED)

_GROUP = re.compile(r"(department|skill):[^\s:](?:[^:]*[^\s:])?")
_AGENT = re.compile(r"[a-z][a-z0-9_.-]{0,63}", re.IGNORECASE)


def targets(sheet: Sheet, tools: Tools) -> Iterator[Problem]:
    """A version that is published has its target; only in a file can it be left out by mistake."""
    for index, rule in enumerate(sheet.survey.triage):
        if rule.do == "note":
            continue
        if not sheet.wrote("triage", index, "target"):
            if rule.do is not None:
                continue  # a case without a target is the responsible agent's
            message = f"правило «{rule.id}»: кому передать звонок, не сказано"
            yield sheet.problem(NO_TARGET, ("triage", index), message)
        elif _GROUP.fullmatch(rule.target):
            continue  # departments and skills stand in the database, which lint does not read
        elif not _AGENT.fullmatch(rule.target):
            message = f"правило «{rule.id}»: «{rule.target}» — не имя получателя"
            yield sheet.problem(TARGET_FORM, ("triage", index, "target"), message, near=rule.target)
        elif tools.targets is not None and rule.target not in tools.targets:
            near = get_close_matches(rule.target, tools.targets, n=1, cutoff=0.5)
            known = f"есть: {', '.join(sorted(tools.targets))}" if tools.targets else UNKNOWN_TARGET.mend
            message = f"правило «{rule.id}»: «{rule.target}» нет в таблице сотрудников"
            hint = f"может быть, {near[0]}?" if near else known
            yield sheet.problem(UNKNOWN_TARGET, ("triage", index, "target"), message, hint)


def reached(sheet: Sheet, _tools: Tools) -> Iterator[Problem]:
    """Each kind of offer is made once a call: of two rules of one condition the first one makes it."""
    survey = sheet.survey
    for index, rule in enumerate(survey.triage):
        for earlier in survey.triage[:index]:
            if rule.offer is None or rule.offer != earlier.offer:
                continue
            if meaning(rule.when) == meaning(earlier.when) and _not_later(survey, earlier, rule):
                message = (
                    f"правило «{rule.id}» не сработает: «{earlier.id}» предлагает то же по условию "
                    f"{written(rule.when)}"
                )
                yield sheet.problem(NEVER_OFFERED, ("triage", index, "when"), message)
                break


def _not_later(survey: Survey, one: TriageRule, other: TriageRule) -> bool:
    """Whether the offer of `one` is never due after that of `other`."""
    if one.after is None or other.after is None:
        return one.after is None
    return survey.position(one.after) <= survey.position(other.after)


CHECKS: tuple[Check, ...] = (targets, reached)
