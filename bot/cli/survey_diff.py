"""`otklik survey diff`: what changed in meaning between two versions, and whether their scores compare."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from bot.cli.surveys import SURVEY_HELP, find_survey, name_of
from bot.surveys.comparability import SCORED, Effect
from bot.surveys.diff import Change, SurveyDiff, diff
from bot.surveys.diff_words import EFFECTS, field_word, reasons_of, told
from bot.surveys.loader import survey_hash
from bot.surveys.schema import Survey
from bot.words import words

app = typer.Typer(add_completion=False)

DIFFERENT = 1
"""Exit status where anything changed in meaning; 2, of the error itself, where one cannot be read."""


@app.command("diff")
def compare(
    a: Annotated[str, typer.Argument(help=SURVEY_HELP)],
    b: Annotated[str, typer.Argument(help=SURVEY_HELP)],
    as_json: Annotated[bool, typer.Option("--json", help=words("Вывести JSON", "Print JSON"))] = False,
) -> None:
    """Что изменилось по смыслу от A к B и сравнимы ли их оценки.

    Код возврата: 0 — смысл тот же, 1 — есть различия, 2 — что-то не читается.
    """
    old, new = find_survey(a), find_survey(b)
    found = diff(old, new)
    if as_json:
        typer.echo(json.dumps(_as_json(old, new, found), ensure_ascii=False, indent=2))
    else:
        console = Console(highlight=False, soft_wrap=True)
        console.print(Text(f"{name_of(old)} → {name_of(new)}", style="bold"))
        for line in (*_changes(found), *_judgement(found)):
            console.print(line)
    raise typer.Exit(0 if found.same else DIFFERENT)


# For people ----------------------------------------------------------------------------------


def _changes(found: SurveyDiff) -> Iterator[Text]:
    for each in found.changes:
        yield from _change(each)
    if found.same:
        yield Text(words("Смысл тот же.", "The same meaning."), style="green")
    if found.aside:
        aside = ", ".join(
            f"{field_word(each.field, words)}: {each.before} → {each.after}" for each in found.aside
        )
        yield Text(
            words(f"Для клиента не значит ничего: {aside}", f"Means nothing to a caller: {aside}"), "dim"
        )
    if found.ways[0] != found.ways[1]:
        was, now = found.ways
        yield Text(words(f"Путей было {was}, стало {now}.", f"Ways: {was} before, {now} now."), "dim")


def _change(each: Change) -> Iterator[Text]:
    change = told(each, words)
    yield Text.assemble((change.what, "bold"), f": {change.how}")
    if change.before:
        yield Text.assemble((words("  было:  ", "  was: "), "dim"), (change.before, "red"))
    if change.after:
        yield Text.assemble((words("  стало: ", "  now: "), "dim"), (change.after, "green"))


_STYLES = {Effect.COMPARABLE: "green", Effect.CAVEAT: "yellow", Effect.INCOMPARABLE: "bold red"}


def _effect(effect: Effect) -> tuple[str, str]:
    """In words and in its style."""
    return words(*EFFECTS[effect]), _STYLES[effect]


def _judgement(found: SurveyDiff) -> Iterator[Text]:
    if found.effect is None:
        yield Text(words("Оценок в опросе не было.", "There were no scores."))
    else:
        yield Text.assemble((words("Оценки ", "The scores are "), "bold"), _effect(found.effect))
    for each in found.verdicts:
        if each.reasons or each.kind in SCORED:
            reasons = "; ".join(reasons_of(each.reasons, words))
            line = Text.assemble(f"  {each.question} ({each.kind}): ", _effect(each.effect))
            yield line.append(f": {reasons}" if reasons else "")


# For programs --------------------------------------------------------------------------------


def _as_json(old: Survey, new: Survey, found: SurveyDiff) -> dict[str, Any]:
    def about(survey: Survey) -> dict[str, Any]:
        return {"id": survey.id, "version": survey.version, "hash": survey_hash(survey)}

    return {
        "a": about(old),
        "b": about(new),
        "same": found.same,
        "comparability": None if found.effect is None else found.effect.name.lower(),
        "questions": [
            {
                "question": each.question,
                "kind": each.kind,
                "comparability": each.effect.name.lower(),
                "reasons": [
                    {"code": why.code, "about": why.about, "effect": why.effect.name.lower()}
                    for why in each.reasons
                ],
            }
            for each in found.verdicts
        ],
        "changes": [asdict(each) for each in found.changes],
        "aside": [asdict(each) for each in found.aside],
        "ways": {"before": found.ways[0], "after": found.ways[1]},
    }
