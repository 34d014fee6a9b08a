"""The shape of a dictionary's file as a JSON Schema (draft 2020-12), made from the models that check it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.surveys.dictionary import MOST_PHRASES, Dictionary, Extension
from bot.surveys.json_schema import DIALECT

ID = "urn:otklik:dictionary"

FIELDS = {
    "id": "Имя словаря или списка: латинские строчные буквы, цифры и _.",
    "extend": "Имя поставляемого словаря, к которому добавить.",
    "language": "Язык фраз.",
    "lists": "Списки фраз, у каждого свой сигнал.",
    "signal": "Какой сигнал поднять: complaint, angry, repeated_contact или свой.",
    "topic": "Тема жалобы; только при signal: complaint.",
    "words": "Фразы: слова в любой форме и порядке; «не» перед словом, * вместо окончания.",
    "but": "Что похоже, но ничего не значит.",
    "without": "Какие фразы поставляемого списка убрать.",
}


def dictionary_schema() -> dict[str, Any]:
    """A whole dictionary, or what is added to one; plain data, made anew at each call."""
    definitions: dict[str, Any] = {}
    for model in (Dictionary, Extension):
        raw = model.model_json_schema(mode="validation")
        definitions |= {name: _described(body) for name, body in raw.pop("$defs").items()}
        definitions[model.__name__] = _described(raw)
    return {
        "$schema": DIALECT,
        "$id": ID,
        "title": "Словарь Отклика",
        "description": "По каким словам слышны жалоба и злость: свой словарь (id) или добавка (extend).",
        "if": {"required": ["extend"]},
        "then": {"$ref": "#/$defs/Extension"},
        "else": {"$ref": "#/$defs/Dictionary"},
        "$defs": dict(sorted(definitions.items())),
    }


def _described(body: Mapping[str, Any]) -> dict[str, Any]:
    made = {key: value for key, value in body.items() if key not in ("title", "description")}
    if "properties" in made:
        made["properties"] = {key: _field(key, value) for key, value in made["properties"].items()}
    return made


def _field(key: str, value: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {name: each for name, each in value.items() if name != "title"}
    options = [each for each in made.get("anyOf", ()) if each != {"type": "null"}]
    if len(options) == 1:
        made = {**options[0], **{name: each for name, each in made.items() if name != "anyOf"}}
    if made.get("default", ...) is None:
        del made["default"]
    if key in ("words", "but", "without"):
        phrase = {"type": "string", "minLength": 1}
        least = {"minItems": 1} if "minItems" in made else {}
        made = {"anyOf": [phrase, {"type": "array", "items": phrase, "maxItems": MOST_PHRASES, **least}]}
    return {**made, "description": FIELDS[key]}
