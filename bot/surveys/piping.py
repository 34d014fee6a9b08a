"""Piping: fields of the call in a text, each with its fall-back: `Здравствуйте, {customer.first_name|}!`.

Earlier answers are piped by their question's id: `Вы поставили {answer.nps|оценку}.`
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator

from bot.core.context import CallContext
from bot.surveys.breaks import unmarked
from bot.surveys.problems import fault

PERSONAL = tuple(
    f"{who}.{field}" for who in ("customer", "agent") for field in ("first_name", "middle_name", "last_name")
)
FIELDS = (*PERSONAL, "department", "reason", "company")
"""What may be piped besides answers. All but `company` may be empty in a call, so they need a fall-back."""

NAMES = {"agent.name": "agent.first_name"}
"""Other names for fields."""

BY = "{by}"
"""The place in the texts of a callback for when it is promised."""

_PIPE = re.compile(r"\{([^{}|]*)(?:\|([^{}]*))?\}")
_ANSWER = re.compile(r"answer\.([a-z][a-z0-9_]{0,39})")
_HANGING = re.compile(r"(?<![\s,])[\s,]+(?=[,.!?…:;])")
_LEADING = re.compile(r"^(?:[\s,]|<break[^<>]*/>)+")
_NOTHING_BEHIND = re.compile(r"(?<![\s,])(?:[\s,]|<break[^<>]*/>)+(?=[.!?](?:\s|$))")

NO_ANSWERS: Mapping[str, str] = {}


def check(text: str) -> str:
    """Returns the text as it is. Raises where a pipe is unknown, unclosed or has no fall-back."""
    for match in _PIPE.finditer(text):
        field, fallback = match.group(1).strip(), match.group(2)
        near = match.group(0)
        if near == BY:
            continue
        if field not in FIELDS and field not in NAMES and not _ANSWER.fullmatch(field):
            known = ", ".join((*FIELDS, "answer.<вопрос>"))
            raise fault("bad-pipe", f"неизвестное поле {{{field}}}", hint=f"есть: {known}", near=near)
        if fallback is None and field != "company":
            message = f"у поля {{{field}}} нет запасного слова"
            raise fault("bad-pipe", message, hint=f"напишите {{{field}|…}}", near=near)
    left = re.search(r"[{}]", _PIPE.sub("", text))
    if left:
        raise fault("bad-pipe", "фигурная скобка без пары", near=left.group(0))
    return text


Text = Annotated[str, AfterValidator(check)]
"""A sentence or a few that the bot says, with checked pipes."""


def piped_answers(text: str) -> tuple[str, ...]:
    """The ids of the questions whose answers a text pipes, each once."""
    found = (_ANSWER.fullmatch(match.group(1).strip()) for match in _PIPE.finditer(text))
    return tuple(dict.fromkeys(match.group(1) for match in found if match))


def render(text: str, context: CallContext, company: str, answers: Mapping[str, str] = NO_ANSWERS) -> str:
    """The text as it is spoken: fields or their fall-backs put in, no comma or pause left over, a capital
    first.

    `answers` are the answers as they are spoken, by question id; what is not there is not known.
    """
    if "{" not in text:
        return text

    def value(match: re.Match[str]) -> str:
        found = _value(match.group(1).strip(), context, company, answers)
        return " ".join(unmarked(found).split()) or (match.group(2) or "")

    spoken = _HANGING.sub("", _NOTHING_BEHIND.sub("", _PIPE.sub(value, text)))
    spoken = _LEADING.sub("", " ".join(spoken.split()))
    return spoken[:1].upper() + spoken[1:]


def _value(field: str, context: CallContext, company: str, answers: Mapping[str, str]) -> str:
    if field == "company":
        return company
    if field in ("department", "reason"):
        said: str = getattr(context, field)
        return said
    who, _, name = NAMES.get(field, field).partition(".")
    if who == "answer":
        return answers.get(name, "")
    found: str = getattr(context.customer if who == "customer" else context.agent, name)
    return found
