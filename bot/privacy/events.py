"""One call event without what was said in it, or without who said it: pure.

An event stays an event: it can be read, counted and shown as before, and its figures (scores, times, ends)
are untouched. What is blanked is named here and nowhere else, beside `bot.core.events.PERSONAL_FIELDS`.
"""

from __future__ import annotations

from typing import Any

from bot.core.events import PERSONAL_FIELDS, CallEvent, call_event
from bot.store.tables_privacy import Erased

WHO = frozenset({"remote", "phone", "customer", "contact_id", "conversation_id"})
"""Fields that say who it is. The others of `PERSONAL_FIELDS`, and `digits`, are what was said or keyed."""

SAID = (PERSONAL_FIELDS - WHO) | {"digits"}

FIGURES = frozenset({"nps", "csat", "ces", "score", "yes_no", "choice", "multi_choice"})
"""Kinds of questions whose answers come from a closed list: they tell nobody from another. Words, numbers and
dates are the person's own."""


def without(event: CallEvent, level: Erased) -> CallEvent:
    """The event as it may be kept at this level; itself where nothing changes."""
    if level is Erased.NOTHING:
        return event
    before = event.model_dump(mode="json")
    after = {name: _blank(name, value, level) for name, value in before.items()}
    if "answer" in before:
        after["answer"] = _answer(before["answer"], before["question_kind"], level)
    return event if after == before else call_event.validate_python(after)


def _blank(name: str, value: Any, level: Erased) -> Any:
    if name not in SAID and not (level is Erased.PERSON and name in WHO):
        return value
    if isinstance(value, str):
        return ""
    return [] if isinstance(value, list) else value


def _answer(answer: dict[str, Any], kind: str, level: Erased) -> dict[str, Any]:
    blank = {**answer, "heard": "", "alternatives": []}
    if level is Erased.PERSON and kind not in FIGURES:
        blank["value"] = None
    return blank
