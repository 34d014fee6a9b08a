"""Who is told what: the endpoints of webhooks.

They stand in the database and not in `otklik.toml`: all nodes of a database know the same ones, a new one
needs no restart, the node itself can disable one (410 Gone), and its secret is made here and never written
into a file that people edit and copy.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from pydantic import SecretStr
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, delete, select, update

from bot.core.clock import Clock
from bot.core.errors import BadInput
from bot.core.ids import new_id
from bot.delivery.addresses import checked
from bot.names import check_name
from bot.store.database import Database
from bot.store.tables_delivery import (
    DeliveryStatus,
    EventName,
    WebhookDeliveryRow,
    WebhookEndpointRow,
    WebhookTryRow,
)
from bot.words import words

SECRET_BYTES = 32
"""256 random bits; Standard Webhooks asks for 24 to 64 bytes."""

MARK = "whsec_"
"""Before a secret: so it is known for one wherever it stands."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`disabled_at` and its reason are set where it is told nothing. `secret` is shown once only."""

    id: str
    name: str
    url: str
    events: tuple[EventName, ...]
    personal: bool
    private: bool
    created_at: datetime
    disabled_at: datetime | None
    disabled_why: str
    secret: SecretStr = field(repr=False)

    @property
    def host(self) -> str:
        """The address without what may be secret in it: its path and query."""
        return urlsplit(self.url).netloc


class Endpoints:
    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def add(
        self,
        name: str,
        url: str,
        events: Collection[EventName] = tuple(EventName),
        *,
        personal: bool = False,
        private: bool = False,
    ) -> Endpoint:
        """With a fresh secret. What happened before is not told. Raises BadInput."""
        check_name(name)
        if not events:
            raise BadInput(
                words("не сказано, о чём сообщать", "it is not said what to tell"), hint=", ".join(EventName)
            )
        row = WebhookEndpointRow(
            id=new_id("endpoint"),
            name=name,
            url=checked(url, private=private),
            secret=MARK + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode(),
            events=f",{','.join(sorted(set(events)))},",
            personal=personal,
            private=private,
            created_at=self._clock.now(),
        )
        try:
            async with self._db.write() as session:
                session.add(row)
        except IntegrityError as error:
            raise BadInput(
                words(f"получатель {name} уже есть", f"there is an endpoint {name} already"),
                hint="otklik webhooks list",
            ) from error
        return endpoint_of(row)

    async def list(self) -> Sequence[Endpoint]:
        """By name."""
        async with self._db.read() as session:
            rows = (await session.exec(select(WebhookEndpointRow))).all()
        return sorted(map(endpoint_of, rows), key=lambda each: each.name)

    async def named(self, name: str) -> Endpoint:
        """Raises BadInput."""
        found = [each for each in await self.list() if each.name == name]
        if not found:
            raise BadInput(
                words(f"получателя {name} нет", f"there is no endpoint {name}"), hint="otklik webhooks list"
            )
        return found[0]

    async def remove(self, name: str) -> None:
        """With its deliveries and their log. Raises BadInput."""
        endpoint = await self.named(name)
        own = select(WebhookDeliveryRow.id).where(col(WebhookDeliveryRow.endpoint_id) == endpoint.id)
        async with self._db.write() as session:
            await session.exec(delete(WebhookTryRow).where(col(WebhookTryRow.delivery_id).in_(own)))
            await session.exec(
                delete(WebhookDeliveryRow).where(col(WebhookDeliveryRow.endpoint_id) == endpoint.id)
            )
            await session.exec(delete(WebhookEndpointRow).where(col(WebhookEndpointRow.id) == endpoint.id))

    async def enable(self, name: str) -> None:
        """From now on it is told again; what was given up meanwhile is sent on demand. Raises BadInput."""
        endpoint = await self.named(name)
        async with self._db.write() as session:
            await session.exec(
                update(WebhookEndpointRow)
                .where(col(WebhookEndpointRow.id) == endpoint.id)
                .values(disabled_at=None, disabled_why="")
            )

    async def disable(self, name: str, why: str) -> None:
        """Raises BadInput."""
        await self.disable_id((await self.named(name)).id, why)

    async def disable_id(self, endpoint_id: str, why: str) -> None:
        """It is told nothing more; what still waits for it is given up. Idempotent."""
        now = self._clock.now()
        async with self._db.write() as session:
            await session.exec(
                update(WebhookEndpointRow)
                .where(
                    col(WebhookEndpointRow.id) == endpoint_id, col(WebhookEndpointRow.disabled_at).is_(None)
                )
                .values(disabled_at=now, disabled_why=why)
            )
            await session.exec(
                update(WebhookDeliveryRow)
                .where(
                    col(WebhookDeliveryRow.endpoint_id) == endpoint_id,
                    col(WebhookDeliveryRow.status) == DeliveryStatus.WAITING,
                )
                .values(status=DeliveryStatus.DEAD, done_at=now, claimed_until=None)
            )


def endpoint_of(row: WebhookEndpointRow) -> Endpoint:
    return Endpoint(
        row.id,
        row.name,
        row.url,
        tuple(EventName(name) for name in row.events.strip(",").split(",")),
        row.personal,
        row.private,
        row.created_at,
        row.disabled_at,
        row.disabled_why,
        SecretStr(row.secret),
    )
