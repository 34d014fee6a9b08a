"""Standing campaigns: each survey has one, for customers who come one by one, right after a talk.

Whoever asks for a call (`POST /api/v1/calls`) makes a member of it, and never an attempt: policy, pacing and
retries are those of every campaign. One customer has one call in hand, about the latest
talk that was asked for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.campaigns.facts import CampaignState
from bot.campaigns.reading import definition_of
from bot.campaigns.schema import Campaign, Pacing
from bot.core.errors import BadInput, RequestsStopped, ZoneUnknown
from bot.store.attempts import NewCall, contact_of, require_callable
from bot.store.campaigns import locked
from bot.store.database import Database
from bot.store.phones import phone_key
from bot.store.projection import insert_into
from bot.store.tables import Attempt, AttemptStatus
from bot.store.tables_campaigns import CampaignRow, MemberRow
from bot.store.tables_delivery import CallRequestRow
from bot.words import words

PREFIX = "request_"
LONGEST = 40

_TAKING = (CampaignState.RUNNING, CampaignState.PAUSED, CampaignState.DRAFT)


def standing_id(survey_id: str) -> str:
    """The standing campaign that a survey has where nobody made one for it."""
    name = f"{PREFIX}{survey_id}"
    return name if len(name) <= LONGEST else name[:31] + "_" + hashlib.sha256(name.encode()).hexdigest()[:8]


async def ask_for(db: Database, request_id: str, call: NewCall, now: datetime) -> str | None:
    """This customer is to be rung about the talk of this request, which is kept, as soon as policy allows: by
    which campaign. None while he is on the line about another talk: ask again later. Idempotent.

    While he waits, the later talk takes the earlier one's place, and what was tried counts on; once the
    campaign was done with him, he begins anew. The request is taken up in the same transaction. Raises
    NumberBlocked, ZoneUnknown, RequestsStopped: nothing is stored then; StoreUnavailable, DiskFull.
    """
    phone = phone_key(call.to_uri)
    async with db.write() as session:
        request = await session.get(CallRequestRow, request_id, with_for_update=True)
        assert request is not None, "it is kept before it is seen to"
        if request.taken_up_at is not None:
            return request.campaign_id
        await require_callable(session, call, phone)
        contact = await contact_of(session, db.dialect, call, phone, now)
        if not contact.tz:
            raise ZoneUnknown(
                f"the time zone of {call.to_uri} is not known", hint="tell it: timezone, such as Asia/Omsk"
            )
        await session.flush()
        campaign_id = await _standing(session, db.dialect, call.survey_id, contact.id, now)
        row = await locked(session, campaign_id)
        assert row is not None, "campaigns are never deleted"
        member = await session.get(MemberRow, (campaign_id, contact.id), with_for_update=True)
        if member is None:
            member = MemberRow(campaign_id=campaign_id, contact_id=contact.id, added_at=now)
        queued = await _queued(session, member)
        if member.attempt_id is not None and queued is None:
            return None
        await _give_way(session, member, request)
        if not request.superseded_by:
            _turn_to(member, now)
            member.ask_until = now + definition_of(row.definition).ask_within
            for told in (member, queued) if queued is not None else (member,):
                told.request_id, told.conversation_id = request.id, call.conversation_id
                told.agent_id, told.department = call.agent_id, call.department
                session.add(told)
            if queued is not None:
                queued.resumes, queued.to_uri, queued.phone = "", call.to_uri, phone
        request.campaign_id, request.contact_id, request.taken_up_at = campaign_id, contact.id, now
        session.add(request)
    return campaign_id


async def _queued(session: AsyncSession, member: MemberRow) -> Attempt | None:
    """His attempt that waits for a line. None also for one that rings or talks, or is yet to be settled."""
    if member.attempt_id is None:
        return None
    attempt = await session.get(Attempt, member.attempt_id, with_for_update=True)
    return attempt if attempt is not None and attempt.status == AttemptStatus.QUEUED else None


async def _give_way(session: AsyncSession, member: MemberRow, request: CallRequestRow) -> None:
    """What he waits for, or had, makes room for this talk; or this one, the earlier, for it."""
    other = await session.get(CallRequestRow, member.request_id) if member.request_id else None
    if other is None:
        return
    if member.done:
        if not await _rung(session, other.id):
            other.refused = member.done
    elif other.created_at > request.created_at:  # this one was put off until after it
        request.superseded_by = other.id
    else:
        other.superseded_by = request.id
    session.add(other)


async def _rung(session: AsyncSession, request_id: str) -> bool:
    rung = select(Attempt.id).where(
        col(Attempt.request_id) == request_id, col(Attempt.dialled_at).is_not(None)
    )
    return (await session.exec(rung.limit(1))).first() is not None


def _turn_to(member: MemberRow, now: datetime) -> None:
    """His next call is about another talk: answers about the last one are not gone on with."""
    if member.done:
        member.added_at = now
        member.not_before = member.promised_at = None
        member.cause = member.done = ""
    member.next_at, member.refused, member.refused_at = now, "", None
    member.resume_until = None


async def _standing(
    session: AsyncSession, dialect: str, survey_id: str, contact_id: str, now: datetime
) -> str:
    """The campaign that takes requests for this survey: the one in which this customer waits already, one
    that was started before a draft, one that somebody made before ours, the youngest of them. It is made
    where there never was one. Raises RequestsStopped where all are over: somebody wanted that."""
    own_name = standing_id(survey_id)
    statement = select(CampaignRow).where(
        col(CampaignRow.survey_id) == survey_id, col(CampaignRow.standing).is_(True)
    )
    found = (await session.exec(statement)).all()
    taking = [row for row in found if row.state in _TAKING]
    if taking:
        waits = await _waits_in(session, contact_id, [row.id for row in taking])

        def rank(row: CampaignRow) -> tuple[bool, bool, bool, datetime]:
            return row.id in waits, row.state != CampaignState.DRAFT, row.id != own_name, row.created_at

        return max(taking, key=rank).id
    if found:
        raise RequestsStopped(
            words(
                f"все постоянные кампании опроса «{survey_id}» остановлены",
                f"all standing campaigns of the survey {survey_id} were stopped",
            ),
            hint=words(
                "новая: otklik campaign create ФАЙЛ --standing",
                "a new one: otklik campaign create FILE --standing",
            ),
        )
    await _make(session, dialect, own_name, survey_id, now)
    return own_name


async def _waits_in(session: AsyncSession, contact_id: str, campaigns: Sequence[str]) -> set[str]:
    waiting = select(MemberRow.campaign_id).where(
        col(MemberRow.contact_id) == contact_id,
        col(MemberRow.campaign_id).in_(campaigns),
        col(MemberRow.done) == "",
    )
    return set((await session.exec(waiting)).all())


async def _make(session: AsyncSession, dialect: str, campaign_id: str, survey_id: str, now: datetime) -> None:
    """It runs at once. Free agents are not waited for: where none is there, the customer is promised a call,
    and a company without any would have its requests wait for ever."""
    definition = Campaign(
        id=campaign_id,
        title=f"{survey_id}: после разговора",
        survey=survey_id,
        purpose="service",
        pacing=Pacing(agents=False),
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
    made = await session.get(CampaignRow, campaign_id)
    if made is None or not made.standing or made.survey_id != survey_id:
        raise BadInput(
            words(f"имя «{campaign_id}» занято другой кампанией", f"another campaign is named {campaign_id}"),
            hint=words(
                "создайте свою: otklik campaign create ФАЙЛ --standing",
                "make your own: otklik campaign create FILE --standing",
            ),
        )
