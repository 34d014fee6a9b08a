"""Whom a campaign rings next: the due members, as far as policy allows; each gets an attempt in the queue.

Whoever is refused is looked at again when his reason of time has passed; a reason that somebody has to
change is looked at again after a while, and a final one ends his membership.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.campaigns.facts import CampaignState
from bot.campaigns.policy import Allowed, Refused, may_dial
from bot.campaigns.reading import Member, Surveys, campaign_facts, contact_facts, definition_of
from bot.campaigns.reasons import ReasonCode, ReasonKind
from bot.core.endings import RetryCause
from bot.core.ids import new_id
from bot.store.campaigns import locked
from bot.store.database import Database
from bot.store.tables import AnswerRow, Attempt, Contact
from bot.store.tables_campaigns import CampaignRow, MemberRow

LOOK_AGAIN = timedelta(minutes=10)
"""How long a member is left alone whom policy refuses until somebody changes the facts."""
SOON = timedelta(seconds=20)
"""The same where the facts change by themselves: he talks, or others may yet fill the quota."""
BATCH = 200
"""How many members are looked at in one transaction."""

_PASSING = frozenset({ReasonCode.ON_THE_LINE, ReasonCode.TARGET_UNDER_WAY, ReasonCode.QUOTA_UNDER_WAY})

_OF_CAMPAIGN = frozenset({ReasonCode.DRAFT, ReasonCode.PAUSED, ReasonCode.DRAINING})

Address = Callable[[str], str]
"""The SIP URI that a contact's address is rung by. Raises BadInput."""


@dataclass(frozen=True, slots=True)
class Choice:
    """`attempts` were put in the queue; `looked_at` tells how many members were due."""

    attempts: tuple[str, ...]
    looked_at: int


async def choose(
    db: Database, campaign_id: str, *, limit: int, now: datetime, surveys: Surveys, address: Address
) -> Choice:
    """Raises SurveyInvalid, BadInput for an address that cannot be rung, StoreUnavailable."""
    async with db.write() as session:
        row = await locked(session, campaign_id)
        if row is None or row.state != CampaignState.RUNNING or limit <= 0:
            return Choice((), 0)
        digest, survey = surveys(definition_of(row.definition).survey)
        campaign = await campaign_facts(session, row, survey)
        due = await _due(session, campaign_id, now)
        facts = await contact_facts(session, campaign, due)
        chosen: list[str] = []
        for member, contact in due:
            if len(chosen) >= limit:
                break
            decision = may_dial(facts[contact.id], campaign, now)
            if isinstance(decision, Refused):
                refuse(member, decision, now)
                session.add(member)
                continue
            attempt = await _queue(session, row, (member, contact), decision, digest, survey.id, now)
            attempt.to_uri = address(contact.phone_uri)
            session.add(attempt)
            chosen.append(attempt.id)
        return Choice(tuple(chosen), len(due))


async def _due(session: AsyncSession, campaign_id: str, now: datetime) -> list[Member]:
    """Promised ones first, then whoever waits longest."""
    statement = (
        select(MemberRow, Contact)
        .join(Contact, col(Contact.id) == col(MemberRow.contact_id))
        .where(
            col(MemberRow.campaign_id) == campaign_id,
            col(MemberRow.next_at) <= now,
            col(MemberRow.attempt_id).is_(None),
            col(MemberRow.done) == "",
        )
        .order_by(col(MemberRow.promised_at).is_(None), col(MemberRow.next_at), col(MemberRow.contact_id))
        .limit(BATCH)
    )
    return [(member, contact) for member, contact in (await session.exec(statement)).all()]


def refuse(member: MemberRow, refused: Refused, now: datetime) -> None:
    """What a refusal means for what comes next. A campaign that rings nobody now says nothing of its members:
    it is their turn as soon as it goes on."""
    if any(reason.code in _OF_CAMPAIGN for reason in refused.reasons):
        return
    member.refused = ",".join(reason.code for reason in refused.reasons)
    member.refused_at = now
    final = [reason.code for reason in refused.reasons if reason.kind is ReasonKind.FINAL]
    if final:
        member.done, member.next_at = final[0], None
    elif refused.not_before is not None:
        member.next_at = refused.not_before
    else:
        passing = all(reason.code in _PASSING for reason in refused.reasons)
        member.next_at = now + (SOON if passing else LOOK_AGAIN)


async def _queue(
    session: AsyncSession,
    row: CampaignRow,
    one: Member,
    allowed: Allowed,
    digest: str,
    survey_id: str,
    now: datetime,
) -> Attempt:
    member, contact = one
    attempt = Attempt(
        id=new_id("attempt"),
        contact_id=contact.id,
        survey_id=survey_id,
        survey_hash=digest,
        direction="outbound",
        to_uri=contact.phone_uri,
        phone=contact.phone,
        agent_id=member.agent_id,
        department=member.department,
        conversation_id=member.conversation_id,
        request_id=member.request_id,
        campaign_id=row.id,
        due_at=member.next_at,
        cause=RetryCause.PROMISED if allowed.for_promise else member.cause,
        resumes=await _to_resume(session, member, digest, now),
        created_at=now,
    )
    member.attempt_id = attempt.id
    member.refused, member.refused_at = "", None
    session.add(member)
    return attempt


async def _to_resume(session: AsyncSession, member: MemberRow, digest: str, now: datetime) -> str:
    """The interrupted attempt that is gone on with: of the same version of the survey, with an answer in it,
    and not too long ago. "" for none."""
    if member.resume_until is None or member.resume_until < now or not member.last_attempt_id:
        return ""
    last = await session.get(Attempt, member.last_attempt_id)
    if last is None or last.survey_hash != digest:
        return ""
    answered = select(AnswerRow.event_id).where(col(AnswerRow.attempt_id) == last.id).limit(1)
    given = (await session.exec(answered)).first()
    return last.id if given is not None or last.resumes else ""
