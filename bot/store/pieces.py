"""Long lists of values, asked for piece by piece."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")

PIECE = 500
"""So many values are asked for at once: SQLite and PostgreSQL take some 32,000 parameters."""


def pieces(values: Sequence[T], size: int = PIECE) -> Iterator[Sequence[T]]:
    return (values[start : start + size] for start in range(0, len(values), size))
