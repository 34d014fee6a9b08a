"""A node as one of a cluster, on a PostgreSQL and a Redis that can be taken from it, by a wall clock that can
be set, and with a detector of voice that can be broken."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from tests.node.running import RunningNode, running_node
from tests.postgres import Postgres, running_postgres
from tests.redis_server import RedisServer, running_redis

HOOKS = Path(__file__).parent / "hooks"
CLOCK_READ_S = "1"
"""How often a process of the node looks how far its wall clock is off."""
PRESENCE_S = 15.0


@dataclass(frozen=True, slots=True)
class Clustered:
    node: RunningNode
    postgres: Postgres
    redis: RedisServer
    clock: Path

    def set_clock(self, ahead: timedelta) -> None:
        """Of the node's own processes, and of nobody else: by libfaketime. What they measure time with runs
        on, as it does where the system's clock is set."""
        new = self.clock.with_suffix(".new")
        new.write_text(f"+{ahead.total_seconds():.0f}\n")
        new.replace(self.clock)


@contextmanager
def clustered(folder: Path) -> Iterator[Clustered]:
    clock = folder / "clock"
    clock.write_text("+0\n")
    (preloaded,) = Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")
    with running_postgres() as postgres, running_redis() as redis:
        sections = {
            "store": {"url": asyncio.run(postgres.new_database())},
            "presence": {"url": redis.url, "ttl_s": PRESENCE_S},
            "campaigns": {"queue_url": redis.url.replace("/0", "/1")},
            # Who asks for the time waits for one lock of libfaketime, and spins: not before all others.
            "call": {"realtime": False},
        }
        environment = {
            "LD_PRELOAD": str(preloaded),
            "FAKETIME_TIMESTAMP_FILE": str(clock),
            "FAKETIME_CACHE_DURATION": CLOCK_READ_S,
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
            "PYTHONPATH": os.pathsep.join([str(HOOKS), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep),
        }
        with running_node(environment, **sections) as node:
            yield Clustered(node, postgres, redis, clock)
