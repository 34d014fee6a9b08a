"""What changed between two versions of a survey, in words: for the command and for the pages. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from bot.surveys.changes import Change
from bot.surveys.comparability import Effect, Reason
from bot.surveys.talking import Tell

PARTS = {
    "survey": ("опрос", "survey"),
    "question": ("вопрос", "question"),
    "triage": ("правило", "rule"),
    "dictionary": ("словарь", "dictionary"),
    "text": ("фраза", "text"),
    "closing": ("прощание", "closing"),
    "calling": ("обзвон", "calling"),
}
HOW = {
    "added": ("добавлен", "added"),
    "removed": ("убран", "removed"),
    "renamed": ("переименован", "renamed"),
    "moved": ("переставлен", "moved"),
    "changed": ("изменено", "changed"),
}
FIELDS = {
    "id": ("имя", "id"),
    "ask": ("формулировка", "wording"),
    "reask": ("переспрос", "re-ask"),
    "help": ("пояснение", "help"),
    "dtmf_hint": ("подсказка о клавишах", "hint to the keys"),
    "kind": ("вид вопроса", "kind"),
    "low": ("нижний конец шкалы", "low end of the scale"),
    "high": ("верхний конец шкалы", "high end of the scale"),
    "points": ("число баллов", "points"),
    "positive": ("какие коды положительные", "positive codes"),
    "direction": ("направление шкалы", "direction"),
    "labels": ("подписи баллов", "labels"),
    "options": ("варианты", "options"),
    "audio": ("запись голоса", "recorded prompt"),
    "when": ("условие", "condition"),
    "then": ("переходы", "branches"),
    "confirm": ("переспрашивать ли ответ", "confirmation"),
    "after": ("после какого вопроса", "after which question"),
    "target": ("кому передать", "target"),
    "offer": ("что предложить", "offer"),
    "do": ("что сделать", "action"),
    "by": ("к какому времени", "by when"),
    "declined": ("при отказе", "if declined"),
    "words": ("фразы", "phrases"),
    "but": ("что не считается", "what does not count"),
    "signals": ("сигналы хода разговора", "signals of the course"),
    "consent": ("согласие", "consent"),
    "introduction": ("вступление", "introduction"),
    "language": ("язык", "language"),
    "voice": ("голос", "voice"),
    "record": ("запись разговора", "recording"),
    "company": ("компания", "company"),
    "patience": ("терпение", "patience"),
    "version": ("версия", "version"),
    "title": ("заголовок", "title"),
}

EFFECTS: dict[Effect, tuple[str, str]] = {
    Effect.COMPARABLE: ("сравнимы", "comparable"),
    Effect.CAVEAT: ("сравнимы с оговоркой", "comparable with a caveat"),
    Effect.INCOMPARABLE: ("несравнимы", "not comparable"),
}


@dataclass(frozen=True, slots=True)
class Told:
    """One change: what it is of, what happened to it, and how it was and is; "" where there is no such."""

    what: str
    how: str
    before: str = ""
    after: str = ""


def told(each: Change, tell: Tell) -> Told:
    what = f"{tell(*PARTS[each.part])} {each.where}".strip()
    if each.field and each.how == "changed":
        what += f" · {field_word(each.field, tell)}"
    how = tell(*HOW[each.how])
    if each.how == "moved":
        moved = tell(f"место {each.before} → {each.after}", f"place {each.before} → {each.after}")
        return Told(what, f"{how}: {moved}")
    before, after = _only_differing(each.before, each.after)
    return Told(
        what,
        how,
        "" if each.how == "added" else _shown(before, tell),
        "" if each.how == "removed" else _shown(after, tell),
    )


def field_word(name: str, tell: Tell) -> str:
    return tell(*FIELDS[name]) if name in FIELDS else name


def _only_differing(before: Any, after: Any) -> tuple[Any, Any]:
    """Of two tables only what differs."""
    if not (isinstance(before, dict) and isinstance(after, dict)):
        return before, after
    keys = [key for key in dict.fromkeys((*before, *after)) if before.get(key) != after.get(key)]
    return {k: before[k] for k in keys if k in before}, {k: after[k] for k in keys if k in after}


def _shown(value: Any, tell: Tell) -> str:
    if value in (None, "", [], {}):
        return tell("нет", "none")
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def reasons_of(reasons: Iterable[Reason], tell: Tell) -> Iterator[str]:
    """Why, for people; what bends a score in the same way is told together."""
    together: dict[str, list[str]] = {}
    for reason in reasons:
        together.setdefault(reason.code, []).extend(reason.about.split(", ") if reason.about else [])
    for code, about in together.items():
        yield _reason(code, ", ".join(field_word(each, tell) for each in dict.fromkeys(about)), tell)


def _reason(code: str, about: str, tell: Tell) -> str:
    known = {
        "removed": tell("вопрос убран", "the question is gone"),
        "renamed": tell(f"другое имя ({about}): сопоставьте сами", f"another id ({about}): match by hand"),
        "measure": tell(f"мера другая: {about}", f"another measure: {about}"),
        "recognition": tell(
            "слова вариантов другие: узнаются иначе", "options are recognised by other words"
        ),
        "stimulus": tell(f"звучит или уточняется иначе: {about}", f"heard or clarified otherwise: {about}"),
        "reworded": tell("формулировка другая", "reworded"),
        "rewritten": tell("вопрос написан заново", "another question in other words"),
        "negated": tell("в вопросе появилось или пропало отрицание", "a negation came or went"),
        "population": tell(f"отвечают другие люди: {about}", f"other people answer: {about}"),
        "language": tell(f"другой язык: {about}", f"another language: {about}"),
        "frame": tell(f"перед вопросом звучит другое: {about}", f"another frame: {about}"),
        "order": tell(f"порядок вопросов до него другой: {about}", f"other questions before it: {about}"),
        "handover": tell(
            f"до вопроса иначе предлагают сотрудника: {about}", f"a person is offered otherwise: {about}"
        ),
    }
    return known[code]
