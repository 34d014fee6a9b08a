"""A statement and the values it is executed with: what the projection of an event is made of.

What every turn of a call changes is one statement for each dialect, made once, whose values come beside it:
to make it anew, and to find what SQL it is, takes SQLAlchemy several times longer than to execute it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, bindparam
from sqlalchemy.sql.dml import UpdateBase

Insert = Callable[[Any], Any]
"""The dialect's INSERT."""


class Change(NamedTuple):
    """`execute(*change)`. A statement that was made for this one event holds its values itself; one that has
    them beside it touches nothing but what is its own call's, and reads nothing else."""

    statement: UpdateBase
    values: dict[str, Any] | None = None


Changes = tuple[Change, ...]


class Executed(NamedTuple):
    """`execute(*executed)`: one statement, for as many values as there are."""

    statement: UpdateBase
    values: list[dict[str, Any]] | None = None


@dataclass(slots=True)
class _Group:
    statement: UpdateBase
    values: list[dict[str, Any]]
    calls: set[str]


def gathered(changes: Iterable[tuple[str, Change]]) -> list[Executed]:
    """The changes of a batch, each with its call, in as few statements as come to the same: those of one call
    stay in their order, and a statement that holds its values parts all that is before it from all that is
    after it."""
    done: list[Executed] = []
    groups: list[_Group] = []

    def close() -> None:
        done.extend(Executed(group.statement, group.values) for group in groups)
        groups.clear()

    for call_id, (statement, values) in changes:
        if values is None:
            close()
            done.append(Executed(statement))
            continue
        found = None
        for group in reversed(groups):
            if group.statement is statement:
                found = group
                break
            if call_id in group.calls:
                break
        if found is None:
            groups.append(found := _Group(statement, [], set()))
        found.values.append(values)
        found.calls.add(call_id)
    close()
    return done


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
