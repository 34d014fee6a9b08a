"""Calls from browsers, in the media worker: offers and candidates in, answers and lines out.

Orders (JSON, from control's pages):
    webrtc_offer {purpose, call_id, sdp, …} -> {"sdp", "leg_id"}   a purpose's own parameters beside these
    webrtc_ice   {leg_id, candidate}        -> {}
    press        {call_id, keys}            -> {}     on-screen keys of the caller

A second offer for a call that is up is the same page come back (another network, a reload): same line,
same call. A purpose is a function of its own (`customer` here; the agents' desk registers another).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Literal

from bot.call.plan import CallPlan
from bot.core.context import CallContext
from bot.core.control import ControlServer, Handler
from bot.core.errors import BadInput, CallOver
from bot.core.orders import Order, read_order
from telephony.webrtc import WebRtcEndpoint, WebRtcLeg

Side = Literal["caller", "agent"]

MOST_KEYS = 12
"""Keys of one order: the longest answer is a choice of several options."""


class CustomerOffer(Order):
    """A customer's page. `remote` is his URI for the record: `tel:…` where his number is known. With
    `again` there must be a call to come back to; without it there is none yet."""

    call_id: str
    sdp: str
    again: bool = False
    context: CallContext | None = None
    attempt_id: str = ""
    contact_id: str = ""
    remote: str = "webrtc:customer"


class _Candidate(Order):
    leg_id: str
    candidate: str


class _Keys(Order):
    call_id: str
    keys: str


class BrowserCalls:
    """`plan` makes the plan of a new call (and has its prompts made); `begin` starts it on its line."""

    def __init__(
        self,
        endpoint: WebRtcEndpoint,
        *,
        plan: Callable[[CustomerOffer, CallContext], Awaitable[CallPlan]],
        begin: Callable[[CallPlan, WebRtcLeg], None],
    ) -> None:
        self._endpoint = endpoint
        self._plan = plan
        self._begin = begin
        self._lines: dict[tuple[str, Side], WebRtcLeg] = {}
        self.purposes: dict[str, Handler] = {"customer": self._customer}

    def register(self, server: ControlServer) -> None:
        server.register("webrtc_offer", self._offer)
        server.register("webrtc_ice", self._ice)
        server.register("press", self._press)

    # Lines -----------------------------------------------------------------------------------

    def keep(self, call_id: str, side: Side, leg: WebRtcLeg) -> None:
        """From now on this is a call's line on that side, until it ends."""
        self._lines[call_id, side] = leg
        leg.ended.add_done_callback(lambda _: self._forget(call_id, side, leg))

    def line(self, call_id: str, side: Side) -> WebRtcLeg | None:
        """A line that has not ended."""
        return self._lines.get((call_id, side))

    def _forget(self, call_id: str, side: Side, leg: WebRtcLeg) -> None:
        if self._lines.get((call_id, side)) is leg:
            del self._lines[call_id, side]

    def _up(self, call_id: str, side: Side) -> WebRtcLeg:
        leg = self.line(call_id, side)
        if leg is None:
            raise CallOver("this call is over")
        return leg

    # Orders ----------------------------------------------------------------------------------

    async def _offer(self, params: dict[str, Any]) -> dict[str, Any]:
        purpose = params.pop("purpose", None)
        handler = self.purposes.get(purpose) if isinstance(purpose, str) else None
        if handler is None:
            known = ", ".join(sorted(self.purposes))
            raise BadInput(f"webrtc_offer: no purpose «{purpose}»", hint=f"purpose: {known}")
        return await handler(params)

    async def _customer(self, params: dict[str, Any]) -> dict[str, Any]:
        offer = read_order("webrtc_offer", CustomerOffer, params)
        if offer.again:
            leg = self._up(offer.call_id, "caller")
            return {"sdp": await leg.negotiate(offer.sdp), "leg_id": leg.id}
        if offer.context is None or not offer.attempt_id:
            raise BadInput("webrtc_offer: a new call needs context and attempt_id")
        plan = await self._plan(offer, offer.context)
        sdp, leg = await self._endpoint.answer(
            offer.sdp, remote=offer.remote, local=f"webrtc:{plan.survey_id}"
        )
        self.keep(offer.call_id, "caller", leg)
        self._begin(plan, leg)
        return {"sdp": sdp, "leg_id": leg.id}

    async def _ice(self, params: dict[str, Any]) -> dict[str, Any]:
        order = read_order("webrtc_ice", _Candidate, params)
        leg = self._endpoint.leg(order.leg_id)
        if leg is None:
            raise CallOver("this call is over")
        await leg.add_candidate(order.candidate)
        return {}

    async def _press(self, params: dict[str, Any]) -> dict[str, Any]:
        order = read_order("press", _Keys, params)
        if not 0 < len(order.keys) <= MOST_KEYS or not set(order.keys) <= set("0123456789*#"):
            raise BadInput(f"press: keys of 1 to {MOST_KEYS} signs", hint="digits, * and #, such as 10 or 1#")
        leg = self._up(order.call_id, "caller")
        for key in order.keys:
            leg.press(key)
        return {}
