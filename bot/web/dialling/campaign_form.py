"""The form of a campaign as the text of its file, one line for each field: what is wrong with a line is told
at its field, by the same lint as a file's. What the form does not have is written in the text itself."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ruamel.yaml import YAML

from bot.campaigns.schema import Campaign
from bot.surveys.problems import Problem
from bot.words import words

TEXT, NUMBER, CHOSEN, WORDS, DAYS = "text", "number", "chosen", "words", "days"


@dataclass(frozen=True, slots=True)
class Field:
    """`name` in the form, `keys` in the file. `kind` is how its value is written there: a text, a number as
    it stands, a box that is ticked or not, a word of the schema, or days by commas."""

    name: str
    keys: tuple[str, ...]
    kind: str


FIELDS: Sequence[Field] = (
    Field("id", ("id",), TEXT),
    Field("title", ("title",), TEXT),
    Field("survey", ("survey",), TEXT),
    Field("purpose", ("purpose",), WORDS),
    Field("consent", ("consent",), WORDS),
    Field("reason", ("reason",), TEXT),
    Field("starts", ("starts",), WORDS),
    Field("ends", ("ends",), WORDS),
    Field("target", ("target",), NUMBER),
    Field("number", ("caller", "number"), TEXT),
    Field("label", ("caller", "label"), TEXT),
    Field("hours", ("calling", "hours"), TEXT),
    Field("holidays", ("calling", "holidays"), CHOSEN),
    Field("closed", ("calling", "closed"), DAYS),
    Field("attempts", ("retries", "attempts"), NUMBER),
    Field("rings_per_day", ("frequency", "rings_per_day"), NUMBER),
    Field("rings_per_week", ("frequency", "rings_per_week"), NUMBER),
    Field("same_survey", ("frequency", "same_survey"), WORDS),
    Field("any_survey", ("frequency", "any_survey"), WORDS),
    Field("lines", ("pacing", "lines"), NUMBER),
    Field("per_second", ("pacing", "per_second"), NUMBER),
    Field("agents", ("pacing", "agents"), CHOSEN),
)
DEFAULTS: Mapping[str, str] = {"purpose": "service", "agents": "on"}
"""What a form begins with; everything else begins empty, and what is empty has the file's own default."""

BOXES_ON = frozenset({"agents"})
"""Boxes that are ticked in a file that says nothing."""


CHANGEABLE = ("ends", "hours", "holidays", "closed", "lines", "per_second", "agents")
"""Fields that may be others while a campaign goes."""


def values_of(definition: Campaign) -> dict[str, str]:
    """`CHANGEABLE` as the form has them."""
    calling, pacing = definition.calling, definition.pacing
    values = {
        "ends": definition.ends.isoformat() if definition.ends else "",
        "hours": str(calling.hours or ""),
        "closed": ", ".join(day.isoformat() for day in calling.closed),
        "lines": str(pacing.lines),
        "per_second": f"{pacing.per_second:g}",
    }
    boxes = {"holidays": calling.holidays, "agents": pacing.agents}
    return values | {name: "on" for name, ticked in boxes.items() if ticked}


def changed_text(definition: Campaign, form: Mapping[str, str]) -> str:
    """The campaign's file with these values of `CHANGEABLE` in place of its own."""
    told = definition.model_dump(mode="json", exclude_defaults=True)
    for field in FIELDS:
        *outer, key = field.keys
        section = told.get(outer[0], {}) if outer else told
        if field.name in CHANGEABLE:
            section.pop(key, None)
    text_of_given, _ = written({name: form[name] for name in CHANGEABLE if name in form})
    given = YAML(typ="safe").load(text_of_given)
    for key, value in (given or {}).items():
        told[key] = {**told.get(key, {}), **value} if isinstance(value, dict) else value
    text = io.StringIO()
    YAML().dump({key: value for key, value in told.items() if value != {}}, text)
    return text.getvalue()


def digest_of(definition: str) -> str:
    """By which a form knows whether the campaign is still the one that it shows."""
    return hashlib.sha256(definition.encode()).hexdigest()[:16]


def written(form: Mapping[str, str]) -> tuple[str, dict[int, str]]:
    """The file, and which field each of its lines is of."""
    lines: list[str] = []
    of_line: dict[int, str] = {}
    section = ""
    for field, value in _values(form):
        *outer, key = field.keys
        if outer and outer[0] != section:
            lines.append(f"{outer[0]}:")
            section = outer[0]
        lines.append(f"{'  ' * len(outer)}{key}: {value}")
        of_line[len(lines)] = field.name
    return "\n".join(lines) + "\n", of_line


def _values(form: Mapping[str, str]) -> Iterator[tuple[Field, str]]:
    for field in FIELDS:
        given = " ".join(form.get(field.name, "").split())
        if field.kind == CHOSEN:
            if (field.name in form) is not (field.name in BOXES_ON):
                yield field, "true" if field.name in form else "false"
        elif given and field.kind == DAYS:
            yield field, f"[{', '.join(_scalar(day.strip()) for day in given.split(',') if day.strip())}]"
        elif given:
            yield field, json.dumps(given, ensure_ascii=False) if field.kind == TEXT else _scalar(given)


def _scalar(given: str) -> str:
    """As it stands where that is one plain value of YAML; else as a text, for the schema to refuse."""
    plain = all(letter.isalnum() or letter in "._-+" for letter in given)
    return given if plain else json.dumps(given, ensure_ascii=False)


def by_field(problems: Sequence[Problem], of_line: Mapping[int, str]) -> dict[str, list[Problem]]:
    """Problems at their fields; those of no line that is a field's under ""."""
    found: dict[str, list[Problem]] = {}
    for problem in problems:
        found.setdefault(of_line.get(problem.place.line, ""), []).append(problem)
    return found


def said(problem: Problem) -> str:
    """«строка 4: hours: … (например: …)»."""
    line = (
        words(f"строка {problem.place.line}: ", f"line {problem.place.line}: ") if problem.place.line else ""
    )
    return line + told(problem)


def told(problem: Problem) -> str:
    return problem.message + (f" ({problem.hint})" if problem.hint else "")
