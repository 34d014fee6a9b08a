"""The tables of docs/surveys.md: every key of a survey file, and every rule of its lint.

    .venv/bin/python tools/survey_tables.py

Both are made from what the program itself goes by, the JSON Schema and the rules, and are written
between their marks in the page.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bot.surveys.json_schema import json_schema
from bot.surveys.lint import RULES

PAGE = Path(__file__).resolve().parent.parent / "docs/surveys.md"

COMMON = ("id", "kind", "ask", "reask", "help", "dtmf_hint", "audio", "when", "then", "confirm", "no_input_s")
"""Keys that every question has."""

QUESTIONS = (
    *("NpsQuestion", "CsatQuestion", "CesQuestion", "ScoreQuestion", "YesNoQuestion"),
    *("ChoiceQuestion", "MultiChoiceQuestion", "NumberQuestion", "DateQuestion", "OpenQuestion"),
)
MOST_KEYS = 3
"""A default with more keys than that is told in a table of its own."""

LEVELS = {"error": "ошибка", "warning": "предупреждение"}


def keys(definition: str, *, only: tuple[str, ...] = (), but: tuple[str, ...] = ()) -> str:
    """A table of the keys of one part of the schema; the survey itself is `Survey`."""
    schema = json_schema()
    return keys_of(schema if definition == "Survey" else schema["$defs"][definition], only=only, but=but)


def keys_of(body: dict[str, Any], *, only: tuple[str, ...] = (), but: tuple[str, ...] = ()) -> str:
    """A table of the keys of one definition, of whichever schema."""
    rows = ["| ключ | по умолчанию | что это |", "|---|---|---|"]
    for key, value in body["properties"].items():
        if (not only or key in only) and key not in but:
            default = "**нужен**" if key in body.get("required", ()) else _default(value)
            rows.append(f"| `{key}` | {default} | {_cell(value['description'])} |")
    return "\n".join(rows) + "\n"


def kinds() -> str:
    """A table of the kinds of question, each with the keys that it alone has."""
    definitions = json_schema()["$defs"]
    rows = ["| `kind` | что это | свои ключи |", "|---|---|---|"]
    for name in QUESTIONS:
        body = definitions[name]
        own = [_own_key(key, value, body) for key, value in body["properties"].items() if key not in COMMON]
        rows.append(
            f"| `{body['properties']['kind']['const']}` | {_cell(body['description'])} | {'<br>'.join(own)} |"
        )
    return "\n".join(rows) + "\n"


def rules() -> str:
    rows = ["| правило | | что не так | как надо |", "|---|---|---|---|"]
    rows += [
        f"| `{rule.id}` | {LEVELS[rule.level]} | {_cell(rule.meaning)} | {_cell(rule.mend)} |"
        for rule in RULES.values()
    ]
    return "\n".join(rows) + "\n"


def tables() -> dict[str, str]:
    """Every table of the page, by the name in its marks."""
    return {
        "survey": keys("Survey"),
        "question": keys("YesNoQuestion", only=COMMON),
        "kinds": kinds(),
        "branch": keys("Branch"),
        "rule": keys("TriageRule"),
        "listening": keys("Listening"),
        "calling": keys("Calling"),
        "closings": keys("Closings"),
        "texts": keys("Texts"),
        "lint": rules(),
    }


def with_tables(page: str) -> str:
    """The page with all its tables made anew."""
    return written_into(page, tables())


def written_into(page: str, made: dict[str, str]) -> str:
    """The page with these tables between their marks."""
    for name, table in made.items():
        begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
        before, rest = page.split(begin)
        page = f"{before}{begin}{table}{end}{rest.split(end)[1]}"
    return page


def _own_key(key: str, value: dict[str, Any], body: dict[str, Any]) -> str:
    default = " (нужен)" if key in body.get("required", ()) else _in_brackets(_default(value))
    return f"`{key}`{default}: {_cell(value['description'])}"


def _in_brackets(default: str) -> str:
    return f" ({default})" if default else ""


def _default(value: dict[str, Any]) -> str:
    default = value.get("default")
    if default in (None, "", [], {}):
        return ""
    if isinstance(default, dict):
        flat = not any(each == "" or isinstance(each, dict | bool) for each in default.values())
        return f"`{_flow(default)}`" if flat and len(default) <= MOST_KEYS else ""
    return f"`{json.dumps(default, ensure_ascii=False)}`"


def _flow(table: dict[str, Any]) -> str:
    """As YAML in one line: {after: [1d], limit: 2}."""
    inner = ", ".join(f"{key}: {_flow_value(value)}" for key, value in table.items())
    return f"{{{inner}}}"


def _flow_value(value: Any) -> str:
    return f"[{', '.join(map(str, value))}]" if isinstance(value, list) else str(value)


def _cell(text: str) -> str:
    return "".join(_escaped(text))


def _escaped(text: str) -> Iterator[str]:
    for sign in text:
        yield "\\|" if sign == "|" else sign


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
