"""Spans of time as a person writes them: 30s, 15m, 2h, 1d; one unit each, so that none can be misread."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from bot.surveys.problems import fault
from bot.words import words

PATTERN = r"^[1-9]\d{0,4}[smhd]$"
_RUSSIAN = str.maketrans("смчд", "smhd")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_UNITS = {"s": ("с", "s"), "m": ("мин", "min"), "h": ("ч", "h"), "d": ("д", "d")}


def parse_duration(value: Any) -> timedelta:
    """Raises a fault with an example. A span that is one already is taken as it is."""
    if isinstance(value, timedelta):
        return value
    written = value.strip().lower().translate(_RUSSIAN) if isinstance(value, str) else ""
    if not re.match(PATTERN, written):
        raise fault(
            "bad-value",
            f"«{value}» не промежуток времени",
            hint="число и буква: 30s, 15m, 2h, 1d (секунды, минуты, часы, дни)",
            near=str(value),
        )
    return timedelta(seconds=int(written[:-1]) * _SECONDS[written[-1]])


def written(span: timedelta) -> str:
    """As `parse_duration` reads it, in the largest unit that is exact."""
    count, unit = _in_units(span)
    return f"{count}{unit}"


def told(span: timedelta) -> str:
    """For people: «15 мин»."""
    count, unit = _in_units(span)
    return f"{count} {words(*_UNITS[unit])}"


def _in_units(span: timedelta) -> tuple[int, str]:
    seconds = int(span.total_seconds())
    unit = next(unit for unit in "dhms" if seconds % _SECONDS[unit] == 0)
    return seconds // _SECONDS[unit], unit


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(written, return_type=str),
    WithJsonSchema({"type": "string", "pattern": PATTERN, "examples": ["30s", "15m", "2h", "1d"]}),
]
