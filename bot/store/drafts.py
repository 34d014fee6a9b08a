"""Drafts of surveys, what was published of them, and which version was let run by whom.

A draft is saved by compare-and-set: of two who began with the same revision the second is told of the
first, and neither text is lost.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlmodel import col, delete, select, update

from bot.core.ids import new_id
from bot.store.account_tables import AuditRow
from bot.store.database import Database
from bot.store.projection import insert_into
from bot.store.tables import SurveyRow
from bot.store.tables_drafts import DraftRow, ReleaseRow, SourceRow

Kind = Literal["publish", "rollback", "file"]
"""Published in the pages, taken back to there, or published from a file: by the command or a node's start."""


@dataclass(frozen=True, slots=True)
class Saved:
    """What came of a saving: the draft as it is now. Where `done` is False it is somebody else's, or None:
    then the draft was published or thrown away meanwhile."""

    done: bool
    draft: DraftRow | None


async def all_drafts(db: Database) -> Sequence[DraftRow]:
    async with db.read() as session:
        return (await session.exec(select(DraftRow).order_by(col(DraftRow.survey_id)))).all()


async def find(db: Database, survey_id: str) -> DraftRow | None:
    async with db.read() as session:
        return await session.get(DraftRow, survey_id)


async def begin(
    db: Database,
    survey_id: str,
    text: str,
    *,
    started_from: str,
    login: str,
    now: datetime,
    audit: Sequence[AuditRow] = (),
) -> Saved:
    """A new draft; not `done` where this survey has one already."""
    row = DraftRow(
        survey_id=survey_id,
        text=text,
        started_from=started_from,
        created_at=now,
        created_by=login,
        edited_at=now,
        edited_by=login,
    )
    new = insert_into(db.dialect)(DraftRow).values(row.model_dump()).on_conflict_do_nothing()
    async with db.write() as session:
        done = (await session.exec(new)).rowcount == 1
        if done:
            session.add_all(audit)
        return Saved(done, await session.get(DraftRow, survey_id))


async def save(
    db: Database,
    survey_id: str,
    text: str,
    *,
    revision: int,
    login: str,
    now: datetime,
    audit: Sequence[AuditRow] = (),
) -> Saved:
    """The text in place of the one of `revision`. To save what is there already changes nothing."""
    async with db.write() as session:
        row = await session.get(DraftRow, survey_id)
        if row is None or (row.revision != revision and row.text != text):
            return Saved(False, row)
        if row.text != text:
            changes = {"text": text, "revision": revision + 1, "edited_at": now, "edited_by": login}
            same = (col(DraftRow.survey_id) == survey_id, col(DraftRow.revision) == revision)
            done = await session.exec(update(DraftRow).where(*same).values(**changes))
            await session.refresh(row)
            if done.rowcount == 1:
                session.add_all(audit)
            return Saved(done.rowcount == 1, row)
    return Saved(True, row)


async def throw_away(db: Database, survey_id: str, revision: int, *, audit: AuditRow | None = None) -> bool:
    """False where it was changed since `revision`, or is not there."""
    same = (col(DraftRow.survey_id) == survey_id, col(DraftRow.revision) == revision)
    async with db.write() as session:
        gone = bool((await session.exec(delete(DraftRow).where(*same))).rowcount)
        if gone and audit is not None:
            session.add(audit)
        return gone


async def keep_source(db: Database, hash_: str, text: str) -> None:
    row = {"hash": hash_, "text": text}
    async with db.write() as session:
        await session.exec(insert_into(db.dialect)(SourceRow).values(row).on_conflict_do_nothing())


async def source(db: Database, hash_: str) -> str | None:
    """The file of a version; None of one that was published before sources were kept."""
    async with db.read() as session:
        row = await session.get(SourceRow, hash_)
    return None if row is None else row.text


async def sourced(db: Database, hashes: Collection[str]) -> set[str]:
    """Those of these versions whose files were kept."""
    async with db.read() as session:
        known = await session.exec(select(SourceRow.hash).where(col(SourceRow.hash).in_(hashes)))
        return set(known.all())


async def released(
    db: Database, survey_id: str, hash_: str, *, kind: Kind, login: str, now: datetime
) -> None:
    """Note that new calls run this version from now on; the same again is no news."""
    async with db.write() as session:
        newest = select(ReleaseRow).where(col(ReleaseRow.survey_id) == survey_id)
        last = (await session.exec(newest.order_by(col(ReleaseRow.at).desc()).limit(1))).first()
        if last is None or last.hash != hash_:
            session.add(
                ReleaseRow(
                    id=new_id("release"), survey_id=survey_id, hash=hash_, at=now, login=login, kind=kind
                )
            )


async def releases(db: Database, survey_id: str = "") -> Sequence[ReleaseRow]:
    """Of one survey, or of all; the newest first."""
    statement = select(ReleaseRow).order_by(col(ReleaseRow.at).desc(), col(ReleaseRow.id))
    if survey_id:
        statement = statement.where(col(ReleaseRow.survey_id) == survey_id)
    async with db.read() as session:
        return (await session.exec(statement)).all()


async def versions(db: Database, survey_id: str = "") -> Sequence[SurveyRow]:
    """What was published of one survey, or of all; the newest first. Of another node, too."""
    statement = select(SurveyRow).order_by(col(SurveyRow.published_at).desc(), col(SurveyRow.hash))
    if survey_id:
        statement = statement.where(col(SurveyRow.id) == survey_id)
    async with db.read() as session:
        return (await session.exec(statement)).all()
