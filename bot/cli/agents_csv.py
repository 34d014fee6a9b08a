"""Agents from a CSV file: every row checked before any is saved."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bot.core.errors import BadInput, Place
from bot.triage.records import AgentRecord, DaysOffRecord

COLUMNS = tuple(AgentRecord.model_fields)
_RUSSIAN = {
    "номер": "id", "имя": "name", "отдел": "department", "темы": "skills", "телефон": "sip",
    "вход": "login", "языки": "languages", "пояс": "tz", "смена": "shift", "переводов": "max_live",
    "активен": "active", "автоответчик": "voicemail", "куда": "rings", "запасной": "fallback",
    "отпуск": "days_off",
}  # fmt: skip
_YES, _NO = {"1", "да", "yes", "true", "+"}, {"0", "нет", "no", "false", "-"}
_DAYS = re.compile(r"(\d{4}-\d\d-\d\d)(?:\s*\.\.\s*(\d{4}-\d\d-\d\d))?")
_DAYS_HINT = "2026-07-01..2026-07-14; 2026-09-01"


@dataclass(frozen=True, slots=True)
class BadRow:
    line: int
    why: str


def read_agents(file: Path, departments: frozenset[str] | None = None) -> tuple[AgentRecord, ...]:
    """All of the file's agents. Raises BadInput, which names every row that cannot be, its line and the
    reason. `departments`: those that exist; None where any will do."""
    rows = _rows(file)
    good: list[AgentRecord] = []
    bad: list[BadRow] = []
    for line, cells in rows:
        try:
            good.append(_record(cells))
        except BadInput as error:
            bad.append(BadRow(line, error.message))
        except ValidationError as error:
            bad += [BadRow(line, _told(problem)) for problem in error.errors()]
        else:
            bad += [BadRow(line, why) for why in _conflicts(good, departments)]
    if bad:
        lines = "\n".join(f"  {Place(str(file), row.line)}: {row.why}" for row in bad)
        raise BadInput(
            f"{file}: строк с ошибками {len({row.line for row in bad})}, ничего не сохранено:\n{lines}",
            hint="исправьте эти строки и повторите",
        )
    if not good:
        raise BadInput(f"{file}: сотрудников нет", hint=f"столбцы: {', '.join(COLUMNS)}; обязателен id")
    return tuple(good)


def _rows(file: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row with the line on which it begins, by our names of the columns. Raises BadInput."""
    text = _text(file)
    head = text.partition("\n")[0]
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=";" if head.count(";") > head.count(",") else ","
    )
    columns: list[str] = []
    line = 1
    try:
        for cells in reader:
            if not columns:
                columns = _columns(cells, file)
            elif any(cell.strip() for cell in cells):
                if len(cells) > len(columns):
                    raise BadInput(
                        f"в строке {len(cells)} ячеек, а столбцов {len(columns)}",
                        hint="значение с запятой берите в кавычки",
                        place=Place(str(file), line),
                    )
                yield line, {name: cell.strip() for name, cell in zip(columns, cells, strict=False)}
            line = reader.line_num + 1
    except csv.Error as error:
        raise BadInput(f"это не CSV: {error}", place=Place(str(file), line)) from error


def _text(file: Path) -> str:
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise BadInput(f"{file} не читается: {error.strerror}") from error
    for encoding in ("utf-8-sig", "cp1251"):  # spreadsheets on Windows save the latter
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise BadInput(f"{file}: непонятная кодировка", hint="сохраните файл в UTF-8")


def _columns(head: list[str], file: Path) -> list[str]:
    names = [_RUSSIAN.get(name.strip().lower(), name.strip().lower()) for name in head]
    unknown = [name for name in names if name not in COLUMNS]
    twice = {name for name in names if names.count(name) > 1}
    if unknown or twice or "id" not in names:
        told = f"столбец «{unknown[0]}» неизвестен" if unknown else "нет столбца id"
        raise BadInput(
            f"столбец «{min(twice)}» назван дважды" if twice else told,
            hint=f"столбцы: {', '.join(COLUMNS)}",
            place=Place(str(file), 1),
        )
    return names


def _record(cells: dict[str, str]) -> AgentRecord:
    values: dict[str, Any] = {name: cell for name, cell in cells.items() if cell}
    for name in ("active", "voicemail"):
        if name in values:
            values[name] = _flag(name, values[name])
    if "days_off" in values:
        values["days_off"] = tuple(days_off(values["days_off"]))
    return AgentRecord.model_validate(values)


def _flag(name: str, word: str) -> bool:
    if word.lower() not in _YES | _NO:
        raise BadInput(f"{name}: «{word}» не да и не нет")
    return word.lower() in _YES


def days_off(text: str) -> Iterator[DaysOffRecord]:
    """`2026-07-01..2026-07-14; 2026-09-01`. Raises BadInput."""
    for piece in filter(None, (part.strip() for part in text.split(";"))):
        found = _DAYS.fullmatch(piece)
        if found is None:
            raise BadInput(f"days_off: «{piece}» не дни", hint=_DAYS_HINT)
        try:
            first, last = date.fromisoformat(found[1]), date.fromisoformat(found[2] or found[1])
        except ValueError as error:
            raise BadInput(f"days_off: «{piece}»: такого дня нет", hint=_DAYS_HINT) from error
        if last < first:
            raise BadInput(f"days_off: «{piece}»: конец раньше начала", hint=_DAYS_HINT)
        yield DaysOffRecord(first=first, last=last)


def _conflicts(good: list[AgentRecord], departments: frozenset[str] | None) -> Iterator[str]:
    """What the newest row has that an earlier one, or the company, does not allow."""
    *earlier, newest = good
    if any(each.id == newest.id for each in earlier):
        yield f"id: «{newest.id}» уже был выше"
    if newest.login and any(each.login == newest.login for each in earlier):
        yield f"login: «{newest.login}» уже был выше"
    if departments is not None and newest.department and newest.department not in departments:
        yield f"department: отдела «{newest.department}» нет"


def _told(problem: Any) -> str:
    where = str(problem["loc"][0]) if problem["loc"] else ""
    return f"{where}: {problem.get('ctx', {}).get('error', problem['msg'])}"
