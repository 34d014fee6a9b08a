"""The shape of a survey file as a JSON Schema (draft 2020-12), for editors and other people's programs.

    # yaml-language-server: $schema=survey.schema.json

It is made from the models that the loader checks, so the two cannot drift apart; where a file may be
shorter than the model (one wording for a list, texts left out, a recording by its name) the schema
is as short. What one key alone cannot tell (references, conditions, ways that end) is the lint's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.surveys.expressions import MAX_LENGTH
from bot.surveys.json_schema_words import DEFINITIONS, FIELDS
from bot.surveys.schema import Survey

DIALECT = "https://json-schema.org/draft/2020-12/schema"
ID = "urn:otklik:survey"

_ONE_OR_MANY = {"reask", "say"}
_POOLS = "Texts"
_OPTIONAL = ("Texts", "Closings", "Listening")
"""Definitions whose every key has a default in the survey's language."""


_NAMED_IN_A_FILE = ("Recorded", "Dictionary", "WordList")
"""What a published survey has in full and a file only names."""


def json_schema() -> dict[str, Any]:
    """The schema; plain data, made anew at each call."""
    raw = Survey.model_json_schema(mode="validation")
    definitions: dict[str, Any] = {
        name: _definition(name, body)
        for name, body in raw.pop("$defs").items()
        if name not in _NAMED_IN_A_FILE
    }
    survey = _definition("Survey", raw)
    survey["required"] = [key for key in survey["required"] if key not in ("texts", "closings")]
    questions = survey["properties"]["questions"]
    questions["items"] = _by_kind(questions["items"], definitions)
    return {"$schema": DIALECT, "$id": ID, **survey, "$defs": dict(sorted(definitions.items()))}


def _definition(name: str, body: Mapping[str, Any]) -> dict[str, Any]:
    made = dict(body)
    made["title"], made["description"] = DEFINITIONS[name]
    if "properties" in made:
        made["properties"] = {key: _property(name, key, value) for key, value in made["properties"].items()}
    if name in _OPTIONAL:
        made.pop("required", None)
    if name == "Branch":
        made["oneOf"] = [{"required": ["goto"]}, {"required": ["skip_to_end"]}]
    if name == "AnswerIs":
        made["oneOf"] = [{"required": [key]} for key in ("at_most", "at_least", "equals")]
    return made


def _property(owner: str, key: str, value: Any) -> dict[str, Any]:
    made: dict[str, Any] = _plain(value)
    made.pop("title", None)
    if key == "when":
        made = _condition()
    elif (owner, key) == ("Survey", "dictionaries"):
        made = {
            "type": "array",
            "items": {"type": "string"},
            "uniqueItems": True,
            "examples": [["complaints"]],
        }
    elif key == "audio":
        made = {"anyOf": [_file(), {"$ref": "#/$defs/Audio"}]}
    elif owner == "Audio":
        made = {"type": "array", "items": _file()} if key == "reask" else _file()
    elif made.get("type") == "array" and (key in _ONE_OR_MANY or (owner == _POOLS and key != "numbers")):
        made = _one_or_many(made)
    made["description"] = FIELDS.get((owner, key)) or FIELDS["", key]
    return made


def _plain(value: Any) -> Any:
    """Without what only pydantic reads: null where a key may as well be left out, titles, mappings."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    made = {key: _plain(item) for key, item in value.items() if key not in ("discriminator", "title")}
    options = [item for item in made.get("anyOf", ()) if item != {"type": "null"}]
    if len(options) == 1:
        del made["anyOf"]
        made = {**options[0], **made}
    if made.get("default", ...) is None:
        del made["default"]
    return made


def _one_or_many(array: dict[str, Any]) -> dict[str, Any]:
    """A list of wordings, or the only one by itself."""
    items = array["items"]
    return {"anyOf": [items, {"type": "array", "items": items, "minItems": 1}]}


def _condition() -> dict[str, Any]:
    """An expression, or a table of one comparison as surveys of 0.2 have it."""
    expression = {
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_LENGTH,
        "examples": ["answer.nps <= 6", 'answer.resolved == "no" and "rudeness" in topics'],
    }
    return {"anyOf": [expression, {"$ref": "#/$defs/AnswerIs"}, {"$ref": "#/$defs/SignalIs"}]}


def _file() -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "examples": ["audio/question.wav"]}


def _by_kind(items: dict[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    """Questions told apart by `kind`: an editor then speaks of the one kind that is meant."""
    kinds: dict[str, str] = {}
    for option in items["oneOf"]:
        name = option["$ref"].rpartition("/")[2]
        kinds[definitions[name]["properties"]["kind"]["const"]] = option["$ref"]
    return {
        "type": "object",
        "required": ["id", "kind", "ask", "reask"],
        "properties": {"kind": {"enum": list(kinds), "description": FIELDS["", "kind"]}},
        "allOf": [
            {
                "if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]},
                "then": {"$ref": reference},
            }
            for kind, reference in kinds.items()
        ],
    }
