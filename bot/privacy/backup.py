"""A backup of everything that a node could not make anew: tables, recordings, surveys, settings.

The tables are read in one transaction, so that they agree with one another while calls go on, and are
written as rows and not as one database's file: what was saved from SQLite can go into PostgreSQL, and
neither needs a program beside Python. The spool is copied before the tables are read: an event is in one of
them, and one that is in both counts once.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from sqlalchemy import select

from bot.core.clock import Clock
from bot.core.errors import BadInput
from bot.core.files import fresh_file
from bot.privacy.archive import TABLES, ArchiveWriter, Manifest, json_line, verified, writing
from bot.store.database import Database
from bot.store.every_table import every_table
from bot.store.migrations import head
from bot.words import words

SPOOL = "spool"
ROWS = 1000
"""Rows that are fetched at a time."""

Progress = Callable[[str, int], None]
"""What is being saved, and how many of it are done."""


@dataclass(frozen=True, slots=True)
class Places:
    """Folders and single files of a node, by their name in a backup."""

    folders: Mapping[str, Path]
    files: Mapping[str, Path]


async def back_up(db: Database, places: Places, file: Path, clock: Clock, progress: Progress) -> Manifest:
    """Into a new file, which is read again and compared before it has its name. Raises BadInput where there
    is a file already, StoreUnavailable, OSError."""
    if file.exists():  # noqa: ASYNC240
        raise BadInput(
            words(f"{file} уже есть", f"{file} is there already"),
            hint=words("назовите другой файл", "name another one"),
        )
    manifest = Manifest(otklik=version("otklik"), schema_=head(), made_at=clock.now(), database=db.dialect)
    with fresh_file(file) as fresh:
        with writing(fresh, manifest) as archive:
            _add_folder(archive, SPOOL, places, progress)
            await _add_tables(db, archive, file.parent, progress)
            for name in places.folders:
                if name != SPOOL:
                    _add_folder(archive, name, places, progress)
            for name, path in places.files.items():
                archive.add(f"files/{name}", path)
        verified(fresh, lambda members: progress(words("проверка", "verifying"), members))
    return manifest


def _add_folder(archive: ArchiveWriter, name: str, places: Places, progress: Progress) -> None:
    folder = places.folders[name]
    for count, path in enumerate(_files(folder), 1):
        archive.add(f"{name}/{path.relative_to(folder).as_posix()}", path)
        progress(name, count)


def _files(folder: Path) -> Iterator[Path]:
    """Without what is being written under a passing name."""
    return (
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink() and not path.name.startswith(".")
    )


async def _add_tables(db: Database, archive: ArchiveWriter, beside: Path, progress: Progress) -> None:
    async with db.read() as session:
        connection = await session.connection()
        for table in every_table():
            count = 0
            with tempfile.NamedTemporaryFile(prefix=".", suffix=".part", dir=beside) as lines:
                rows = await connection.stream(select(table), execution_options={"yield_per": ROWS})
                async for piece in rows.mappings().partitions(ROWS):
                    lines.writelines(json_line(dict(row)) for row in piece)
                    count += len(piece)
                    progress(table.name, count)
                lines.flush()
                archive.add(f"{TABLES}/{table.name}.jsonl", Path(lines.name))
            archive.manifest.rows[table.name] = count
