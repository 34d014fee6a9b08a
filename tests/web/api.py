"""The API over the orders of a node, without the node: its queue is real, nobody is rung."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from bot.accounts.tokens import Scope
from bot.core.clock import ManualClock
from bot.core.control import ControlServer
from bot.inbound.announcements import AnnouncementBook
from bot.orders_inbound import InboundOrders
from bot.orders_requests import RequestOrders, StandingCalls
from bot.published import Published
from bot.settings import Settings
from bot.store.database import Database
from bot.surveys.loader import load_survey
from bot.web.live import Live
from bot.web.parts import Parts, web_parts
from bot.web.settings import MODULES, WebSettings
from tests.published import publish

NPS = Path(__file__).parents[2] / "survey_defs/nps.yaml"
SIP = {"trunk": {"domain": "pbx.test"}}

Ask = Callable[..., Awaitable[dict[str, Any]]]


async def no_orders(do: str, **params: Any) -> dict[str, Any]:
    raise AssertionError(f"the media worker is not asked: {do}")


class ApiNode:
    """`requests` may be told to take up what is due."""

    def __init__(self, folder: Path, db: Database, clock: ManualClock) -> None:
        published = Published(folder / "surveys")
        publish(published, load_survey(NPS))
        settings = Settings(sip=SIP, var=folder)  # type: ignore[arg-type]
        server = ControlServer(folder / "node.sock")
        self.begun: list[str] = []
        self.requests = RequestOrders(
            db, StandingCalls(db, published.by_id, self._begin, settings.sip.trunk, clock), clock
        )
        self.requests.register(server)
        self.book = AnnouncementBook()
        InboundOrders(db, published, self.book, clock).register(server)
        web = WebSettings("127.0.0.1", 0, "http://pages.test", "s" * 32, MODULES)
        self.parts: Parts = web_parts(web, db, clock, published, Live(), control=server.ask, worker=no_orders)

    async def _begin(self, campaign_id: str) -> None:
        self.begun.append(campaign_id)

    async def token(self, *scopes: Scope, name: str = "crm") -> dict[str, str]:
        """The header of a fresh token."""
        _, token = await self.parts.tokens.add(name, scopes or tuple(Scope))
        return {"Authorization": f"Bearer {token}"}
