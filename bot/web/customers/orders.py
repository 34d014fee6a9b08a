"""`survey_link`: the order by which the CRM or the command gets a link for a customer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic import Field

from bot.core.errors import Unavailable
from bot.core.orders import Order, read_order
from bot.published import Published
from bot.web.links import SurveyLinks
from bot.words import words

LONGEST_S = 90 * 24 * 3600.0


class LinkOrder(Order):
    """`phone` is whom an agent rings if nobody could take the customer over; `valid_s` in seconds."""

    survey: str
    name: str = Field("", max_length=100)
    phone: str = Field("", pattern=r"^(\+?[0-9][0-9 ()-]{5,24})?$")
    agent: str = Field("", max_length=100)
    department: str = Field("", max_length=100)
    contact_id: str = Field("", max_length=100)
    valid_s: float = Field(24 * 3600.0, ge=60, le=LONGEST_S)


async def no_pages(params: dict[str, Any]) -> dict[str, Any]:
    """The order's answer of a node without pages."""
    raise Unavailable(
        words("страницы выключены: web.port = 0", "there are no pages: web.port = 0"),
        hint=words("задайте web.port и запустите узел снова", "set web.port and start the node again"),
    )


class LinkOrders:
    def __init__(self, links: SurveyLinks, published: Published, address: str) -> None:
        self._links = links
        self._published = published
        self._address = address

    async def survey_link(self, params: dict[str, Any]) -> dict[str, Any]:
        """`{"url", "expires_at"}`. Raises BadInput, and SurveyInvalid for a survey that is not published."""
        order = read_order("survey_link", LinkOrder, params)
        self._published.by_id(order.survey)
        token, expires_at = await self._links.make(
            order.survey,
            timedelta(seconds=order.valid_s),
            first_name=order.name,
            phone="".join(sign for sign in order.phone if sign in "+0123456789"),
            agent_id=order.agent,
            department=order.department,
            contact_id=order.contact_id,
        )
        return {"url": f"{self._address}/s/{token}", "expires_at": expires_at.isoformat()}
