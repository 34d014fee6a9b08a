"""Orders about calls that come in: announcing one, and what is known of one that rings."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

import structlog
from pydantic import Field

from bot.core.clock import Clock
from bot.core.context import Person
from bot.core.control import ControlServer
from bot.core.errors import BadInput, Unavailable
from bot.core.orders import Order, read_order
from bot.inbound.announcements import Announcement, AnnouncementBook
from bot.inbound.attributing import Known
from bot.planning import Met
from bot.published import Published
from bot.store import contacts
from bot.store.database import Database
from bot.store.phones import phone_key

log = structlog.get_logger()

INBOUND_ORDERS = ("announce", "meet")


class AnnounceOrder(Announcement):
    """`announce`: with a `key` the same order may be sent again and counts once."""

    key: str = Field("", max_length=128)


class MeetOrder(Order):
    """`meet`: a call rings; who may it be."""

    call_id: str = Field(min_length=1)
    called: str = ""
    phones: tuple[str, ...] = ()
    token: str = ""


class InboundOrders:
    """The handlers; each is one order."""

    def __init__(self, db: Database, published: Published, book: AnnouncementBook, clock: Clock) -> None:
        self._db = db
        self._published = published
        self._book = book
        self._clock = clock

    def register(self, server: ControlServer) -> None:
        for name, handler in zip(INBOUND_ORDERS, (self._announce, self._meet), strict=True):
            server.register(name, handler)

    async def _announce(self, params: dict[str, Any]) -> dict[str, Any]:
        order = read_order("announce", AnnounceOrder, params)
        said = Announcement(**{name: getattr(order, name) for name in Announcement.model_fields})
        self._require_survey(said.survey)
        now = self._clock.now()
        announcement_id, new = self._book.announce(said, now, key=order.key)
        until = self._book.valid_until(announcement_id)
        log.info("call announced", announcement=announcement_id, new=new, waiting=self._book.waiting)
        return {"announcement": announcement_id, "new": new, "valid_until": until.isoformat()}

    def _require_survey(self, survey_id: str) -> None:
        """Raises BadInput with the nearest id there is."""
        current = self._published.current()
        if not survey_id or survey_id in current:
            return
        close = get_close_matches(survey_id, current, n=1)
        raise BadInput(
            f"announce.survey: опрос «{survey_id}» не опубликован",
            hint=f"похоже на {close[0]}" if close else f"есть: {', '.join(sorted(current))}",
        )

    async def _meet(self, params: dict[str, Any]) -> dict[str, Any]:
        order = read_order("meet", MeetOrder, params)
        announced = self._book.meet(
            order.call_id,
            called=order.called,
            phones=order.phones,
            token=order.token,
            now=self._clock.now(),
        )
        told = announced[1].phone if announced else ""
        phones = ([phone_key(told)] if told else []) + list(order.phones)
        return Met(announced=announced, known=await self._known(phones)).model_dump(mode="json")

    async def _known(self, phones: list[str]) -> Known | None:
        """The customer of the surest number that we know. A database that is away costs a greeting by
        name and no call."""
        try:
            contact = await contacts.of_phones(self._db, phones)
        except Unavailable as error:
            log.warning("customer not looked up", reason=error.message)
            return None
        if contact is None:
            return None
        person = Person(
            id=contact.id,
            first_name=contact.first_name,
            middle_name=contact.middle_name,
            last_name=contact.last_name,
        )
        return Known(person=person, timezone=contact.tz)
