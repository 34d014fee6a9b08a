"""Campaigns: which there are, how one goes at this moment, and what is told to it.

GET  /campaigns                ?state=going | over
GET  /campaigns/ID             the live view
GET  /campaigns/ID/live        its parts, as server-sent events
POST /campaigns/ID/ACT         start, pause {reason}, resume, stop, end: stop, and hang up what goes on
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from aiohttp import web

from bot.accounts.audit import LOOK
from bot.accounts.roles import OBSERVERS, OPERATORS
from bot.campaigns.contacts import full_name
from bot.campaigns.facts import CampaignState
from bot.campaigns.pacing import Bound
from bot.campaigns.reading import definition_of
from bot.campaigns.reason_words import BOUNDS, REASONS, STATES
from bot.campaigns.reasons import ReasonCode
from bot.campaigns.schema import Campaign
from bot.core.endings import Disposition
from bot.core.errors import BadInput, OtklikError
from bot.reports.funnel import Funnel, funnels
from bot.reports.periods import Period
from bot.reports.slices import Scope
from bot.reports.wording import end_name, step_name
from bot.store import campaigns as store
from bot.store.tables import AttemptStatus
from bot.store.tables_campaigns import CampaignRow
from bot.web.dialling.campaign_form import digest_of, values_of
from bot.web.dialling.common import (
    form_of,
    operates,
    phone_for,
    reads_calls,
    said_to,
    see,
    zone_of,
)
from bot.web.dialling.now import PHASES, SPEAKERS, agents_now, node_now, stream
from bot.web.parts import parts_of
from bot.web.rendering import fragment, render, segment
from bot.web.who import allowed, noted
from bot.words import words

routes = web.RouteTableDef()

OVER = (CampaignState.STOPPED, CampaignState.DONE)
ORDERS = {
    "start": "campaign_start",
    "resume": "campaign_start",
    "pause": "campaign_pause",
    "stop": "campaign_stop",
}
_TAGS = {
    CampaignState.RUNNING: "good",
    CampaignState.PAUSED: "warn",
    CampaignState.DRAINING: "warn",
}


@routes.get("/campaigns")
@allowed(*OBSERVERS)
async def listed(request: web.Request) -> web.StreamResponse:
    wanted = request.query.get("state", "")
    told = (await parts_of(request).control("campaigns"))["campaigns"]
    rows = [each for each in reversed(told) if wanted not in ("going", "over") or _is(each, wanted)]
    values = {
        "rows": rows,
        "any": bool(told),
        "wanted": wanted,
        "operates": operates(request),
        "zone": zone_of(request),
        "states": STATES,
        "tags": _TAGS,
        "moment": _moment,
    }
    return render(request, "dialling/campaigns.html", values)


def _is(campaign: dict[str, Any], wanted: str) -> bool:
    return (campaign["state"] in OVER) is (wanted == "over")


def _moment(written: str | None) -> datetime | None:
    return datetime.fromisoformat(written) if written else None


class View:
    """One campaign for one account: what its page shows, and its stream shows anew."""

    def __init__(self, request: web.Request, row: CampaignRow) -> None:
        self._request = request
        self._parts = parts_of(request)
        self.row = row
        self.definition: Campaign = definition_of(row.definition)
        self._counted: tuple[object, ...] = ()
        self._funnel = Funnel()

    async def parts(self) -> dict[str, str]:
        """As HTML, by name. Raises what the node reports."""
        request = self._request
        self.definition = definition_of((await store.campaign(self._parts.db, self.row.id)).definition)
        told = await self._parts.control("campaign", campaign=self.row.id)
        node = await node_now(request)
        values = {
            "campaign": told,
            "state": words(*STATES[told["state"]]),
            "tag_kind": _TAGS.get(told["state"], ""),
            "States": CampaignState,
            "operates": operates(request),
            "reads_calls": reads_calls(request),
            "zone": zone_of(request),
            "moment": _moment,
            "definition": self.definition,
            "waits": waits_for(told),
            "members": sum(told["members"].values()),
            "node": node,
            "bad_share": node["bad"] / node["last"] if node["last"] else 0.0,
            "calls": await self._calls(),
            "outcomes": outcomes_of(told),
            "refused": refused_of(told),
            "steps": [(step, step_name(step.name), step_name(step.of)) for step in (await self._steps(told))],
            "agents": await agents_now(request),
        }
        return {
            name: fragment(request, f"dialling/campaign_{name}.html", values)
            for name in ("head", "figures", "calls", "funnel", "outcomes", "agents")
        }

    async def _calls(self) -> list[dict[str, Any]]:
        """What rings or talks now, on every node, as SQL has it; of this node's also who has the word."""
        request, found = self._request, []
        for attempt, contact in await store.live_attempts(self._parts.db, self.row.id):
            call = self._parts.live.board.call(attempt.call_id or "")
            ringing = attempt.status == AttemptStatus.DIALLING
            shown = words("звонит", "ringing") if ringing else words("разговор", "talking")
            found.append(
                {
                    "call_id": attempt.call_id,
                    "contact_id": attempt.contact_id,
                    "name": full_name(contact) if contact else "",
                    "phone": phone_for(request, attempt.phone),
                    "since": (attempt.answered_at or attempt.dialled_at or attempt.created_at),
                    "phase": words(*PHASES[call.phase]) if call else shown,
                    "speaker": words(*SPEAKERS[call.speaker]) if call else "—",
                    "question": call.question_id if call else "",
                    "number": attempt.number,
                    "promised": attempt.cause,
                }
            )
        return found

    async def _steps(self, told: dict[str, Any]) -> Any:
        """The funnel as reports count it; counted anew only when some attempt has moved on."""
        counted = (told["attempts"], *told["open"].items(), *told["dispositions"].items())
        if counted != self._counted or not self._counted:
            self._counted = counted
            zone = zone_of(self._request)
            first = self.row.created_at.astimezone(zone).date()
            last = max(first, self._parts.clock.now().astimezone(zone).date())
            scope = Scope(Period(first, last, zone.key), campaigns=(self.row.id,))
            async with self._parts.db.read() as session:
                self._funnel = (await funnels(session, scope)).get("", Funnel())
        return self._funnel.steps()


def waits_for(told: dict[str, Any]) -> str:
    """Why nobody new is rung at this moment; "" where somebody is, or it does not run."""
    if told.get("queue") is False:
        return words("очереди заданий нет: дозвон ждёт", "the queue of tasks is away: dialling waits")
    pace = told.get("pace")
    return words(*BOUNDS[Bound(pace["bound"])]) if pace is not None and pace["count"] == 0 else ""


def outcomes_of(told: dict[str, Any]) -> list[tuple[str, int]]:
    """Every attempt stands in exactly one of them."""
    under_way = {
        AttemptStatus.QUEUED: words("ждёт линии", "waits for a line"),
        AttemptStatus.DIALLING: words("звонит", "ringing"),
        AttemptStatus.LIVE: words("разговор", "talking"),
    }
    return [(under_way[AttemptStatus(status)], count) for status, count in told["open"].items()] + [
        (end_name(Disposition(name)), count) for name, count in told["dispositions"].items()
    ]


def refused_of(told: dict[str, Any]) -> list[tuple[str, int]]:
    """Why those who wait are not rung now, the most first."""
    return [
        (words(*REASONS[ReasonCode(code)]), count)
        for code, count in sorted(told["refused"].items(), key=lambda each: -each[1])
    ]


async def row_of(request: web.Request) -> CampaignRow:
    try:
        return await store.campaign(parts_of(request).db, request.match_info["campaign_id"])
    except BadInput as error:
        raise web.HTTPNotFound from error


@routes.get("/campaigns/{campaign_id}")
@allowed(*OBSERVERS)
async def shown(request: web.Request) -> web.StreamResponse:
    return await page_of(request, await row_of(request))


async def page_of(
    request: web.Request, row: CampaignRow, problem: str = "", changed: Mapping[str, str] | None = None
) -> web.Response:
    """`changed` are the fields of a change that would not do."""
    await noted(request, LOOK, "campaign", row.id)
    view = View(request, row)
    values = {
        "row": row,
        "definition": view.definition,
        "parts": await view.parts(),
        "operates": operates(request),
        "zone": zone_of(request),
        "problem": problem,
        "said": said_to(request),
        "changeable": row.state not in (*OVER, CampaignState.DRAINING),
        "of": digest_of(row.definition),
        "changed": values_of(view.definition) if changed is None else changed,
        "changing": changed is not None,
    }
    return render(request, "dialling/campaign.html", values, status=400 if problem else 200)


@routes.get("/campaigns/{campaign_id}/live")
@allowed(*OBSERVERS)
async def live(request: web.Request) -> web.StreamResponse:
    view = View(request, await row_of(request))
    return await stream(request, view.parts)


@routes.post("/campaigns/{campaign_id}/{act}")
@allowed(*OPERATORS)
async def order(request: web.Request) -> web.StreamResponse:
    parts, row, form = parts_of(request), await row_of(request), await form_of(request)
    act = request.match_info["act"]
    if act not in ORDERS and act != "end":
        raise web.HTTPNotFound
    told = ""
    try:
        if act == "end":
            told = await _end(request, row.id)
        else:
            reason = {"reason": form.get("reason", "").strip()[:500]} if act == "pause" else {}
            await parts.control(ORDERS[act], campaign=row.id, **reason)
    except BadInput as error:
        return await page_of(request, row, error.message)
    await noted(
        request, act, "campaign", row.id, **({"reason": form["reason"]} if form.get("reason") else {})
    )
    return see(request, f"/campaigns/{segment(row.id)}", told)


async def _end(request: web.Request, campaign_id: str) -> str:
    """Stopped, and every call of it that goes on here is hung up; what came of that, in words. A call that is
    over meanwhile, or that another node has, stays as it is."""
    parts = parts_of(request)
    await parts.control("campaign_stop", campaign=campaign_id)
    ended = left = 0
    for attempt, _ in await store.live_attempts(parts.db, campaign_id):
        try:
            await parts.worker("hang_up", call_id=attempt.call_id or "", side="caller")
            ended += 1
        except OtklikError:
            left += 1
    told = words(f"Остановлена, звонков прервано: {ended}.", f"Stopped, {ended} calls were ended.")
    more = words(
        f" Ещё {left} кончились сами или идут на другом узле.", f" {left} more are over, or on another node."
    )
    return told + (more if left else "")
