"""Why somebody was or was not rung, and whether he may be now: all that policy would look at, in words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.campaigns.contacts import shown_phone
from bot.campaigns.facts import CampaignFacts
from bot.campaigns.policy import Allowed, may_dial
from bot.campaigns.reading import Surveys, campaign_facts, contact_facts, definition_of
from bot.campaigns.reason_words import CAUSES, REASONS, decision_lines
from bot.campaigns.reasons import ReasonCode
from bot.core.endings import RetryCause
from bot.core.errors import BadInput, SurveyInvalid
from bot.store.database import Database
from bot.store.tables import Attempt, Contact, DoNotCall
from bot.store.tables_campaigns import CampaignRow, MemberRow
from bot.words import words


async def explain(db: Database, key: str, surveys: Surveys, now: datetime) -> dict[str, Any]:
    """All that is known of this `phones.phone_key`. Raises BadInput where nothing is."""
    async with db.read() as session:
        contact = (await session.exec(select(Contact).where(col(Contact.phone) == key))).one_or_none()
        blocked = await session.get(DoNotCall, key)
        if contact is None and blocked is None:
            raise BadInput(
                words(f"номера {shown_phone(key)} никто не знает", f"nobody knows {shown_phone(key)}"),
                hint=words("otklik contact import добавит контакты", "otklik contact import adds contacts"),
            )
        return {
            "phone": key,
            "contact_id": contact.id if contact else None,
            "tz": contact.tz if contact else "",
            "do_not_call": _do_not_call(blocked, contact),
            "campaigns": await _campaigns(session, contact, surveys, now) if contact else [],
            "history": await _history(session, key),
        }


def _do_not_call(row: DoNotCall | None, contact: Contact | None) -> dict[str, Any] | None:
    """By a list, or by his own wish, which he may have said under another number."""
    if row is None:
        wished = contact.do_not_call_at if contact else None
        return {"at": wished.isoformat(), "call_id": None, "words": ""} if wished else None
    return {"at": row.at.isoformat(), "call_id": row.call_id or None, "words": row.words}


async def _campaigns(
    session: AsyncSession, contact: Contact, surveys: Surveys, now: datetime
) -> list[dict[str, Any]]:
    statement = (
        select(MemberRow, CampaignRow)
        .join(CampaignRow, col(CampaignRow.id) == col(MemberRow.campaign_id))
        .where(col(MemberRow.contact_id) == contact.id)
        .order_by(col(CampaignRow.created_at))
    )
    found = []
    for member, row in (await session.exec(statement)).all():
        try:
            _, survey = surveys(definition_of(row.definition).survey)
        except SurveyInvalid as error:
            found.append({"campaign": row.id, "title": row.title, "may": False, "lines": [error.message]})
            continue
        campaign = await campaign_facts(session, row, survey)
        found.append(await _campaign(session, campaign, member, contact, now))
    return found


async def _campaign(
    session: AsyncSession, campaign: CampaignFacts, member: MemberRow, contact: Contact, now: datetime
) -> dict[str, Any]:
    facts = (await contact_facts(session, campaign, [(member, contact)]))[contact.id]
    decision = may_dial(facts, campaign, now)
    lines = list(decision_lines(decision, contact.tz))
    if member.attempt_id is not None:
        lines.append(words("он сейчас в работе: ", "he is in hand now: ") + member.attempt_id)
    elif member.done:
        lines.append(words("с ним закончено: ", "done with: ") + words(*REASONS[ReasonCode(member.done)]))
    elif member.cause:
        lines.append(words("перезвонить, потому что ", "again, because ") + cause_words(member.cause))
    return {
        "campaign": campaign.definition.id,
        "title": campaign.definition.title,
        "may": isinstance(decision, Allowed),
        "not_before": None
        if isinstance(decision, Allowed) or decision.not_before is None
        else decision.not_before.isoformat(),
        "reasons": [] if isinstance(decision, Allowed) else [reason.code for reason in decision.reasons],
        "next_at": member.next_at.isoformat() if member.next_at else None,
        "lines": lines,
    }


def cause_words(cause: str) -> str:
    return words(*CAUSES[RetryCause(cause)])


async def _history(session: AsyncSession, phone: str) -> Sequence[dict[str, Any]]:
    """Every attempt, the oldest first; also those that were taken back before they rang."""
    statement = select(Attempt).where(col(Attempt.phone) == phone)
    ordered = statement.order_by(col(Attempt.created_at), col(Attempt.id))
    return [
        {
            "attempt_id": attempt.id,
            "call_id": attempt.call_id,
            "direction": attempt.direction,
            "campaign": attempt.campaign_id,
            "survey": attempt.survey_id,
            "decided_at": attempt.created_at.isoformat(),
            "dialled_at": attempt.dialled_at.isoformat() if attempt.dialled_at else None,
            "status": attempt.status,
            "disposition": attempt.disposition,
            "cause": attempt.cause,
        }
        for attempt in (await session.exec(ordered)).all()
    ]
