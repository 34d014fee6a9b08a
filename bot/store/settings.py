"""What the store may be told."""

from __future__ import annotations

from dataclasses import dataclass

LEASE_S = 120.0
"""How long a call that was heard of counts as alive, in seconds. Longer than any silence of the event
stream but a handover's talk, for which the node renews the lease."""


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """`url` is `sqlite+aiosqlite:///FILE` or `postgresql+asyncpg://USER:PASSWORD@HOST:PORT/NAME`.

    Times in seconds. `busy_s`: how long a statement of SQLite waits for another process's
    transaction. `connect_s`: how long PostgreSQL may take to answer at all.
    """

    url: str
    busy_s: float = 10.0
    connect_s: float = 10.0


@dataclass(frozen=True, slots=True)
class WriterSettings:
    """How the writer drains the spools. Times in seconds.

    `batch`: events in one transaction. `poll_s`: how often the spools are looked at. `gather_s`: who wakes
    the writer waits no longer, so that what happens meanwhile is the same transaction.
    `backoff_s` doubles with every failure up to `backoff_max_s` while the database is away.
    `lease_s`: how long a call counts as alive after its last event.
    """

    batch: int = 200
    poll_s: float = 2.0
    gather_s: float = 0.5
    backoff_s: float = 0.5
    backoff_max_s: float = 15.0
    lease_s: float = LEASE_S


CLOCK_OFF_S = LEASE_S / 4
"""By so much a node's clock may differ from its database's."""
