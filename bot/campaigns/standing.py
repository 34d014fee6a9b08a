"""Standing campaigns: each survey has one, for customers who come one by one, right after a talk.

Whoever asks for a call (`POST /api/v1/calls`) makes a member of it, and never an attempt: policy, pacing and
retries are those of every campaign.
"""

from __future__ import annotations

from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from bot.campaigns.facts import CampaignState
from bot.campaigns.schema import Campaign
from bot.core.errors import NumberBlocked
from bot.store.attempts import NewCall, contact_of
from bot.store.campaigns import About
from bot.store.database import Database
from bot.store.phones import phone_key
from bot.store.projection import insert_into
from bot.store.tables import DoNotCall
from bot.store.tables_campaigns import CampaignRow, MemberRow

PREFIX = "request_"


def standing_id(survey_id: str) -> str:
    """The standing campaign of a survey."""
    return f"{PREFIX}{survey_id}"[:40]


async def ask_for(db: Database, call: NewCall, about: About, now: datetime) -> tuple[str, str, bool]:
    """This customer is to be rung about this talk as soon as policy allows: the campaign, the contact, and
    whether that is new: while he waits or is in hand, another talk changes nothing.

    The campaign is made where there is none, and runs; one that somebody paused stays paused. Raises
    NumberBlocked: nothing is stored then; StoreUnavailable, DiskFull.
    """
    campaign_id = standing_id(call.survey_id)
    phone = phone_key(call.to_uri)
    async with db.write() as session:
        if await session.get(DoNotCall, phone) is not None:
            raise NumberBlocked(
                f"{call.to_uri} is on the do-not-call list",
                hint="its owner asked never to be called again; call somebody else",
            )
        await _standing(session, db.dialect, campaign_id, call.survey_id, now)
        contact = await contact_of(session, db.dialect, call, phone, now)
        await session.flush()
        member = await session.get(MemberRow, (campaign_id, contact.id), with_for_update=True)
        if member is not None and not member.done:
            return campaign_id, contact.id, False
        if member is None:
            member = MemberRow(campaign_id=campaign_id, contact_id=contact.id, added_at=now)
        member.added_at = member.next_at = now
        member.not_before = member.promised_at = member.resume_until = None
        member.cause = member.done = member.refused = ""
        member.agent_id, member.department = about.agent_id, about.department
        member.conversation_id = about.conversation_id
        session.add(member)
    return campaign_id, contact.id, True


async def _standing(
    session: AsyncSession, dialect: str, campaign_id: str, survey_id: str, now: datetime
) -> None:
    definition = Campaign(
        id=campaign_id, title=f"{survey_id}: после разговора", survey=survey_id, purpose="service"
    )
    row = CampaignRow(
        id=campaign_id,
        title=definition.title,
        survey_id=survey_id,
        definition=definition.model_dump_json(),
        state=CampaignState.RUNNING,
        standing=True,
        created_at=now,
        started_at=now,
        changed_at=now,
    )
    values = insert_into(dialect)(CampaignRow).values(row.model_dump())
    await session.exec(values.on_conflict_do_nothing())
