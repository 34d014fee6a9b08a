"""What became of a call that was asked for: from its attempts, and what policy says of its customer now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.campaigns.policy import Allowed, Decision, may_dial
from bot.campaigns.reading import Surveys, campaign_facts, contact_facts, definition_of
from bot.campaigns.reasons import ReasonCode
from bot.core.endings import Disposition
from bot.core.errors import BadInput, SurveyInvalid
from bot.core.ids import call_of
from bot.core.requests import RequestedCall, RequestState
from bot.store.database import Database
from bot.store.tables import Attempt, AttemptStatus, Contact
from bot.store.tables_campaigns import CampaignRow, MemberRow
from bot.store.tables_delivery import CallRequestRow

_ENDS = (ReasonCode.DO_NOT_CALL, ReasonCode.DRAINING)
"""Not final for a campaign, but for a request: his wish, and a campaign that was stopped."""


async def what_became(db: Database, request_id: str, surveys: Surveys, now: datetime) -> RequestedCall:
    """Of a request that was taken up. Raises BadInput for one that is not there; StoreUnavailable."""
    async with db.read() as session:
        request = await session.get(CallRequestRow, request_id)
        if request is None:
            raise BadInput(f"there is no request {request_id}")
        last = await _last(session, request_id)
        told = {} if last is None else _named(last)
        if last is not None and last.status != AttemptStatus.FINAL:
            return RequestedCall(state=RequestState(last.status), **told)
        over = RequestState.FINAL
        if request.superseded_by:
            over = RequestState.SUPERSEDED if last is None else over
            return RequestedCall(state=over, superseded_by=request.superseded_by, **told)
        member = await session.get(MemberRow, (request.campaign_id, request.contact_id))
        if member is None or member.request_id != request_id or member.done:
            if last is not None:
                return RequestedCall(state=over, **told)
            why = request.refused or (member.done if member is not None else "") or ReasonCode.WITHDRAWN
            reasons = _codes(member.refused) if member is not None and member.request_id == request_id else ()
            return RequestedCall(state=RequestState.REFUSED, refused=why, reasons=reasons)
        try:
            decision = await _decide(session, request, member, surveys, now)
        except SurveyInvalid:  # not published here: the next step of its campaign pauses it and says so
            return RequestedCall(state=RequestState.WAITING, **told)
    return _waiting(decision, told)


def _waiting(decision: Decision, told: dict[str, str]) -> RequestedCall:
    if isinstance(decision, Allowed):
        return RequestedCall(state=RequestState.WAITING, **told)
    reasons = tuple(reason.code.value for reason in decision.reasons)
    ends = [reason for reason in decision.reasons if reason.kind == "final" or reason.code in _ENDS]
    if not ends:
        return RequestedCall(
            state=RequestState.WAITING, reasons=reasons, allowed_at=decision.not_before, **told
        )
    if told:
        return RequestedCall(state=RequestState.FINAL, reasons=reasons, **told)
    return RequestedCall(state=RequestState.REFUSED, refused=ends[0].code, reasons=reasons)


async def _decide(
    session: AsyncSession, request: CallRequestRow, member: MemberRow, surveys: Surveys, now: datetime
) -> Decision:
    row = await session.get(CampaignRow, request.campaign_id)
    contact = await session.get(Contact, request.contact_id)
    if row is None or contact is None:
        raise BadInput(f"of the request {request.id} its campaign or its contact is gone")
    _, survey = surveys(definition_of(row.definition).survey)
    campaign = await campaign_facts(session, row, survey)
    facts = await contact_facts(session, campaign, [(member, contact)])
    return may_dial(facts[contact.id], campaign, now)


async def _last(session: AsyncSession, request_id: str) -> Attempt | None:
    """What was decided and taken back before it rang is none."""
    statement = select(Attempt).where(
        col(Attempt.request_id) == request_id,
        col(Attempt.disposition).is_distinct_from(Disposition.CANCELLED.value),
    )
    newest = statement.order_by(col(Attempt.created_at).desc(), col(Attempt.id).desc()).limit(1)
    return (await session.exec(newest)).first()


def _named(attempt: Attempt) -> dict[str, str]:
    return {
        "attempt_id": attempt.id,
        "call_id": attempt.call_id or call_of(attempt.id),
        "disposition": attempt.disposition or "",
    }


def _codes(refused: str) -> Sequence[str]:
    return tuple(code for code in refused.split(",") if code)
