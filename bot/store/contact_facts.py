"""What forbids or allows a contact to be rung, asked within the transaction of whoever is about to ring."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import and_, func, or_
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.store.pieces import pieces
from bot.store.sealed_numbers import sealed_among
from bot.store.tables import Contact, DoNotCall
from bot.store.tables_contacts import ConsentKind, ConsentRow


@dataclass(frozen=True, slots=True)
class Standing:
    """`do_not_call` is what the lists say of his number and what he said himself under an earlier one;
    `source` where that stands: `call`, `hand`, `list:NAME`, `import:FILE`, or `contact` for the latter.
    `consent` is whether one is on record that was not withdrawn: a withdrawal takes back all that were
    given before it."""

    do_not_call: bool
    source: str
    consent: bool


async def standings(
    session: AsyncSession, contact_ids: Collection[str], kind: ConsentKind = ConsentKind.CALLS
) -> dict[str, Standing]:
    """Of those of the contacts who are there, by id."""
    found: dict[str, Standing] = {}
    for piece in pieces(sorted(contact_ids)):
        consented = await _consented(session, piece, kind)
        statement = (
            select(Contact.id, Contact.do_not_call_at, DoNotCall.source)
            .join(DoNotCall, col(DoNotCall.phone) == col(Contact.phone), isouter=True)
            .where(col(Contact.id).in_(piece))
        )
        for contact_id, wished, source in (await session.exec(statement)).all():
            listed: str | None = source
            found[contact_id] = Standing(
                do_not_call=listed is not None or wished is not None,
                source=listed if listed is not None else "contact" if wished is not None else "",
                consent=contact_id in consented,
            )
    return found


async def standing(
    session: AsyncSession, contact_id: str, kind: ConsentKind = ConsentKind.CALLS
) -> Standing | None:
    """Of one contact; None where there is no such."""
    return (await standings(session, [contact_id], kind)).get(contact_id)


async def forbidden(session: AsyncSession, phone: str, person_id: str = "") -> bool:
    """Whether this number (a `phones.phone_key`) is on a list, was erased, or whose it is asked never to be
    rung: his wish goes with him to a new number. `person_id` is our or the company's name for him, "" for
    none."""
    if await session.get(DoNotCall, phone) is not None or await sealed_among(session, [phone]):
        return True
    whose = [col(Contact.phone) == phone]
    if person_id:
        whose += [col(Contact.id) == person_id, col(Contact.external_id) == person_id]
    wished = select(Contact.id).where(or_(*whose), col(Contact.do_not_call_at).is_not(None)).limit(1)
    return (await session.exec(wished)).first() is not None


async def _consented(session: AsyncSession, piece: Collection[str], kind: ConsentKind) -> set[str]:
    withdrawn = aliased(ConsentRow)
    last_no = (
        select(func.max(withdrawn.withdrawn_at))
        .where(withdrawn.contact_id == ConsentRow.contact_id, withdrawn.kind == kind)
        .correlate(ConsentRow)
        .scalar_subquery()
    )
    stands = and_(
        col(ConsentRow.contact_id).in_(piece),
        col(ConsentRow.kind) == kind,
        col(ConsentRow.withdrawn_at).is_(None),
        (last_no.is_(None)) | (col(ConsentRow.given_at) > last_no),
    )
    return set((await session.exec(select(ConsentRow.contact_id).where(stands))).all())
