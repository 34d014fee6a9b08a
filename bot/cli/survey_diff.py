"""`otklik survey diff`: what changed in meaning between two versions, and whether their scores compare."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from bot.cli.surveys import SURVEY_HELP, find_survey, name_of
from bot.surveys.comparability import SCORED, Effect, Reason
from bot.surveys.diff import Change, SurveyDiff, diff
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

_PARTS = {
    "survey": words("опрос", "survey"),
    "question": words("вопрос", "question"),
    "triage": words("правило", "rule"),
    "dictionary": words("словарь", "dictionary"),
    "text": words("фраза", "text"),
    "closing": words("прощание", "closing"),
    "calling": words("обзвон", "calling"),
}
_HOW = {
    "added": words("добавлен", "added"),
    "removed": words("убран", "removed"),
    "renamed": words("переименован", "renamed"),
    "moved": words("переставлен", "moved"),
    "changed": words("изменено", "changed"),
}
_FIELDS = {
    "id": words("имя", "id"),
    "ask": words("формулировка", "wording"),
    "reask": words("переспрос", "re-ask"),
    "help": words("пояснение", "help"),
    "dtmf_hint": words("подсказка о клавишах", "hint to the keys"),
    "kind": words("вид вопроса", "kind"),
    "low": words("нижний конец шкалы", "low end of the scale"),
    "high": words("верхний конец шкалы", "high end of the scale"),
    "points": words("число баллов", "points"),
    "positive": words("какие коды положительные", "positive codes"),
    "direction": words("направление шкалы", "direction"),
    "labels": words("подписи баллов", "labels"),
    "options": words("варианты", "options"),
    "audio": words("запись голоса", "recorded prompt"),
    "when": words("условие", "condition"),
    "then": words("переходы", "branches"),
    "confirm": words("переспрашивать ли ответ", "confirmation"),
    "after": words("после какого вопроса", "after which question"),
    "target": words("кому передать", "target"),
    "offer": words("что предложить", "offer"),
    "do": words("что сделать", "action"),
    "by": words("к какому времени", "by when"),
    "declined": words("при отказе", "if declined"),
    "words": words("фразы", "phrases"),
    "but": words("что не считается", "what does not count"),
    "signals": words("сигналы хода разговора", "signals of the course"),
    "consent": words("согласие", "consent"),
    "introduction": words("вступление", "introduction"),
    "language": words("язык", "language"),
    "voice": words("голос", "voice"),
    "record": words("запись разговора", "recording"),
    "company": words("компания", "company"),
    "patience": words("терпение", "patience"),
    "version": words("версия", "version"),
    "title": words("заголовок", "title"),
}


def _changes(found: SurveyDiff) -> Iterator[Text]:
    for each in found.changes:
        yield from _change(each)
    if found.same:
        yield Text(words("Смысл тот же.", "The same meaning."), style="green")
    if found.aside:
        told = ", ".join(f"{_FIELDS[each.field]}: {each.before} → {each.after}" for each in found.aside)
        yield Text(
            words(f"Для клиента не значит ничего: {told}", f"Means nothing to a caller: {told}"), "dim"
        )
    if found.ways[0] != found.ways[1]:
        was, now = found.ways
        yield Text(words(f"Путей было {was}, стало {now}.", f"Ways: {was} before, {now} now."), "dim")


def _change(each: Change) -> Iterator[Text]:
    what = f"{_PARTS[each.part]} {each.where}".strip()
    if each.field and each.how == "changed":
        what += f" · {_FIELDS.get(each.field, each.field)}"
    yield Text.assemble((what, "bold"), f": {_HOW[each.how]}")
    before, after = _only_differing(each.before, each.after)
    if each.how == "moved":
        yield Text(words(f"  место {before} → {after}", f"  place {before} → {after}"))
        return
    if each.how != "added":
        yield Text.assemble((words("  было:  ", "  was: "), "dim"), (_shown(before), "red"))
    if each.how != "removed":
        yield Text.assemble((words("  стало: ", "  now: "), "dim"), (_shown(after), "green"))


def _only_differing(before: Any, after: Any) -> tuple[Any, Any]:
    """Of two tables only what differs."""
    if not (isinstance(before, dict) and isinstance(after, dict)):
        return before, after
    keys = [key for key in dict.fromkeys((*before, *after)) if before.get(key) != after.get(key)]
    return {k: before[k] for k in keys if k in before}, {k: after[k] for k in keys if k in after}


def _shown(value: Any) -> str:
    if value in (None, "", [], {}):
        return words("нет", "none")
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


EFFECTS = {
    Effect.COMPARABLE: (words("сравнимы", "comparable"), "green"),
    Effect.CAVEAT: (words("сравнимы с оговоркой", "comparable with a caveat"), "yellow"),
    Effect.INCOMPARABLE: (words("несравнимы", "not comparable"), "bold red"),
}


def _judgement(found: SurveyDiff) -> Iterator[Text]:
    if found.effect is None:
        yield Text(words("Оценок в опросе не было.", "There were no scores."))
    else:
        yield Text.assemble((words("Оценки ", "The scores are "), "bold"), EFFECTS[found.effect])
    for each in found.verdicts:
        if each.reasons or each.kind in SCORED:
            reasons = "; ".join(_reasons(each.reasons))
            line = Text.assemble(f"  {each.question} ({each.kind}): ", EFFECTS[each.effect])
            yield line.append(f": {reasons}" if reasons else "")


def _reasons(reasons: Iterable[Reason]) -> Iterator[str]:
    """Why, for people; what bends a score in the same way is told together."""
    together: dict[str, list[str]] = {}
    for reason in reasons:
        together.setdefault(reason.code, []).extend(reason.about.split(", ") if reason.about else [])
    for code, about in together.items():
        yield _reason(code, ", ".join(_FIELDS.get(each, each) for each in dict.fromkeys(about)))


def _reason(code: str, about: str) -> str:
    told = {
        "removed": words("вопрос убран", "the question is gone"),
        "renamed": words(f"другое имя ({about}): сопоставьте сами", f"another id ({about}): match by hand"),
        "measure": words(f"мера другая: {about}", f"another measure: {about}"),
        "recognition": words(
            "слова вариантов другие: узнаются иначе", "options are recognised by other words"
        ),
        "stimulus": words(f"звучит или уточняется иначе: {about}", f"heard or clarified otherwise: {about}"),
        "reworded": words("формулировка другая", "reworded"),
        "rewritten": words("вопрос написан заново", "another question in other words"),
        "negated": words("в вопросе появилось или пропало отрицание", "a negation came or went"),
        "population": words(f"отвечают другие люди: {about}", f"other people answer: {about}"),
        "language": words(f"другой язык: {about}", f"another language: {about}"),
        "frame": words(f"перед вопросом звучит другое: {about}", f"another frame: {about}"),
        "order": words(f"порядок вопросов до него другой: {about}", f"other questions before it: {about}"),
        "handover": words(
            f"до вопроса иначе предлагают сотрудника: {about}", f"a person is offered otherwise: {about}"
        ),
    }
    return told[code]


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
