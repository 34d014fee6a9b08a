"""Orders about campaigns: made, started, paused, stopped, and how they stand."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from bot.campaign_node import CampaignNode
from bot.campaigns.facts import CampaignState
from bot.campaigns.reading import definition_of
from bot.campaigns.reason_words import STATES
from bot.campaigns.schema import Campaign
from bot.core.clock import Clock
from bot.core.control import ControlServer
from bot.core.endings import Disposition
from bot.core.errors import BadInput
from bot.core.orders import Order, read_order
from bot.core.percentiles import percentiles
from bot.store import campaigns as store
from bot.store.campaigns import Chosen
from bot.store.database import Database
from bot.store.phones import phone_key
from bot.store.tables_campaigns import CampaignRow
from bot.words import words

CAMPAIGN_ORDERS = (
    "campaign_create",
    "campaign_start",
    "campaign_pause",
    "campaign_stop",
    "campaign",
    "campaigns",
)


CHOICES = "--all, --import, --department, --manager, --phones"


class ChosenOrder(Order):
    """Whom a campaign rings: everybody whom we know, or those for whom all that is given here holds."""

    everybody: bool = False
    phones: tuple[str, ...] | None = None
    contact_ids: tuple[str, ...] | None = None
    manager_id: str = ""
    import_id: str = ""
    department: str = ""

    def chosen(self) -> Chosen:
        """Raises BadInput where nothing is said: nobody rings everybody by accident."""
        phones = None if self.phones is None else tuple(map(phone_key, self.phones))
        chosen = Chosen(self.contact_ids, phones, self.manager_id, self.import_id, self.department)
        if self.everybody == bool(chosen.conditions()):
            raise BadInput(
                words("скажите, кому звонить", "say whom to ring"),
                hint=CHOICES,
            )
        return chosen


class CreateOrder(Order):
    """`campaign_create`: `definition` as in its file. A `standing` one waits for members to come."""

    definition: Campaign
    chosen: ChosenOrder | None = None
    standing: bool = False


class CampaignOrder(Order):
    campaign: str = Field(min_length=1)


class PauseOrder(CampaignOrder):
    reason: str = Field("", max_length=500)


class CampaignOrders:
    """The handlers; each is one order."""

    def __init__(self, db: Database, node: CampaignNode, clock: Clock) -> None:
        self._db = db
        self._node = node
        self._clock = clock

    def register(self, server: ControlServer) -> None:
        handlers = (self._create, self._start, self._pause, self._stop, self._campaign, self._campaigns)
        for name, handler in zip(CAMPAIGN_ORDERS, handlers, strict=True):
            server.register(name, handler)

    async def _create(self, params: dict[str, Any]) -> dict[str, Any]:
        order = read_order("campaign_create", CreateOrder, params)
        made = order.definition
        self._node.survey(made.survey)
        chosen = order.chosen.chosen() if order.chosen is not None else None
        if chosen is None and not order.standing:
            raise BadInput(
                words("скажите, кому звонить", "say whom to ring"),
                hint=CHOICES,
            )
        now = self._clock.now()
        row = CampaignRow(
            id=made.id,
            title=made.title,
            survey_id=made.survey.partition("@")[0],
            definition=made.model_dump_json(),
            standing=order.standing,
            created_at=now,
            changed_at=now,
        )
        members = await store.create(self._db, row, chosen, now)
        return {"campaign": made.id, "members": members}

    async def _start(self, params: dict[str, Any]) -> dict[str, Any]:
        """From a draft or a pause; again for one that runs changes nothing."""
        order = read_order("campaign_start", CampaignOrder, params)
        row = await store.campaign(self._db, order.campaign)
        self._node.survey(definition_of(row.definition).survey)
        started = await store.change_state(
            self._db,
            row.id,
            to=CampaignState.RUNNING,
            among=(CampaignState.DRAFT, CampaignState.PAUSED),
            now=self._clock.now(),
        )
        if not started and row.state != CampaignState.RUNNING:
            raise _over(row)
        await self._node.queue.begin(row.id)
        return await self._campaign(params)

    async def _pause(self, params: dict[str, Any]) -> dict[str, Any]:
        order = read_order("campaign_pause", PauseOrder, params)
        row = await store.campaign(self._db, order.campaign)
        reason = order.reason or words("по команде", "as told")
        if not await self._node.engine.pause(row.id, reason) and row.state != CampaignState.PAUSED:
            raise _over(row)
        return await self._campaign({"campaign": row.id})

    async def _stop(self, params: dict[str, Any]) -> dict[str, Any]:
        """For good: nobody new is rung from this moment on, and calls that go on end by themselves."""
        order = read_order("campaign_stop", CampaignOrder, params)
        row = await store.campaign(self._db, order.campaign)
        now = self._clock.now()
        stopped = await store.change_state(
            self._db,
            row.id,
            to=CampaignState.DRAINING,
            among=(CampaignState.DRAFT, CampaignState.RUNNING, CampaignState.PAUSED),
            now=now,
            reason=words("по команде", "as told"),
        )
        if not stopped and row.state == CampaignState.DONE:
            raise _over(row)
        await store.take_back(self._db, row.id, now)
        await self._node.queue.begin(row.id)
        return await self._campaign(params)

    async def _campaign(self, params: dict[str, Any]) -> dict[str, Any]:
        order = read_order("campaign", CampaignOrder, params)
        told = await campaign_json(self._db, order.campaign, self._clock.now())
        pace = self._node.engine.paces.get(order.campaign)
        running = told["state"] == CampaignState.RUNNING
        told["pace"] = {"count": pace.count, "bound": pace.bound} if pace is not None and running else None
        told["queue"] = self._node.queue.connected
        told["agents_free"] = await self._node.free_agents()
        told["reply_gap"] = percentiles([round(gap) for gap in self._node.gaps]).model_dump()
        return told

    async def _campaigns(self, params: dict[str, Any]) -> dict[str, Any]:
        return await campaigns_json(self._db, self._clock.now())


def _over(row: CampaignRow) -> BadInput:
    return BadInput(
        words(f"кампания «{row.id}» {STATES[row.state][0]}", f"campaign {row.id} is {row.state}"),
        hint=words("сделайте новую: otklik campaign create", "make a new one: otklik campaign create"),
    )


def state_word(state: str) -> str:
    return words(*STATES[state])


async def campaign_json(db: Database, campaign_id: str, now: datetime) -> dict[str, Any]:
    """How a campaign stands, for a command and a page. Raises BadInput for one that is not there."""
    row = await store.campaign(db, campaign_id)
    tally = await store.tally(db, campaign_id)
    nodes = await store.nodes(db, now - store.NODE_GONE)
    return {
        **_head(row),
        "members": tally.members,
        "attempts": tally.attempts,
        "open": tally.open,
        "dispositions": {
            kind: tally.dispositions[kind] for kind in Disposition if kind in tally.dispositions
        },
        "sums_up": tally.sums_up,
        "dialled": tally.attempts
        - tally.open.get("queued", 0)
        - tally.dispositions.get(Disposition.CANCELLED, 0),
        "ringing": tally.open.get("dialling", 0),
        "talking": tally.open.get("live", 0),
        "refused": tally.refused,
        "next_at": tally.next_at.isoformat() if tally.next_at else None,
        "nodes": [
            {"name": node.name, "free_lines": node.free_lines, "live": node.live, "ready": node.ready}
            for node in nodes
        ],
    }


async def definition_json(db: Database, campaign_id: str) -> dict[str, Any]:
    """A campaign as its file was read, with every default. Raises BadInput."""
    row = await store.campaign(db, campaign_id)
    return definition_of(row.definition).model_dump(mode="json")


async def campaigns_json(db: Database, now: datetime) -> dict[str, Any]:
    found = []
    for row in await store.campaigns(db):
        tally = await store.tally(db, row.id)
        found.append({**_head(row), "members": tally.members, "attempts": tally.attempts})
    return {"campaigns": found}


def _head(row: CampaignRow) -> dict[str, Any]:
    kind: Literal["standing", "list"] = "standing" if row.standing else "list"
    return {
        "campaign": row.id,
        "title": row.title,
        "survey": definition_of(row.definition).survey,
        "kind": kind,
        "state": row.state,
        "reason": row.reason,
        "created_at": row.created_at.isoformat(),
        "started_at": row.started_at.isoformat() if row.started_at else None,
    }
