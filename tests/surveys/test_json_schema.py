"""The published JSON Schema: as strict as the loader, as short as a file may be, and in Russian."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from bot.surveys.json_schema import json_schema
from tests.surveys.turns import SURVEYS

SHIPPED = sorted(SURVEYS.glob("*.yaml"))
EVERYTHING = Path(__file__).parent / "everything.yaml"

SCHEMA = json_schema()
VALIDATOR = Draft202012Validator(SCHEMA)


def read(file: Path) -> Any:
    """A file as JSON has it: keys are texts."""
    return json.loads(json.dumps(YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))))


def faults(data: Any) -> list[str]:
    return [error.message for error in VALIDATOR.iter_errors(data)]


def properties(node: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(node, dict):
        for key, value in node.get("properties", {}).items():
            if "const" not in value or "description" in value:
                yield f"{path}.{key}", value
        for key, value in node.items():
            if key != "if":
                yield from properties(value, f"{path}/{key}")
    elif isinstance(node, list):
        for place, value in enumerate(node):
            yield from properties(value, f"{path}/{place}")


def test_it_is_a_schema_and_plain_data() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA


def test_everything_is_described_in_russian() -> None:
    described = list(properties(SCHEMA))
    assert len(described) > 100
    for path, value in described:
        assert re.search("[а-яё]", value["description"]), path
    for name, definition in SCHEMA["$defs"].items():
        assert definition["title"], name
        assert re.search("[а-яё]", definition["description"]), name


def test_every_reference_leads_somewhere() -> None:
    references = re.findall(r'"\$ref": "#/\$defs/(\w+)"', json.dumps(SCHEMA))
    assert set(references) == set(SCHEMA["$defs"])


@pytest.mark.parametrize("file", [*SHIPPED, EVERYTHING], ids=lambda file: file.stem)
def test_what_ships_fits(file: Path) -> None:
    assert faults(read(file)) == []


@pytest.mark.parametrize("file", [*SHIPPED, EVERYTHING], ids=lambda file: file.stem)
def test_an_unknown_key_fits_nowhere(file: Path) -> None:
    data = read(file)
    places = 0
    for table in tables(data):
        table["unknown_key"] = 1
        assert not VALIDATOR.is_valid(data), f"unknown_key beside {sorted(table)}"
        del table["unknown_key"]
        places += 1
    assert places > len(data["questions"])
    assert faults(data) == []


def tables(node: Any, name: str = "") -> Iterator[dict[str, Any]]:
    """Every table of a survey but those whose keys are the author's own."""
    if isinstance(node, dict):
        if name not in ("labels", "text_by_topic", "offer_by_topic", "whisper_topics"):
            yield node
        for key, value in list(node.items()):
            yield from tables(value, key)
    elif isinstance(node, list):
        for value in node:
            yield from tables(value)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("version",), 0),
        (("language",), "fr"),
        (("questions",), []),
        (("questions", 0, "kind"), "npc"),
        (("questions", 0, "ask"), ""),
        (("questions", 0, "when"), ""),
        (("questions", 0, "when"), {"question": "nps"}),
        (("questions", 0, "then"), [{"when": "answer.nps <= 6"}]),
        (("questions", 0, "then"), [{"goto": "nps", "skip_to_end": True}]),
        (("questions", 0, "audio"), {"ask": 3}),
        (("calling",), {"days": ["понедельник"]}),
        (("texts",), {"no_match": []}),
    ],
)
def test_what_the_loader_refuses_does_not_fit(place: tuple[str | int, ...], value: Any) -> None:
    data = deepcopy(read(EVERYTHING))
    *way, last = place
    table = data
    for step in way:
        table = table[step]
    table[last] = value
    assert faults(data)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("questions", 0, "when"), "answer.nps <= 6"),
        (
            ("questions", 0, "then"),
            [{"when": "answer.nps <= 6", "goto": "x", "at_most": 1}, {"skip_to_end": True}],
        ),
        (("questions", 0, "audio"), "ask.wav"),
        (("questions", 0, "audio"), {"ask": "a.wav", "reask": ["b.wav"]}),
        (("questions", 0, "reask"), "Одной фразой?"),
        (("questions", 0, "confirm"), "always"),
        (("calling",), {"max_attempts": 2, "earliest": "09:00", "days": ["mon"]}),
    ],
)
def test_what_a_file_may_say_fits(place: tuple[str | int, ...], value: Any) -> None:
    data = read(EVERYTHING)
    *way, last = place
    table = data
    for step in way:
        table = table[step]
    table[last] = value
    assert faults(data) == []


@pytest.mark.parametrize(
    "key", ["id", "version", "language", "title", "company", "consent", "introduction", "questions"]
)
def test_what_is_needed_is_missed(key: str) -> None:
    data = read(EVERYTHING)
    del data[key]
    assert faults(data) == [f"'{key}' is a required property"]
