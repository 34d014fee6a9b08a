"""Imports that were made, and what people said that the columns of their files mean."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import delete, update
from sqlmodel import col, select

from bot.core.ids import new_id
from bot.store.account_tables import AuditRow
from bot.store.database import Database
from bot.store.tables_contacts import ContactImport, ImportMapping, ImportState


async def begin(db: Database, *, file: str, sha256: str, by: str, now: datetime) -> ContactImport:
    row = ContactImport(id=new_id("import"), file=file, sha256=sha256, by=by, started_at=now)
    async with db.write() as session:
        session.add(row)
    return row


async def end(db: Database, import_id: str, state: ImportState, now: datetime) -> None:
    async with db.write() as session:
        await session.exec(
            update(ContactImport).where(col(ContactImport.id) == import_id).values(state=state, ended_at=now)
        )


async def imports(db: Database, limit: int = 20) -> Sequence[ContactImport]:
    """The newest first."""
    async with db.read() as session:
        statement = select(ContactImport).order_by(col(ContactImport.started_at).desc()).limit(limit)
        return (await session.exec(statement)).all()


async def known(db: Database, import_id: str) -> ContactImport | None:
    async with db.read() as session:
        return await session.get(ContactImport, import_id)


async def mapping(db: Database, headings: str) -> dict[str, str]:
    """What was said of the files with these headings; empty where nothing was."""
    async with db.read() as session:
        row = await session.get(ImportMapping, headings)
        said: dict[str, str] = json.loads(row.columns) if row is not None else {}
        return said


async def remember(
    db: Database, headings: str, columns: Mapping[str, str], *, example: str, now: datetime
) -> None:
    row = ImportMapping(
        headings=headings,
        columns=json.dumps(columns, ensure_ascii=False),
        example=example,
        used_at=now,
    )
    async with db.write() as session:
        await session.merge(row)


async def mappings(db: Database) -> Sequence[ImportMapping]:
    """The newest first."""
    async with db.read() as session:
        statement = select(ImportMapping).order_by(col(ImportMapping.used_at).desc())
        return (await session.exec(statement)).all()


async def forget(db: Database, headings: str, *, audit: AuditRow | None = None) -> int:
    """How many mappings have a key that begins so; they are forgotten."""
    async with db.write() as session:
        done = await session.exec(
            delete(ImportMapping).where(col(ImportMapping.headings).startswith(headings, autoescape=True))
        )
        if done.rowcount and audit is not None:
            session.add(audit)
        return int(done.rowcount)
