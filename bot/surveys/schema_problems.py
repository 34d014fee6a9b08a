"""What a schema has against a YAML file, as problems with its file, line and column."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from bot.core.errors import Place
from bot.surveys.expressions import nearest
from bot.surveys.problems import FAULTS, Fault, Loc, Problem
from bot.surveys.source import FileRefused, place_of_text, read_text, read_yaml


@dataclass(frozen=True, slots=True)
class SurveyFile:
    """A file that is honest YAML: its text, and its data with places."""

    path: Path
    text: str
    data: CommentedMap

    def problem(self, fault: Fault, *, under: Loc = ()) -> Problem:
        """The fault with its place in the file; `under` leads to what its path starts from."""
        place = place_of_text(self.path, self.text, self.data, (*under, *fault.loc), fault.near)
        return Problem(place, fault.message, fault.hint, rule=fault.rule)


def open_file(path: Path) -> SurveyFile | Problem:
    """The file, or the one problem of a file that cannot be read at all."""
    try:
        text = read_text(path)
        return SurveyFile(path, text, read_yaml(path, text))
    except FileRefused as refused:
        place = refused.place or Place(str(path))
        return Problem(place, refused.reason, refused.hint, unreadable=True, rule=refused.rule)


def plain(node: Any) -> Any:
    """The data without the places: what the schema is checked against."""
    if isinstance(node, CommentedMap):
        return {key: plain(value) for key, value in node.items()}
    if isinstance(node, CommentedSeq):
        return [plain(value) for value in node]
    for kind in (bool, int, float, str):
        if isinstance(node, kind) and type(node) is not kind:
            return kind(node)
    return node


def problems_of(file: SurveyFile, error: ValidationError, model: type[BaseModel]) -> tuple[Problem, ...]:
    """Everything that the schema `model` has against a file, with its places."""
    details = error.errors(include_url=False)
    told = [detail for detail in details if not _follows(detail, details)]
    return tuple(problem for detail in told for problem in _problems(file, detail, model))


def _follows(detail: ErrorDetails, details: list[ErrorDetails]) -> bool:
    """«Too few» of what is there and wrong: only what is wrong with it needs mending."""
    loc = detail["loc"]
    return detail["type"] == "too_short" and any(
        len(other["loc"]) > len(loc) and other["loc"][: len(loc)] == loc for other in details
    )


def _problems(file: SurveyFile, detail: ErrorDetails, model: type[BaseModel]) -> Iterator[Problem]:
    loc = detail["loc"]
    kind, last = detail["type"], str(loc[-1]) if loc else ""
    context: Mapping[str, Any] = detail.get("ctx", {})
    if kind == FAULTS:
        yield from (file.problem(fault, under=loc) for fault in context["faults"])
    elif kind == "extra_forbidden":
        hint = nearest(last, _known_keys(model, loc[:-1]))
        yield file.problem(Fault("unknown-key", f"неизвестный ключ «{last}»", loc, hint))
    elif kind == "missing":
        rule = _WITH_RULES_OF_THEIR_OWN.get(last, "missing-key")
        yield file.problem(Fault(rule, f"не хватает ключа «{last}»", loc, _WHAT_FOR.get(rule, "")))
    elif kind == "value_error":
        message = str(context["error"])
        yield file.problem(Fault("bad-value", message, (*loc, message.partition(":")[0])))
    else:
        rule = _WITH_RULES_OF_THEIR_OWN.get(last, "bad-value") if kind in _EMPTY else "bad-value"
        if kind.startswith("union_tag"):
            loc = (*loc, "kind")
        message = f"{_name(loc)}: {_meaning(kind, context, detail)}"
        yield file.problem(Fault(rule, message, loc, _WHAT_FOR.get(rule, "")))


_EMPTY = ("string_too_short", "too_short")
_WITH_RULES_OF_THEIR_OWN = {"reask": "missing-reask", "consent": "missing-consent"}
_WHAT_FOR = {
    "missing-reask": "добавьте reask — тот же вопрос другими словами, для тех, кто не расслышал",
    "missing-consent": "добавьте consent — кто звонит и что записывается; это первая фраза разговора",
}


def _known_keys(model: Any, loc: tuple[int | str, ...]) -> list[str]:
    """The keys that the schema has where `loc` leads to."""
    for step in loc:
        model = _below(model, step)
    models = _models(model)
    return [name for member in models for name in member.model_fields]


def _below(annotation: Any, step: int | str) -> Any:
    for model in _models(annotation):
        if step in model.model_fields:
            return model.model_fields[str(step)].annotation
        kind = model.model_fields.get("kind")
        if kind is not None and step in get_args(kind.annotation):
            return model
    return annotation


def _models(annotation: Any) -> list[type[BaseModel]]:
    """All models inside an annotation, whatever wraps them."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in get_args(annotation) for model in _models(inner)]


def _name(loc: tuple[int | str, ...]) -> str:
    return next((str(step) for step in reversed(loc) if isinstance(step, str)), "файл")


_MEANINGS = {
    "string_type": "нужен текст",
    "int_type": "нужно целое число",
    "int_parsing": "нужно целое число",
    "int_from_float": "нужно целое число",
    "float_type": "нужно число",
    "float_parsing": "нужно число",
    "bool_type": "нужно true или false",
    "bool_parsing": "нужно true или false",
    "tuple_type": "нужен список",
    "list_type": "нужен список",
    "dict_type": "нужна таблица «ключ: значение»",
    "model_type": "нужна таблица «ключ: значение»",
    "model_attributes_type": "нужна таблица «ключ: значение»",
    "union_tag_not_found": "нужен ключ kind",
    "string_too_short": "текст пуст",
    "string_too_long": "текст длиннее {max_length} знаков",
    "too_short": "нужно не меньше {min_length}, а здесь {actual_length}",
    "too_long": "нужно не больше {max_length}, а здесь {actual_length}",
    "greater_than_equal": "нужно не меньше {ge}",
    "less_than_equal": "нужно не больше {le}",
    "literal_error": "допустимо: {expected}",
    "enum": "допустимо: {expected}",
    "union_tag_invalid": "«{tag}» не бывает; допустимо: {expected_tags}",
    "date_type": "нужна дата: 2026-12-31",
    "date_parsing": "нужна дата: 2026-12-31",
    "date_from_datetime_parsing": "нужна дата: 2026-12-31",
    "date_from_datetime_inexact": "нужна дата без времени: 2026-12-31",
    "greater_than": "нужно больше {gt}",
    "string_pattern_mismatch": "латинские строчные буквы, цифры и _, первой буква",
}


def _meaning(kind: str, context: Mapping[str, Any], detail: ErrorDetails) -> str:
    if isinstance(detail["input"], str) and kind in ("too_short", "too_long"):
        kind = f"string_{kind}"
    pattern = _MEANINGS.get(kind)
    return detail["msg"] if pattern is None else pattern.format_map(context).replace(" or ", " или ")
