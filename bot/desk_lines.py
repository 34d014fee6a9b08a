"""An agent's browser as a telephone: it is rung on his desk pages, and picks up with an offer.

    dial("desk:anna@call-1") ──► control: ring_desk ──► her pages show the handover
                  ▲                                          │ accept: webrtc_offer, purpose "desk"
                  └────────── the line, once sound can flow ─┘ decline: agent_decides (the call's own affair)

Whatever becomes of it, `desk_done` takes it off her pages again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import structlog
from pydantic import Field

from bot.core.endings import EndCause, EndKind
from bot.core.errors import BadInput, DialFailed, LegClosed, OtklikError
from bot.core.orders import Order, read_order
from bot.core.routing import DESK
from telephony.leg import CallLeg
from telephony.webrtc import WebRtcEndpoint
from telephony.webrtcleg import WebRtcLeg

log = structlog.get_logger(__name__)

_REJOIN_S = 5.0
"""So long an agent's page may be away: somebody waits for him in silence."""


class DeskOffer(Order):
    """`webrtc_offer` with purpose `desk`. With `again` the page comes back to the line that it had."""

    call_id: str = Field(min_length=1)
    agent_id: str = Field(min_length=1)
    sdp: str
    again: bool = False


class Request(Protocol):
    """An order to control. Raises Unavailable and what control reports."""

    def __call__(self, do: str, /, **params: Any) -> Awaitable[dict[str, Any]]: ...


class DeskLines:
    """`keep` is told every line that is made, with its call: for whoever looks after browsers."""

    def __init__(
        self, endpoint: WebRtcEndpoint, request: Request, keep: Callable[[str, WebRtcLeg], None]
    ) -> None:
        self._endpoint = endpoint
        self._request = request
        self._keep = keep
        self._rung: dict[tuple[str, str], asyncio.Future[WebRtcLeg]] = {}
        self._lines: dict[tuple[str, str], WebRtcLeg] = {}
        self._joining: set[asyncio.Task[None]] = set()

    async def dial(
        self, uri: str, timeout_s: float, placed: Callable[[CallLeg], None] | None = None
    ) -> CallLeg:
        """Ring `desk:AGENT@CALL` for at most so many seconds. Raises DialFailed; cancelling it stops the
        ringing. There is no early sound on such a line, and `placed` is not told of one."""
        agent_id, _, call_id = uri.removeprefix(DESK).rpartition("@")
        picked_up: asyncio.Future[WebRtcLeg] = asyncio.get_running_loop().create_future()
        self._rung[call_id, agent_id] = picked_up
        try:
            await self._request("ring_desk", call_id=call_id, agent_id=agent_id, ring_s=timeout_s)
            async with asyncio.timeout(timeout_s):
                return await picked_up
        except TimeoutError as error:
            raise _failed(uri, EndKind.NO_ANSWER) from error
        except OtklikError as error:  # no page of his is open any more, or control is away
            raise _failed(uri, EndKind.UNREACHABLE, error.message) from error
        finally:
            del self._rung[call_id, agent_id]
            await self._done(call_id, agent_id)

    async def _done(self, call_id: str, agent_id: str) -> None:
        try:
            await self._request("desk_done", call_id=call_id, agent_id=agent_id)
        except OtklikError as error:
            log.warning("desk not told that it is over", call_id=call_id, reason=error.message)

    async def offer(self, params: dict[str, Any]) -> dict[str, Any]:
        """The page picks up, or comes back. Raises BadInput where it is not being rung."""
        order = read_order("webrtc_offer", DeskOffer, params)
        who = order.call_id, order.agent_id
        if order.again:
            line = self._lines.get(who)
            if line is None:
                raise BadInput("этого разговора больше нет", hint="он закончился")
            return {"sdp": await line.negotiate(order.sdp), "leg_id": line.id}
        if who not in self._rung:
            raise BadInput(
                "этот звонок уже решён или отменён", hint="его принял другой или клиент положил трубку"
            )
        sdp, leg = await self._endpoint.answer(
            order.sdp,
            remote=f"webrtc:{order.agent_id}",
            local=f"webrtc:{order.call_id}",
            rejoin_s=min(self._endpoint.settings.rejoin_s, _REJOIN_S),
        )
        task = asyncio.create_task(self._join(who, leg))
        self._joining.add(task)
        task.add_done_callback(self._joining.discard)
        return {"sdp": sdp, "leg_id": leg.id}

    async def _join(self, who: tuple[str, str], leg: WebRtcLeg) -> None:
        """The line counts as picked up once sound can flow, if it is still wanted then."""
        try:
            await leg.answer()
        except LegClosed as error:
            log.warning("desk's line did not come up", call_id=who[0], reason=error.message)
            return
        picked_up = self._rung.get(who)
        if picked_up is None or picked_up.done():
            await leg.hang_up()
            return
        self._lines[who] = leg
        leg.ended.add_done_callback(lambda _: self._lines.pop(who, None))
        self._keep(who[0], leg)
        picked_up.set_result(leg)


def _failed(uri: str, kind: EndKind, text: str = "") -> DialFailed:
    return DialFailed(f"{uri} was not reached: {kind} {text}".rstrip(), cause=EndCause(kind, text=text))
