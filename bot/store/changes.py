"""A statement and the values it is executed with: what the projection of an event is made of.

What every turn of a call changes is one statement for each dialect, made once, whose values come beside it:
to make it anew, and to find what SQL it is, takes SQLAlchemy several times longer than to execute it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, bindparam
from sqlalchemy.sql.dml import UpdateBase

Insert = Callable[[Any], Any]
"""The dialect's INSERT."""


class Change(NamedTuple):
    """`execute(*change)`. A statement that was made for this one event holds its values itself."""

    statement: UpdateBase
    values: dict[str, Any] | None = None


Changes = tuple[Change, ...]


def given(name: str, like: Any = None) -> BindParameter[Any]:
    """The value `name` of a statement that is made once; in `Change.values` it stands as `named` has it.
    `like` is a column of its type, where it is not compared with one or written to one."""
    return bindparam(f"given_{name}", type_=None if like is None else like.type)


def named(**values: Any) -> dict[str, Any]:
    """Apart from the names of columns, which SQLAlchemy would take for columns to set."""
    return {f"given_{name}": value for name, value in values.items()}


def made(*statements: UpdateBase) -> Changes:
    """Statements that hold their values."""
    return tuple(map(Change, statements))
