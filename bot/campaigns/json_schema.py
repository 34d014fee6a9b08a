"""The shape of a campaign's file as a JSON Schema (draft 2020-12), made from the models that check it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from bot.campaigns import schema
from bot.campaigns.durations import written
from bot.campaigns.json_schema_words import DEFINITIONS, FIELDS
from bot.campaigns.schema import Campaign
from bot.surveys.json_schema import DIALECT

ID = "urn:otklik:campaign"


def campaign_schema() -> dict[str, Any]:
    """Plain data, made anew at each call."""
    raw = Campaign.model_json_schema(mode="validation")
    definitions = {name: _definition(name, body) for name, body in raw.pop("$defs").items()}
    return {
        "$schema": DIALECT,
        "$id": ID,
        **_definition("Campaign", raw),
        "$defs": dict(sorted(definitions.items())),
    }


def _definition(name: str, body: Mapping[str, Any]) -> dict[str, Any]:
    made = dict(body)
    made["title"], made["description"] = DEFINITIONS[name]
    made["properties"] = {key: _field(name, key, value) for key, value in body["properties"].items()}
    for key, field in getattr(schema, name).model_fields.items():
        if isinstance(field.default, timedelta):
            made["properties"][key]["default"] = written(field.default)
    return made


def _field(owner: str, key: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """Without null, which only a program would write: in a file such a key is left out."""
    made: dict[str, Any] = {name: each for name, each in value.items() if name != "title"}
    options = [each for each in made.get("anyOf", ()) if each != {"type": "null"}]
    if len(options) == 1:
        made = {**options[0], **{name: each for name, each in made.items() if name != "anyOf"}}
    default = made.get("default", ...)
    if default is None:
        del made["default"]
    elif isinstance(default, dict):
        made["default"] = {name: each for name, each in default.items() if each is not None}
    made["description"] = FIELDS[owner, key]
    return made
