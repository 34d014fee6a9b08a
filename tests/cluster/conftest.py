"""A cluster on loopback: the edge as it ships, two nodes, PostgreSQL, Redis, a trunk with customers."""

from __future__ import annotations

import asyncio
import signal
import subprocess
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from bot.settings import Settings
from tests.cluster.edge import DEPLOY, Edge, running_edge
from tests.cluster.farm import NEVER_MS, Farm, answering_farm, start_caller
from tests.node.running import RunningNode, node_settings, ready, start
from tests.ports import free_port
from tests.postgres import Postgres, running_postgres
from tests.redis_server import running_redis

LINES = 8
"""Calls that a node takes at once."""

NAMES = ("node-1", "node-2")

WHENCE = "127.0.0.1:9"
"""A trunk that calls from loopback, and is not called."""


@dataclass
class Cluster:
    postgres: Postgres
    edge: Edge
    farm: Farm
    settings: dict[str, Settings]
    nodes: dict[str, RunningNode]

    async def quiet(self) -> bool:
        """Whether no node that runs has a call."""
        running = [node for node in self.nodes.values() if node.process.poll() is None]
        return not any([(await node.ask("status")).get("calls", 0) for node in running])

    async def talks(self, names: Iterable[str]) -> dict[str, int]:
        """How many calls are in their talk at each of these nodes, as they and SQL say."""
        found = {}
        for name in names:
            node = self.nodes[name]
            status = await node.ask("status")
            await node.ask("calls", call_ids=[])  # which waits until what the node knows is in SQL
            rows = await self.select(
                "SELECT 1 FROM attempts WHERE call_id = ANY($1::text[]) AND answered_at IS NOT NULL",
                status.get("call_ids", []),
            )
            found[name] = len(rows)
        return found

    async def select(self, query: str, *values: object) -> list[dict[str, Any]]:
        """What a program that knows nothing of ours reads from the tables."""
        url = self.settings[NAMES[0]].database_url.replace("postgresql+asyncpg://", "postgresql://")
        connection = await asyncpg.connect(url)
        try:
            return [dict(row) for row in await connection.fetch(query, *values)]
        finally:
            await connection.close()

    def start(self, *names: str) -> None:
        """Returns when they take calls."""
        for name in names:
            self.nodes[name] = start(self.settings[name])
        asyncio.run(_all_ready([self.nodes[name] for name in names]))

    def kill(self, name: str) -> None:
        """As if its machine had lost power: SIGKILL, upon which the kernel ends its children."""
        self.nodes[name].process.send_signal(signal.SIGKILL)
        self.nodes[name].process.wait(10)


async def until(holds: Callable[[], Awaitable[bool]], within_s: float = 20.0) -> None:
    """Polled: what is asked for is told by other processes. Raises TimeoutError."""
    async with asyncio.timeout(within_s):
        while not await holds():  # noqa: ASYNC110  other processes set no event of ours
            await asyncio.sleep(0.1)


async def _all_ready(nodes: Sequence[RunningNode]) -> None:
    await asyncio.gather(*map(ready, nodes))


def _settings(name: str, folder: Path, sip: int, rtp: str, edge: Edge, store: str, redis: str) -> Settings:
    made = node_settings(
        folder / name,
        node={"name": name},
        sip={
            "port": sip,
            "rtp_ports": rtp,
            "max_calls": LINES,
            "trunk": {"domain": edge.address, "proxy": edge.address},
        },
        store={"url": store},
        presence={"url": redis},
        campaigns={"queue_url": redis.replace("/0", "/1"), "calls_per_s": 20},
    )
    return made.model_copy(update={"recordings": folder / "recordings"})


@pytest.fixture(scope="module")
def left_alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[subprocess.Popen[bytes]]:
    """A caller whose node died without a word, behind an edge of his own. The edge needs half a minute to
    find out: it begins before the cluster, and whoever waits for it comes last."""
    folder = tmp_path_factory.mktemp("l")
    with ExitStack() as stack:
        node = stack.enter_context(answering_farm(folder, hold_ms=NEVER_MS))
        edge = stack.enter_context(running_edge([node.address], [WHENCE]))
        node.start(edge.address)
        caller = start_caller(folder, edge.address)
        stack.callback(caller.wait, 10)
        stack.callback(caller.kill)
        asyncio.run(until(lambda: _talks(node)))
        node.stop()
        yield caller


async def _talks(node: Farm) -> bool:
    return node.talks().total() == 1


@pytest.fixture(scope="module")
def cluster(
    tmp_path_factory: pytest.TempPathFactory, left_alone: subprocess.Popen[bytes]
) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("c")
    ports = [free_port() for _ in NAMES]
    with ExitStack() as stack:
        postgres = stack.enter_context(running_postgres(DEPLOY / "postgresql" / "otklik.conf"))
        redis = stack.enter_context(running_redis(DEPLOY / "redis" / "otklik.conf"))
        farm = stack.enter_context(answering_farm(folder))
        edge = stack.enter_context(running_edge([f"127.0.0.1:{port}" for port in ports], [farm.address]))
        farm.start(edge.address)
        store = asyncio.run(postgres.new_database())
        ranges = ("30000-30499", "30500-30999")
        settings = {
            name: _settings(name, folder, port, rtp, edge, store, redis.url)
            for name, port, rtp in zip(NAMES, ports, ranges, strict=True)
        }
        made = Cluster(postgres, edge, farm, settings, {})
        stack.callback(_end, made.nodes)
        made.start(*NAMES)  # both at once, on an empty database
        yield made


def _end(nodes: dict[str, RunningNode]) -> None:
    alive = [node for node in nodes.values() if node.process.poll() is None]
    for node in alive:
        node.process.send_signal(signal.SIGTERM)
    for node in alive:
        node.process.wait(60)
