"""A year of made-up calls in a database, with a bar that shows how far it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from bot.reports import sample
from bot.store.database import Database
from bot.words import words


async def fill(db: Database, answers: int, seed: int) -> int:
    """`sample.fill` with its progress on stderr; how many calls it made."""
    with counted(words("ответов", "answers")) as bar:
        task = bar.add_task("", total=answers)
        return await sample.fill(db, answers, seed, lambda added: bar.advance(task, added))


@contextmanager
def counted(what: str) -> Iterator[Progress]:
    """A bar on stderr that is gone when it is full."""
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield bar
