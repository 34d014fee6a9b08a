"""Reading a file as YAML with places, and refusing what is not honest YAML.

Refused before anything is built from it: large files, other encodings than UTF-8, tabs, aliases
(a few lines of them unfold to gigabytes), tags, deep nesting and more than one document.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from bot.core.errors import Place, SurveyInvalid
from bot.core.texts import can_be_kept


class FileRefused(SurveyInvalid):
    """The file is not honest YAML; `rule` is one of `READING_RULES`."""

    def __init__(self, rule: str, message: str, *, hint: str, place: Place) -> None:
        super().__init__(message, hint=hint, place=place)
        self.rule = rule
        self.reason = message


MAX_BYTES = 64 * 1024
"""A survey of fifty questions is some 40 KB."""

MAX_LINE = 2000
"""Characters; nobody can read longer lines, and the scanner's work grows with their square."""

MAX_DEPTH = 12
"""The schema nests five deep."""


def read_text(path: Path) -> str:
    """The file's text. Raises FileRefused where it is too large, has tabs or is not UTF-8."""
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            _refuse(
                "too-large",
                path,
                f"файл слишком большой: {size} байт",
                f"больше {MAX_BYTES} байт не читается",
            )
        data = path.read_bytes()
    except OSError as error:
        _refuse(
            "unreadable-file",
            path,
            f"файл не читается: {error.strerror or error}",
            "проверьте путь и права доступа",
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        _refuse("encoding", path, "файл не в кодировке UTF-8", "сохраните его как UTF-8", line=line)
    bad = next((place for place, char in enumerate(text) if _is_control(char)), None)
    if bad is not None:
        is_tab = text[bad] == "\t"
        rule, what = ("tab", "табуляция") if is_tab else ("control-character", "управляющий символ")
        hint = "отступы делайте пробелами" if is_tab else "сотрите его"
        line, column = text.count("\n", 0, bad) + 1, bad - text.rfind("\n", 0, bad)
        _refuse(rule, path, what, hint, line=line, column=column)
    for number, written in enumerate(text.split("\n"), start=1):
        if len(written) > MAX_LINE:
            _refuse(
                "long-line",
                path,
                f"строка длиннее {MAX_LINE} знаков",
                "разбейте её: «>-» и перенос",
                line=number,
            )
    return text


def read_yaml(path: Path, text: str) -> CommentedMap:
    """The file as a table with places. Raises FileRefused."""
    try:
        _check_events(path, text)
        data = YAML(typ="rt", pure=True).load(text)
    except DuplicateKeyError as error:
        mark = error.problem_mark
        key = str(error.problem).split('"')[1] if '"' in str(error.problem) else ""
        message = f"ключ «{key}» записан дважды"
        _refuse("duplicate-key", path, message, "оставьте один", line=_line(mark), column=_column(mark))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message, hint = f"это не YAML: {error.problem}", ""
        if "'<scalar>'" in str(error.problem):
            hint = "значение, которое начинается с кавычки, берут в кавычки целиком: '\"rudeness\" in topics'"
        _refuse("yaml-syntax", path, message, hint, line=_line(mark), column=_column(mark))
    except YAMLError as error:
        _refuse("yaml-syntax", path, f"это не YAML: {error}")
    except (ValueError, OverflowError) as error:
        # The 99th of a month, the letter U+FFFFFFFF: ruamel hands Python's refusal on as it is.
        _refuse("yaml-syntax", path, f"такого значения не бывает: {error}", "возьмите его в кавычки")
    if not isinstance(data, CommentedMap):
        rule = "empty-file" if data is None else "not-a-mapping"
        what = "файл пуст, а" if data is None else "файл"
        _refuse(rule, path, f"{what} должен быть таблицей «ключ: значение»", "начните с id: …", line=1)
    return data


def place_of(path: Path, data: CommentedMap, loc: tuple[int | str, ...]) -> Place:
    """Where the value at `loc` stands, or the deepest part of the way to it that the file has.

    Steps that are not in the file (the tags of a pydantic union) are passed over.
    """
    node: Any = data
    line, column = 0, 0
    for step in loc:
        if isinstance(node, CommentedMap) and step in node:
            line, column = node.lc.key(step)
        elif isinstance(node, CommentedSeq) and isinstance(step, int) and step < len(node):
            line, column = node.lc.item(step)
        else:
            continue
        node = node[step]
    return Place(str(path), line + 1, column + 1)


def place_of_text(path: Path, text: str, data: CommentedMap, loc: tuple[int | str, ...], near: str) -> Place:
    """Where the words `near` stand in the value at `loc`; the value's key where they are not as written."""
    key = place_of(path, data, loc)
    value = _value_place(data, loc)
    if near and value is not None:
        lines = text.splitlines()
        for number in range(value[0], min(len(lines), value[0] + _LINES_OF_A_VALUE)):
            column = _find_word(lines[number], near, value[1] if number == value[0] else 0)
            if column >= 0:
                return Place(str(path), number + 1, column + 1)
    return key


_LINES_OF_A_VALUE = 12
"""How far a value is searched: longer than any sentence of 600 characters is folded."""


def _find_word(line: str, near: str, start: int) -> int:
    """The place of whole words, not of a part of others; -1 where there are none."""
    if not near[:1].isalnum():
        return line.find(near, start)
    found = re.compile(rf"(?<![\w.]){re.escape(near)}(?!\w)").search(line, start)
    return found.start() if found else -1


def _value_place(data: CommentedMap, loc: tuple[int | str, ...]) -> tuple[int, int] | None:
    """Line and column of the value at `loc`, from 0."""
    node: Any = data
    place: tuple[int, int] | None = None
    for step in loc:
        if isinstance(node, CommentedMap) and step in node:
            place = node.lc.value(step)
        elif isinstance(node, CommentedSeq) and isinstance(step, int) and step < len(node):
            place = node.lc.item(step)
        else:
            continue
        node = node[step]
    return place


def _check_events(path: Path, text: str) -> None:
    depth = documents = 0
    for event in YAML(typ="rt", pure=True).parse(text):
        line, column = _line(event.start_mark), _column(event.start_mark)
        if isinstance(event, AliasEvent) or (isinstance(event, NodeEvent) and event.anchor is not None):
            _refuse(
                "yaml-alias",
                path,
                "якоря и ссылки YAML (& и *) не допускаются",
                "повторите текст",
                line=line,
                column=column,
            )
        tag = getattr(event, "tag", None)
        if tag is not None:
            _refuse(
                "yaml-tag", path, f"тег YAML {tag} не допускается", "уберите его", line=line, column=column
            )
        if not can_be_kept(getattr(event, "value", None)):
            what = "U+0000 или половина суррогатной пары: в текстах их не бывает"
            _refuse("control-character", path, what, "сотрите", line=line, column=column)
        if isinstance(event, DocumentStartEvent):
            documents += 1
            if documents > 1:
                _refuse(
                    "many-documents",
                    path,
                    "в файле больше одного документа",
                    "оставьте один, остальные — в свои файлы",
                    line=line,
                )
        if isinstance(event, MappingStartEvent | SequenceStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                _refuse("too-deep", path, "слишком глубокая вложенность", line=line, column=column)
        elif isinstance(event, MappingEndEvent | SequenceEndEvent):
            depth -= 1


def _refuse(
    rule: str, path: Path, message: str, hint: str = "", *, line: int = 0, column: int = 0
) -> NoReturn:
    raise FileRefused(rule, message, hint=hint, place=Place(str(path), line, column)) from None


def _is_control(char: str) -> bool:
    return (char < " " and char not in "\r\n") or "\x7f" <= char <= "\x9f"


def _line(mark: Any) -> int:
    return 0 if mark is None else int(mark.line) + 1


def _column(mark: Any) -> int:
    return 0 if mark is None else int(mark.column) + 1
