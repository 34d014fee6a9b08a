"""A backup brought back into an empty place: an empty database and empty folders, or nothing is done.

The tables are made as they were when the backup was made, filled, and brought to this program's version, all
in one transaction. Files come before it is committed: who is interrupted has no half of a database.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path, PurePosixPath
from typing import IO, Any

from sqlalchemy import Connection, Date, DateTime, MetaData, Table, inspect, text
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.errors import BadInput
from bot.core.files import fresh_file
from bot.privacy.archive import FORMAT, TABLES, Manifest, members, verified
from bot.privacy.backup import ROWS, Places, Progress
from bot.store.database import Database
from bot.store.migrations import known, migrate, migrate_to
from bot.words import words

KEPT_FOLDERS = frozenset({"survey_defs"})
"""What may be there already: a new installation brings surveys of its own. None is overwritten."""


async def restore(
    db: Database, places: Places, file: Path, progress: Progress
) -> tuple[Manifest, list[Path]]:
    """The manifest, and the files that were there already and stay as they are. Raises BadInput: a backup
    that is damaged or of a newer version, or a place that is not empty; then nothing was changed."""
    manifest = check(file, progress)
    _require_places(manifest, places)
    _require_empty(places)
    kept: list[Path] = []
    db.make_folder()
    with _undone_on_failure() as written:
        async with db.write() as session:
            connection = await session.connection()
            await connection.run_sync(_require_no_tables)
            await connection.run_sync(migrate_to, manifest.schema_)
            tables = await connection.run_sync(_tables)
            for name, content, mtime in members(file):
                if name.parts[0] == TABLES:
                    await _fill(session, tables[name.stem], content, progress)
                    continue
                target = _target(places, name)
                if target.exists():
                    kept.append(target)
                    continue
                _write(target, content, mtime, written)
                progress(name.parts[0], len(written))
            await connection.run_sync(_go_on_counting, tables)
            await connection.run_sync(migrate, where=file.name)
    return manifest, kept


def check(file: Path, progress: Progress) -> Manifest:
    """Whole, and of a version that this program knows. Raises BadInput."""
    manifest = verified(file, lambda count: progress(words("проверка", "verifying"), count))
    if manifest.format > FORMAT or manifest.schema_ not in known():
        raise BadInput(
            words(
                f"{file}: копию сделал более новый Отклик {manifest.otklik} (таблицы {manifest.schema_})",
                f"{file} was made by a newer Otklik {manifest.otklik} (its tables are {manifest.schema_})",
            ),
            hint=words(
                "установите такую же версию или новее; ничего не изменено",
                "install that version or a newer one; nothing was changed",
            ),
        )
    return manifest


def _require_places(manifest: Manifest, places: Places) -> None:
    """The keys of recordings lie where a setting says, and nowhere without it."""
    names = {PurePosixPath(name).name for name in manifest.files if name.startswith("files/")}
    if homeless := names - set(places.files):
        raise BadInput(
            words(
                f"в копии есть {', '.join(homeless)}, а куда это положить, не задано",
                f"the backup has {', '.join(homeless)}, and no setting says where that belongs",
            ),
            hint=words("задайте privacy.recording_keys", "set privacy.recording_keys"),
        )


def _require_empty(places: Places) -> None:
    for name, folder in places.folders.items():
        if name not in KEPT_FOLDERS and folder.exists() and any(folder.iterdir()):
            raise _not_empty(str(folder))


def _require_no_tables(connection: Connection) -> None:
    if inspect(connection).get_table_names():
        raise _not_empty(words("база", "the database"))


def _not_empty(what: str) -> BadInput:
    return BadInput(
        words(f"{what}: здесь уже что-то есть", f"{what} is not empty"),
        hint=words(
            "восстанавливают в пустую базу и пустые папки: задайте другие store.url, var и recordings",
            "restore into an empty database and empty folders: set another store.url, var and recordings",
        ),
    )


def _tables(connection: Connection) -> dict[str, Table]:
    """As they are at this revision, without what its migrations put in."""
    found = MetaData()
    found.reflect(connection, only=lambda name, _: not name.startswith(("fts_", "alembic_")))
    for table in found.tables.values():
        connection.execute(table.delete())
    return dict(found.tables)


async def _fill(session: AsyncSession, table: Table, lines: IO[bytes], progress: Progress) -> None:
    connection = await session.connection()
    naive = connection.dialect.name == "sqlite"
    piece: list[dict[str, Any]] = []
    count = 0
    for line in lines:
        piece.append({name: _value(table, name, value, naive) for name, value in json.loads(line).items()})
        count += 1
        if len(piece) == ROWS:
            await connection.execute(table.insert(), piece)
            progress(table.name, count)
            piece = []
    if piece:
        await connection.execute(table.insert(), piece)
    progress(table.name, count)


def _value(table: Table, name: str, value: Any, naive: bool) -> Any:
    kind = table.c[name].type
    if value is None or not isinstance(kind, Date | DateTime):
        return value
    if isinstance(kind, Date):
        return date.fromisoformat(value)
    moment = datetime.fromisoformat(value).astimezone(UTC)
    return moment.replace(tzinfo=None) if naive else moment


def _go_on_counting(connection: Connection, tables: dict[str, Table]) -> None:
    """PostgreSQL counts on beside the rows: behind the greatest that there is."""
    if connection.dialect.name != "postgresql":
        return
    for table in tables.values():
        for column in table.columns:
            if column.primary_key and "nextval" in str(getattr(column.server_default, "arg", "")):
                connection.execute(
                    text(
                        f"SELECT setval(pg_get_serial_sequence('{table.name}', '{column.name}'),"  # noqa: S608
                        f" (SELECT coalesce(max({column.name}), 0) + 1 FROM {table.name}), false)"
                    )
                )


def _target(places: Places, name: PurePosixPath) -> Path:
    kind, rest = name.parts[0], Path(*name.parts[1:])
    return places.files[rest.name] if kind == "files" else places.folders[kind] / rest


@contextmanager
def _undone_on_failure() -> Iterator[list[Path]]:
    """What was written goes again where the whole does not succeed."""
    written: list[Path] = []
    try:
        yield written
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        raise


def _write(target: Path, content: IO[bytes], mtime: float, written: list[Path]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with fresh_file(target, durable=False) as fresh, fresh.open("wb") as copy:
        shutil.copyfileobj(content, copy)
    written.append(target)
    os.utime(target, (mtime, mtime))
