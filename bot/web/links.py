"""Links by which a customer takes a survey in the browser: made, checked, redeemed once.

The address holds the link's id and its signature (HMAC-SHA-256); everything else is kept here. Opening
it changes nothing, for messengers open links to preview them; redeeming it (the customer presses
«Начать») gives that browser a ticket in a cookie, and only with this ticket the call goes on, after a
reload or a lost network too.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from itsdangerous import BadSignature, Signer
from sqlmodel import col, select, update

from bot.core.clock import Clock
from bot.core.errors import LinkRefused
from bot.store.account_tables import SurveyLinkRow
from bot.store.database import Database
from bot.words import words

ID_BYTES = 12
"""96 random bits, beside the signature: the address stays short enough for an SMS."""

OPEN_FOR = timedelta(days=1)
"""After a link has run out so long goes a call on that was begun in time, and what was said can be read. Then
its ticket opens nothing, whoever has got hold of it."""


@dataclass(frozen=True, slots=True)
class Link:
    """`redeemed` says whether some browser holds its ticket; `call_id` is the call made there."""

    id: str
    survey_id: str
    contact_id: str
    first_name: str
    phone: str
    agent_id: str
    department: str
    expires_at: datetime
    redeemed: bool
    call_id: str | None


class SurveyLinks:
    def __init__(self, db: Database, clock: Clock, secret: str) -> None:
        self._db = db
        self._clock = clock
        self._signer = Signer(
            secret, salt="survey-link", sep=".", key_derivation="hmac", digest_method=hashlib.sha256
        )

    async def make(
        self,
        survey_id: str,
        valid_for: timedelta,
        *,
        first_name: str = "",
        phone: str = "",
        agent_id: str = "",
        department: str = "",
        contact_id: str = "",
    ) -> tuple[str, datetime]:
        """The token for the address `/s/TOKEN`, and when it runs out."""
        now = self._clock.now()
        row = SurveyLinkRow(
            id=secrets.token_urlsafe(ID_BYTES),
            survey_id=survey_id,
            contact_id=contact_id,
            first_name=first_name,
            phone=phone,
            agent_id=agent_id,
            department=department,
            created_at=now,
            expires_at=now + valid_for,
        )
        async with self._db.write() as session:
            session.add(row)
        return self._signer.sign(row.id).decode(), row.expires_at

    async def find(self, token: str) -> Link:
        """Raises LinkRefused for a link that was not made here or whose time is over. One that was
        redeemed in time goes on to be found for a while: the call may last longer."""
        row = await self._row(token)
        ends_at = row.expires_at + (timedelta() if row.redeemed_at is None else OPEN_FOR)
        if ends_at <= self._clock.now():
            raise LinkRefused(
                words("срок ссылки вышел", "the link has run out"),
                hint=words("попросите прислать новую", "ask for another one"),
                why="expired",
            )
        return _link(row)

    async def redeem(self, token: str) -> str:
        """The ticket for the cookie of the one browser that may go on from here. Of two that redeem at
        once exactly one gets it. Raises LinkRefused."""
        link = await self.find(token)
        ticket = secrets.token_urlsafe(32)
        async with self._db.write() as session:
            done = await session.exec(
                update(SurveyLinkRow)
                .where(col(SurveyLinkRow.id) == link.id, col(SurveyLinkRow.redeemed_at).is_(None))
                .values(redeemed_at=self._clock.now(), ticket=_hash(ticket))
            )
        if done.rowcount != 1:
            raise LinkRefused(
                words("по этой ссылке уже открывали опрос", "this link was used already"),
                hint=words("продолжите там, где начали", "go on where you began"),
                why="redeemed",
            )
        return ticket

    async def holds(self, token: str, ticket: str) -> bool:
        """Whether this browser is the one that redeemed the link. Raises LinkRefused."""
        row = await self._row(token)
        return bool(row.ticket) and secrets.compare_digest(row.ticket, _hash(ticket))

    async def begin_call(self, link_id: str, call_id: str) -> bool:
        """This link's one call is `call_id`; False where it had another."""
        async with self._db.write() as session:
            done = await session.exec(
                update(SurveyLinkRow)
                .where(col(SurveyLinkRow.id) == link_id, col(SurveyLinkRow.call_id).is_(None))
                .values(call_id=call_id)
            )
        return bool(done.rowcount == 1)

    async def forget_call(self, link_id: str, call_id: str) -> None:
        """This call did not come about: the customer may try again."""
        async with self._db.write() as session:
            await session.exec(
                update(SurveyLinkRow)
                .where(col(SurveyLinkRow.id) == link_id, col(SurveyLinkRow.call_id) == call_id)
                .values(call_id=None)
            )

    async def _row(self, token: str) -> SurveyLinkRow:
        try:
            link_id = self._signer.unsign(token).decode()
        except (BadSignature, UnicodeDecodeError):
            raise _unknown() from None
        async with self._db.read() as session:
            statement = select(SurveyLinkRow).where(col(SurveyLinkRow.id) == link_id)
            row = (await session.exec(statement)).first()
        if row is None:
            raise _unknown()
        return row


def _unknown() -> LinkRefused:
    return LinkRefused(
        words("такой ссылки нет", "there is no such link"),
        hint=words("откройте её из сообщения целиком", "open all of it, as it was sent"),
        why="unknown",
    )


def _hash(ticket: str) -> str:
    return hashlib.sha256(ticket.encode()).hexdigest()


def _link(row: SurveyLinkRow) -> Link:
    return Link(
        row.id,
        row.survey_id,
        row.contact_id,
        row.first_name,
        row.phone,
        row.agent_id,
        row.department,
        row.expires_at,
        row.redeemed_at is not None,
        row.call_id,
    )
