"""A survey of two closed questions and an open one for the tests of triage, and its usual rules."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.core.context import UserTurn
from bot.core.directives import Signal
from bot.surveys.dictionary_files import shipped
from bot.surveys.schema import Survey
from tests.surveys.turns import Talk

MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
"""One in the afternoon in Moscow."""

PUBLISHED = sorted((Path(__file__).parents[1] / "data" / "surveys" / "published").glob("nps-*.json"))


def survey(*rules: dict[str, Any], language: str = "ru", **more: Any) -> Survey:
    """Two closed questions and an open one, with these rules and the dictionaries that ship."""
    stock = [each.model_dump() for each in shipped().values() if each.language == language]
    return Survey.model_validate(
        {
            "id": "matter",
            "version": 1,
            "language": language,
            "title": "Разбор",
            "company": "Ромашка",
            "consent": "Здравствуйте!",
            "introduction": "Три вопроса.",
            "questions": [
                {"id": "nps", "kind": "nps", "ask": "От нуля до десяти?", "reask": ["Назовите число."]},
                {"id": "resolved", "kind": "yes_no", "ask": "Решили вопрос?", "reask": ["Да или нет?"]},
                {"id": "why", "kind": "open", "ask": "Почему так?", "reask": ["Расскажите."]},
            ],
            "triage": list(rules),
            "dictionaries": stock,
            **more,
        }
    )


CASE = {"id": "matter", "when": "answer.nps <= 2", "do": "case", "text": "Передам это руководителю."}
REMARK = {"id": "remark", "when": '"repeated_contact" in signals', "do": "note"}
CALL = {"id": "ring", "when": "answer.nps <= 6", "after": "resolved", "offer": "callback", "by": "tomorrow"}
ANGER = {"id": "anger", "when": '"angry" in signals', "offer": "human", "target": "department:Поддержка"}
LOST = {"id": "lost", "when": '"misunderstood" in signals', "offer": "human", "target": "responsible"}


def at(turn: UserTurn, moment: datetime = MONDAY) -> UserTurn:
    return turn.model_copy(update={"at": moment})


def signals(talk: Talk) -> list[tuple[str, str, str]]:
    return [(each.name, each.rule, each.words) for each in talk.of(Signal)]
