"""Reads the settings and, where they cannot be used, says where, why and what would be right."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticUndefined
from pydantic_settings import SettingsError

from bot.core.errors import Place, SettingsInvalid
from bot.settings import CONFIG_VARIABLE, Settings, config_file

PREFIX = "OTKLIK_"
NOT_SETTINGS = {CONFIG_VARIABLE, "OTKLIK_LANG"}
"""Variables of ours that are no settings; names that begin with OTKLIK_TEST_ are the tests' own."""


def load_settings(**overrides: Any) -> Settings:
    """The settings of this process. Raises SettingsInvalid; `overrides` win over everything."""
    file = config_file()
    text = _read(file)
    if text is not None:
        _refuse_unknown_keys(text, file)
    _refuse_unknown_variables(os.environ)
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise _explain(error.errors()[0], file, text) from error
    except SettingsError as error:  # a table given in one variable that is not JSON
        raise SettingsInvalid(
            f"переменная с таблицей не читается: {error.__cause__ or error}",
            hint='таблица пишется как JSON, например OTKLIK_HANDOVER__AGENTS={"demo": "sip:demo@127.0.0.1"}',
        ) from error


def as_environment(settings: Settings) -> dict[str, str]:
    """The same settings for a child process, passwords included: `load_settings` there gives them back."""
    return {
        PREFIX + key.upper().replace(".", "__"): _as_word(_value(settings, key)) for key, _ in every_key()
    }


def _value(settings: Settings, key: str) -> object:
    value: object = settings
    for name in key.split("."):
        value = getattr(value, name)
    return value


def _as_word(value: object) -> str:
    match value:
        case SecretStr():
            return value.get_secret_value()
        case dict():
            return json.dumps(value, ensure_ascii=False, default=BaseModel.model_dump)
        case tuple():
            return ",".join(map(str, value))
        case _:
            return str(value)


def _read(file: Path) -> str | None:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        if os.environ.get(CONFIG_VARIABLE):
            raise SettingsInvalid(
                f"файла настроек нет: {file}", hint=f"на него указывает переменная {CONFIG_VARIABLE}"
            ) from None
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsInvalid(f"файл настроек не читается: {error}", place=Place(str(file))) from error


def _refuse_unknown_keys(text: str, file: Path) -> None:
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+), column (\d+)", str(error))
        line, column = (int(found[1]), int(found[2])) if found else (0, 0)
        raise SettingsInvalid(
            f"это не TOML: {error}",
            hint="строки берите в кавычки, разделы пишите в квадратных скобках: [sip]",
            place=Place(str(file), line, column),
        ) from error
    for path in _leaves(table):
        if known := _unknown(path):
            at, hint = known
            place = Place(str(file), line_of(text, path[:at]))
            raise SettingsInvalid(f"{'.'.join(path[:at])}: такого ключа нет", hint=hint, place=place)


def _refuse_unknown_variables(environment: Mapping[str, str]) -> None:
    for name in sorted(environment):
        if not name.startswith(PREFIX) or name in NOT_SETTINGS or name.startswith("OTKLIK_TEST_"):
            continue
        path = name.removeprefix(PREFIX).lower().split("__")
        if known := _unknown(path):
            raise SettingsInvalid(f"переменная {name}: такой настройки нет", hint=known[1])


def _leaves(table: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, value in table.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*above, key))
        else:
            yield (*above, key)


def _unknown(path: Sequence[str]) -> tuple[int, str] | None:
    """Where a path of keys leaves what is known (how many keys in), and what was probably meant."""
    model: type[BaseModel] | None = Settings
    for depth, key in enumerate(path, 1):
        if model is None:
            return None  # within a table of the user's own names, such as handover.agents
        fields = keys_of(model)
        if key not in fields:
            return depth, _nearest([*path[: depth - 1], key], list(fields))
        model = _section(fields[key])
    return None


def keys_of(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The keys of a section as they are written in the file."""
    return dict(model.model_fields)


def _section(field: FieldInfo) -> type[BaseModel] | None:
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def every_key(model: type[BaseModel] = Settings, above: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Each settable key with its dots, sections walked in order."""
    for name, field in keys_of(model).items():
        if section := _section(field):
            yield from every_key(section, f"{above}{name}.")
        else:
            yield f"{above}{name}", field


def _nearest(path: Sequence[str], siblings: Sequence[str]) -> str:
    wanted = ".".join(path)
    everywhere = [key for key, _ in every_key()]
    if close := get_close_matches(path[-1], siblings, n=1):
        return f"похоже на {'.'.join([*path[:-1], close[0]])}"
    if close := [key for key in everywhere if key.rsplit(".", 1)[-1] == path[-1]]:
        return f"есть {close[0]}"
    if close := get_close_matches(wanted, everywhere, n=1):
        return f"похоже на {close[0]}"
    return f"здесь бывают: {', '.join(siblings)}"


def line_of(text: str, path: Sequence[str]) -> int:
    """The line, from 1, where a key is written in TOML; of the nearest table above it where that is
    not to be seen (inline tables); 0 where nothing is."""
    table: list[str] = []
    best, best_depth = 0, 0
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[+([^\[\]]+)\]+", line):
            table = _dotted(header[1])
            here = table
        elif key := re.match(r"([\w.\-\"'\s]+)=", line):
            here = [*table, *_dotted(key[1])]
        else:
            continue
        if len(here) > best_depth and here == list(path[: len(here)]):
            best, best_depth = number, len(here)
    return best


def _dotted(words: str) -> list[str]:
    return [word.strip().strip("\"'") for word in words.split(".")]


def _explain(error: ErrorDetails, file: Path, text: str | None) -> SettingsInvalid:
    path = [str(part) for part in error["loc"]]
    field = _field(path)
    hint = ""
    if field is not None and field.description:
        hint = f"нужно: {field.description}"
        default = field.get_default()
        unsaid = isinstance(default, BaseModel | SecretStr) or default in (
            PydanticUndefined,
            None,
            "",
            {},
            (),
        )
        if not unsaid:
            hint += f" (по умолчанию {_plain(default)})"
    problem = f"{'.'.join(path)}: {_problem(error)}"
    variable = _variable(path)
    if variable is not None:
        return SettingsInvalid(f"переменная {variable}: {_problem(error)}", hint=hint)
    if text is not None and (line := line_of(text, path)):
        return SettingsInvalid(problem, hint=hint, place=Place(str(file), line))
    return SettingsInvalid(problem, hint=hint)


def _plain(default: object) -> str:
    return ", ".join(map(str, default)) if isinstance(default, tuple) else str(default)


def _field(path: Sequence[str]) -> FieldInfo | None:
    model: type[BaseModel] | None = Settings
    field: FieldInfo | None = None
    for key in path:
        if model is None or key not in keys_of(model):
            break
        field = keys_of(model)[key]
        model = _section(field)
    return field


def _variable(path: Sequence[str]) -> str | None:
    """The environment variable that this value came from, if it did."""
    for length in range(len(path), 0, -1):
        name = PREFIX + "__".join(path[:length]).upper()
        if name in os.environ:
            return name
    return None


def _problem(error: ErrorDetails) -> str:
    given = error["input"]
    secret = isinstance(given, SecretStr | dict) or error["loc"][-1] in ("password", "url", "secret")
    shown = "значение" if secret else f"«{given}»"
    context = error.get("ctx", {})
    match error["type"]:
        case "int_parsing" | "int_type" | "int_from_float":
            return f"{shown} не целое число"
        case "float_parsing" | "float_type":
            return f"{shown} не число"
        case "bool_parsing" | "bool_type":
            return f"{shown} не true и не false"
        case "string_type":
            return f"{shown} не строка: возьмите в кавычки"
        case "literal_error":
            return f"{shown} не подходит, бывает {context.get('expected', '')}".replace(" or ", " или ")
        case "greater_than_equal" | "greater_than":
            bound = context.get("ge", context.get("gt"))
            return f"{shown} слишком мало, нужно {'не меньше' if 'ge' in context else 'больше'} {bound}"
        case "less_than_equal" | "less_than":
            bound = context.get("le", context.get("lt"))
            return f"{shown} слишком много, нужно {'не больше' if 'le' in context else 'меньше'} {bound}"
        case "string_too_short" | "too_short":
            return "не может быть пустым"
        case "tuple_type" | "list_type":
            return f'{shown} не список: напишите ["…"]'
        case "dict_type" | "model_type" | "model_attributes_type":
            return f"{shown} не раздел: напишите таблицу ключей со значениями"
        case "value_error":
            return str(context["error"])
        case _:
            return f"{shown}: {error['msg']}"
