"""One step of a campaign: what is over is reckoned with, and whoever may be rung is put in the queue.

Everything is derived from SQL at each step, so a step may be lost, repeated, or taken by another node.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import func
from sqlmodel import col, select

from bot.campaigns import measuring
from bot.campaigns.breaker import tripped
from bot.campaigns.choosing import Address, choose
from bot.campaigns.facts import CampaignState
from bot.campaigns.pacing import Pace, new_dials
from bot.campaigns.reading import Surveys, definition_of
from bot.campaigns.reason_words import trip_words
from bot.campaigns.reasons import Reason, ReasonCode, ReasonKind
from bot.campaigns.settling import IN_HAND, TURNED_OUT_OTHERWISE, settle
from bot.core.clock import Clock
from bot.core.errors import BadInput
from bot.store import campaigns as store
from bot.store.database import Database
from bot.store.tables import Attempt, AttemptStatus
from bot.store.tables_campaigns import CampaignRow, MemberRow

log = structlog.get_logger(__name__)

AT_WORK = (CampaignState.RUNNING, CampaignState.DRAINING)
"""The states in which a campaign is stepped."""


@dataclass(frozen=True, slots=True)
class Ticked:
    """`queued` are the attempts that wait for a line. `over` is whether there is nothing to step any more.
    `pace` is what held the campaign back; None where it rings nobody new."""

    queued: tuple[str, ...] = ()
    over: bool = False
    pace: Pace | None = None


@dataclass(frozen=True, slots=True)
class Parts:
    """What a campaign is stepped with. `free_agents` tells how many could take a caller now, None where it
    is not known; `trunk_per_s` how many calls a second one node's trunk bears; `random` is 0 up to 1;
    `on_time` whether the clock can be gone by: by another a campaign would choose at night, or be over."""

    surveys: Surveys
    address: Address
    free_agents: Callable[[], Awaitable[int | None]]
    trunk_per_s: float
    random: Callable[[], float]
    on_time: Callable[[], Awaitable[bool]]


class Engine:
    """Steps campaigns; holds nothing between two steps but what pacing last said."""

    def __init__(self, db: Database, clock: Clock, parts: Parts) -> None:
        self._db = db
        self._clock = clock
        self._parts = parts
        self.paces: dict[str, Pace] = {}

    async def tick(self, campaign_id: str) -> Ticked:
        """One step of this campaign. Raises StoreUnavailable, DiskFull."""
        try:
            return await self._tick(campaign_id)
        except BadInput as error:  # its survey, or an address: somebody has to mend it
            log.warning("campaign paused", campaign=campaign_id, reason=error.message)
            await self.pause(campaign_id, error.message)
            return Ticked(over=True)

    async def _tick(self, campaign_id: str) -> Ticked:
        now, parts = self._clock.now(), self._parts
        if not await parts.on_time():
            return Ticked()
        await self._settle(campaign_id, IN_HAND)
        row = await store.campaign(self._db, campaign_id)
        if row.state == CampaignState.DRAINING and not await self._under_way(campaign_id):
            await self._change(row, CampaignState.STOPPED, row.reason)
            return Ticked(over=True)
        if row.state != CampaignState.RUNNING:
            return Ticked(over=row.state not in AT_WORK)
        if why := await self._broken(row, now):
            log.warning("campaign paused", campaign=campaign_id, reason=why)
            await self.pause(campaign_id, why)
            return Ticked(over=True)
        pace = self.paces[campaign_id] = await self._pace(row, now)
        await choose(
            self._db, campaign_id, limit=pace.count, now=now, surveys=parts.surveys, address=parts.address
        )
        queued = await self._queued(campaign_id)
        if not queued and not row.standing and await self._nobody_left(campaign_id):
            await self._change(row, CampaignState.DONE, "")
            return Ticked(over=True)
        return Ticked(queued, pace=pace)

    async def reconcile(self) -> list[str]:
        """What SQL says is at work, by campaign; whatever turned out otherwise since is reckoned with anew.

        Raises StoreUnavailable, DiskFull.
        """
        found = []
        for row in await store.campaigns(self._db):
            try:
                for which in (TURNED_OUT_OTHERWISE, IN_HAND):
                    await self._settle(row.id, which)
            except BadInput as error:
                log.warning("campaign not reckoned with", campaign=row.id, reason=error.message)
            if row.state in AT_WORK:
                found.append(row.id)
        return found

    async def _settle(self, campaign_id: str, which: Any) -> None:
        parts, now = self._parts, self._clock.now()
        await settle(self._db, campaign_id, now=now, surveys=parts.surveys, random=parts.random, which=which)

    async def pause(self, campaign_id: str, reason: str) -> bool:
        """Nobody new is rung; who was decided on and is not rung yet waits again. False where it did not
        run. Raises StoreUnavailable."""
        now = self._clock.now()
        paused = await store.change_state(
            self._db,
            campaign_id,
            to=CampaignState.PAUSED,
            among=(CampaignState.RUNNING,),
            now=now,
            reason=reason,
        )
        await store.take_back(self._db, campaign_id, now)
        return paused

    # What holds it back ------------------------------------------------------------------------

    async def _broken(self, row: CampaignRow, now: datetime) -> str:
        """Why the breaker stops it; "" while all is well."""
        rules = definition_of(row.definition).breaker
        async with self._db.read() as session:
            ended = await measuring.outcomes(session, row.id, rules, now)
        return "; ".join(map(trip_words, tripped(ended, rules, now, since=row.changed_at)))

    async def _pace(self, row: CampaignRow, now: datetime) -> Pace:
        rules = definition_of(row.definition).pacing
        agents = await self._parts.free_agents() if rules.agents else None
        async with self._db.read() as session:
            trunk = self._parts.trunk_per_s * max(1, await measuring.ready_nodes(session, now))
            return new_dials(
                rules,
                await measuring.load(session, row.id, agents, now),
                await measuring.counted(session, row.id),
                await measuring.rates(session, row.id, rules, trunk, now),
                now,
            )

    # Where it stands ---------------------------------------------------------------------------

    async def _queued(self, campaign_id: str) -> tuple[str, ...]:
        statement = (
            select(col(Attempt.id))
            .where(col(Attempt.campaign_id) == campaign_id, col(Attempt.status) == AttemptStatus.QUEUED)
            .order_by(col(Attempt.created_at), col(Attempt.id))
        )
        async with self._db.read() as session:
            return tuple((await session.exec(statement)).all())

    async def _under_way(self, campaign_id: str) -> int:
        statement = select(func.count()).where(
            col(Attempt.campaign_id) == campaign_id, col(Attempt.status) != AttemptStatus.FINAL
        )
        async with self._db.read() as session:
            return (await session.exec(statement)).one()

    async def _nobody_left(self, campaign_id: str) -> bool:
        """Whether everybody is done with, or waits for somebody to change what is known of him."""
        statement = (
            select(col(MemberRow.refused), col(MemberRow.attempt_id).is_not(None))
            .where(col(MemberRow.campaign_id) == campaign_id, col(MemberRow.done) == "")
            .distinct()
        )
        async with self._db.read() as session:
            left = (await session.exec(statement)).all()
        return not any(in_hand or _passes(refused) for refused, in_hand in left)

    async def _change(self, row: CampaignRow, to: CampaignState, reason: str) -> None:
        await store.change_state(
            self._db, row.id, to=to, among=(row.state,), now=self._clock.now(), reason=reason
        )
        log.info("campaign state", campaign=row.id, state=to.value)


_CHANGES_BY_ITSELF = frozenset(
    {ReasonCode.ON_THE_LINE, ReasonCode.TARGET_UNDER_WAY, ReasonCode.QUOTA_UNDER_WAY}
)


def _passes(refused: str) -> bool:
    """Whether such a refusal, or none, may be over without anybody's doing."""
    codes = [ReasonCode(code) for code in refused.split(",") if code]
    return all(code in _CHANGES_BY_ITSELF or Reason(code).kind is not ReasonKind.STANDING for code in codes)
