"""What is known of a person beside his calls: himself, his consents, lists, wishes of other systems, links,
and the lines of the audit log that name him."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from sqlalchemy import String, cast, delete, or_, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.ids import new_id
from bot.privacy.person import Person, numbers_of
from bot.privacy.redaction import Counts
from bot.store.account_tables import AuditRow, SurveyLinkRow
from bot.store.sealed_numbers import seal
from bot.store.tables import CallbackRow, Contact, DoNotCall
from bot.store.tables_campaigns import MemberRow
from bot.store.tables_cases import CaseRow
from bot.store.tables_contacts import ConsentRow, DoNotCallRemoved
from bot.store.tables_delivery import CallRequestRow

OUT = "do_not_call"
"""`MemberRow.done` of who is not to be rung any more."""


async def forget_person(session: AsyncSession, person: Person, alias: str, key: bytes) -> Counts:
    """How many rows, by kind. Doing it twice is doing it once."""
    counts: Counts = Counter()
    phones, ids = person.phones, person.ids
    listed: dict[str, Any] = {"do_not_call": DoNotCall, "do_not_call_removed": DoNotCallRemoved}
    for kind, table in listed.items():
        done = await session.exec(delete(table).where(col(table.phone).in_(phones)))
        counts[kind] += done.rowcount
    counts["consents"] += await _seal_consents(session, person, alias, key)
    members = update(MemberRow).where(col(MemberRow.contact_id).in_(ids))
    over = {"next_at": None, "promised_at": None, "conversation_id": "", "request_id": ""}
    done = await session.exec(members.values(contact_id=alias, done=OUT, **over))
    counts["campaign_members"] += done.rowcount
    counts["requests"] += (await session.exec(delete(CallRequestRow).where(_asked_for(person)))).rowcount
    linked = or_(col(SurveyLinkRow.phone).in_(phones), col(SurveyLinkRow.contact_id).in_(ids))
    blank = {"phone": "", "contact_id": "", "first_name": ""}
    counts["survey_links"] += (
        await session.exec(update(SurveyLinkRow).where(linked).values(**blank))
    ).rowcount
    # Of calls that no attempt knows: their events were lost, or were never ours.
    left: dict[str, tuple[Any, dict[str, Any]]] = {
        "callbacks": (CallbackRow, {"phone": alias, "when_said": ""}),
        "cases": (CaseRow, {"phone": alias, "contact_id": alias, "words": "", "outcome": ""}),
    }
    for kind, (table, values) in left.items():
        done = await session.exec(update(table).where(col(table.phone).in_(phones)).values(**values))
        counts[kind] += done.rowcount
    counts["audit_lines"] += await _unnamed(session, person, alias)
    counts["contacts"] += (await session.exec(delete(Contact).where(col(Contact.id).in_(ids)))).rowcount
    counts["contacts_with_this_number"] += await _unlisted(session, person)
    return counts


def _asked_for(person: Person) -> Any:
    named = [col(CallRequestRow.json_).contains(phone, autoescape=True) for phone in person.phones if phone]
    return or_(col(CallRequestRow.contact_id).in_(person.ids), *named)


async def _seal_consents(session: AsyncSession, person: Person, alias: str, key: bytes) -> int:
    """That a consent was given and when it was withdrawn stays provable to whoever names the number and shows
    the text: of both the keyed hash is kept."""
    his = or_(col(ConsentRow.contact_id).in_(person.ids), col(ConsentRow.phone).in_(person.phones))
    rows = (await session.exec(select(ConsentRow).where(his))).all()
    for row in rows:
        kept = row.model_dump() | {
            "id": new_id("consent"),
            "contact_id": alias,
            "phone": f"hmac:{seal(key, row.phone)}",
            "words": f"hmac:{seal(key, row.words)}" if row.words else "",
            "recording": "",
            "withdrawn_words": "",
        }
        await session.delete(row)
        session.add(ConsentRow(**kept))
    await session.flush()
    return len(rows)


async def _unnamed(session: AsyncSession, person: Person, alias: str) -> int:
    """Who of the staff looked at him stays on record; that it was he does not."""
    numbers = [phone for phone in person.phones if phone]
    told = cast(col(AuditRow.details), String)
    mentions = [told.contains(number, autoescape=True) for number in numbers]
    mentions += [col(AuditRow.subject_id).contains(number, autoescape=True) for number in numbers]
    statement = select(AuditRow).where(or_(col(AuditRow.subject_id).in_(person.ids), *mentions))
    rows = (await session.exec(statement)).all()
    for row in rows:
        details = json.dumps(row.details, ensure_ascii=False)
        for number in numbers:
            row.subject_id = row.subject_id.replace(number, alias)
            details = details.replace(number, alias)
        row.subject_id = alias if row.subject_id in person.ids else row.subject_id
        row.details = json.loads(details)
        session.add(row)
    await session.flush()
    return len(rows)


async def _unlisted(session: AsyncSession, person: Person) -> int:
    """Other contacts who have one of his numbers beside their own."""
    found = 0
    for phone in person.phones:
        others = select(Contact).where(col(Contact.other_phones).contains(phone, autoescape=True))
        for row in (await session.exec(others)).all():
            if phone in numbers_of(row):
                kept = [each for each in row.other_phones.split(",") if each.partition(";")[0] != phone]
                row.other_phones = ",".join(kept)
                session.add(row)
                found += 1
    await session.flush()
    return found
