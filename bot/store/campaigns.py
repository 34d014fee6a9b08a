"""Campaigns and whom they ring: made, steered, counted."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, func, literal, or_, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.endings import Disposition
from bot.core.errors import BadInput
from bot.store.account_tables import AuditRow
from bot.store.database import Database
from bot.store.projection import insert_into
from bot.store.tables import Attempt, AttemptStatus, Contact, UtcDateTime
from bot.store.tables_campaigns import CampaignRow, MemberRow, NodeRow

ALIVE = (AttemptStatus.DIALLING, AttemptStatus.LIVE)


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which contacts: all conditions that are given hold at once; none at all is everybody."""

    contact_ids: tuple[str, ...] | None = None
    phones: tuple[str, ...] | None = None
    manager_id: str = ""
    import_id: str = ""
    department: str = ""

    def conditions(self) -> list[Any]:
        found: list[Any] = []
        if self.contact_ids is not None:
            found.append(col(Contact.id).in_(self.contact_ids))
        if self.phones is not None:
            found.append(col(Contact.phone).in_(self.phones))
        if self.manager_id:
            found.append(col(Contact.manager_id) == self.manager_id)
        if self.import_id:
            found.append(col(Contact.import_id).startswith(self.import_id, autoescape=True))
        if self.department:
            found.append(col(Contact.department) == self.department)
        return found


async def create(db: Database, row: CampaignRow, chosen: Chosen | None, now: datetime) -> int:
    """With whoever is chosen; how many they are. Raises BadInput where one of that name is there, or nobody
    is chosen: nothing is stored then."""
    values = insert_into(db.dialect)(CampaignRow).values(row.model_dump())
    async with db.write() as session:
        made = await session.exec(values.on_conflict_do_nothing())
        if not made.rowcount:
            raise BadInput(
                f"кампания «{row.id}» уже есть", hint=f"дайте другой id, или otklik campaign show {row.id}"
            )
        if chosen is None:
            return 0
        members = await _add(session, db.dialect, row.id, chosen, now)
        if not members:
            raise BadInput("таких контактов нет: звонить некому", hint="сначала otklik contact import")
        return members


async def campaign(db: Database, campaign_id: str) -> CampaignRow:
    """Raises BadInput where there is none."""
    async with db.read() as session:
        return known(await session.get(CampaignRow, campaign_id), campaign_id)


def known(row: CampaignRow | None, campaign_id: str) -> CampaignRow:
    if row is None:
        raise BadInput(f"кампании «{campaign_id}» нет", hint="какие есть, покажет otklik campaign list")
    return row


async def campaigns(db: Database, states: Collection[str] | None = None) -> Sequence[CampaignRow]:
    """The oldest first."""
    statement = select(CampaignRow).order_by(col(CampaignRow.created_at), col(CampaignRow.id))
    if states is not None:
        statement = statement.where(col(CampaignRow.state).in_(states))
    async with db.read() as session:
        return (await session.exec(statement)).all()


async def change_state(
    db: Database, campaign_id: str, *, to: str, among: Collection[str], now: datetime, reason: str = ""
) -> bool:
    """From one of these states into another; False where it is in none of them (any more)."""
    row = update(CampaignRow).where(col(CampaignRow.id) == campaign_id, col(CampaignRow.state).in_(among))
    async with db.write() as session:
        values: dict[str, Any] = {"state": to, "reason": reason, "changed_at": now}
        if to == "running":
            values["started_at"] = func.coalesce(col(CampaignRow.started_at), literal(now, UtcDateTime()))
        return bool((await session.exec(row.values(values))).rowcount)


async def redefine(
    db: Database,
    campaign_id: str,
    *,
    was: str,
    definition: str,
    among: Collection[str],
    now: datetime,
    again: Collection[str] | None,
    audit: AuditRow,
) -> bool:
    """Another definition in the place of `was`, with its row of the audit log; False where it is another one
    by now, or the campaign in none of these states. With `again` whoever waits because he was refused is
    looked at at once, and also who was done with for one of these reasons. The breaker counts on:
    `changed_at` stays."""
    row = update(CampaignRow).where(
        col(CampaignRow.id) == campaign_id,
        col(CampaignRow.definition) == was,
        col(CampaignRow.state).in_(among),
    )
    retry = col(MemberRow.not_before)
    waiting = update(MemberRow).where(
        col(MemberRow.campaign_id) == campaign_id,
        col(MemberRow.attempt_id).is_(None),
        or_(
            (col(MemberRow.done) == "") & (col(MemberRow.refused) != ""),
            col(MemberRow.done).in_(again or ()),
        ),
    )
    moment = literal(now, UtcDateTime())
    async with db.write() as session:
        if not (await session.exec(row.values(definition=definition))).rowcount:
            return False
        if again is not None:
            next_at = case((retry > moment, retry), else_=moment)
            await session.exec(waiting.values(done="", next_at=next_at))
        session.add(audit)
        return True


async def take_back(db: Database, campaign_id: str, now: datetime) -> int:
    """Whoever was decided on and is not rung yet goes back to those who wait; how many."""
    async with db.write() as session:
        done = await session.exec(
            update(Attempt)
            .where(col(Attempt.campaign_id) == campaign_id, col(Attempt.status) == AttemptStatus.QUEUED)
            .values(status=AttemptStatus.FINAL, disposition=Disposition.CANCELLED, ended_at=now)
        )
        return int(done.rowcount)


async def _add(session: AsyncSession, dialect: str, campaign_id: str, chosen: Chosen, now: datetime) -> int:
    moment = literal(now, UtcDateTime())
    columns: dict[str, Any] = {
        "campaign_id": literal(campaign_id),
        "contact_id": col(Contact.id),
        "next_at": moment,
        "cause": literal(""),
        "last_disposition": literal(""),
        "done": literal(""),
        "refused": literal(""),
        "agent_id": literal(""),
        "department": literal(""),
        "conversation_id": literal(""),
        "request_id": literal(""),
        "added_at": moment,
    }
    found = select(*columns.values()).where(literal(True), *chosen.conditions())
    added = await session.exec(
        insert_into(dialect)(MemberRow).from_select(list(columns), found).on_conflict_do_nothing()
    )
    return int(added.rowcount)


# What is going on ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tally:
    """A campaign in numbers. `attempts` is counted by itself; it is the sum of `dispositions` and `open`.

    `members` by how it stands with them: `waiting`, `in_hand`, or as what they are done. `refused` counts
    who waits because policy refused him last, by its reasons.
    """

    attempts: int
    open: dict[str, int]
    dispositions: dict[str, int]
    members: dict[str, int]
    refused: dict[str, int]
    next_at: datetime | None

    @property
    def sums_up(self) -> bool:
        return self.attempts == sum(self.open.values()) + sum(self.dispositions.values())


async def tally(db: Database, campaign_id: str) -> Tally:
    of_campaign = col(Attempt.campaign_id) == campaign_id
    outcomes = (
        select(col(Attempt.status), col(Attempt.disposition), func.count())
        .where(of_campaign)
        .group_by(col(Attempt.status), col(Attempt.disposition))
    )
    mine = col(MemberRow.campaign_id) == campaign_id
    in_hand = col(MemberRow.attempt_id).is_not(None)
    stands = (
        select(in_hand, col(MemberRow.done), func.count()).where(mine).group_by(in_hand, col(MemberRow.done))
    )
    refusals = (
        select(col(MemberRow.refused), func.count())
        .where(mine, col(MemberRow.refused) != "", ~in_hand)
        .group_by(col(MemberRow.refused))
    )
    open_: dict[str, int] = {}
    dispositions: dict[str, int] = {}
    members: dict[str, int] = {}
    refused: dict[str, int] = {}
    async with db.read() as session:
        attempts = (await session.exec(select(func.count()).select_from(Attempt).where(of_campaign))).one()
        for status, disposition, number in (await session.exec(outcomes)).all():
            (open_ if disposition is None else dispositions)[str(disposition or status)] = number
        for held, done, number in (await session.exec(stands)).all():
            name = "in_hand" if held else done or "waiting"
            members[name] = members.get(name, 0) + number
        for reasons, number in (await session.exec(refusals)).all():
            for reason in reasons.split(","):
                refused[reason] = refused.get(reason, 0) + number
        soonest = select(func.min(col(MemberRow.next_at), type_=UtcDateTime())).where(
            mine, ~in_hand, col(MemberRow.done) == ""
        )
        next_at = (await session.exec(soonest)).one()
    return Tally(attempts, open_, dispositions, members, refused, next_at)


async def chosen_count(db: Database, chosen: Chosen) -> int:
    """How many contacts a campaign of these would have."""
    async with db.read() as session:
        statement = select(func.count()).select_from(Contact).where(literal(True), *chosen.conditions())
        return (await session.exec(statement)).one()


async def live_attempts(
    db: Database, campaign_id: str | None = None
) -> Sequence[tuple[Attempt, Contact | None]]:
    """Those that ring or talk now, on whatever node, the longest first; with whom, where he is known."""
    statement = (
        select(Attempt, Contact)
        .join(Contact, col(Contact.id) == col(Attempt.contact_id), isouter=True)
        .where(col(Attempt.status).in_(ALIVE))
        .order_by(col(Attempt.dialled_at), col(Attempt.id))
    )
    if campaign_id is not None:
        statement = statement.where(col(Attempt.campaign_id) == campaign_id)
    async with db.read() as session:
        return (await session.exec(statement)).all()


async def ringing_and_talking(db: Database) -> dict[str, tuple[int, int]]:
    """How many calls of each campaign ring now, and how many talk; those without any are not there."""
    counted = (
        select(col(Attempt.campaign_id), col(Attempt.status), func.count())
        .where(col(Attempt.campaign_id).is_not(None), col(Attempt.status).in_(ALIVE))
        .group_by(col(Attempt.campaign_id), col(Attempt.status))
    )
    found: dict[str, tuple[int, int]] = {}
    async with db.read() as session:
        for campaign_id, status, count in (await session.exec(counted)).all():
            assert campaign_id is not None
            ringing, talking = found.get(campaign_id, (0, 0))
            rings = status == AttemptStatus.DIALLING
            found[campaign_id] = (ringing + count, talking) if rings else (ringing, talking + count)
    return found


# Nodes -----------------------------------------------------------------------------------------


async def node_says(db: Database, row: NodeRow) -> str:
    """A node tells how it is. Which `boot` of that name spoke last; "" for none."""
    values = row.model_dump()
    async with db.write() as session:
        last = (await session.exec(select(NodeRow.boot).where(col(NodeRow.name) == row.name))).first()
        statement = insert_into(db.dialect)(NodeRow).values(values)
        await session.exec(statement.on_conflict_do_update(index_elements=["name"], set_=values))
    return last or ""


async def nodes(db: Database, since: datetime) -> Sequence[NodeRow]:
    """Those that were heard of since then."""
    statement = select(NodeRow).where(col(NodeRow.seen_at) >= since).order_by(col(NodeRow.name))
    async with db.read() as session:
        return (await session.exec(statement)).all()


async def locked(session: AsyncSession, campaign_id: str) -> CampaignRow | None:
    """A campaign while this transaction decides whom it rings: nobody else changes or counts it meanwhile."""
    statement = select(CampaignRow).where(col(CampaignRow.id) == campaign_id).with_for_update()
    return (await session.exec(statement)).one_or_none()


NODE_GONE = timedelta(seconds=20)
"""A node that has said nothing for so long has no free lines."""
