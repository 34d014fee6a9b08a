"""A database that takes nothing from one moment of a call to another: the call goes on, what was said waits
in the spool, and nobody new is rung."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.core.errors import StoreUnavailable
from tests.disk import set_read_only
from tests.node.running import RunningNode
from tests.trust.clustered import Clustered
from tests.trust.customers import Fault, said_again, two, whole
from tests.trust.faults import answers, other_process, well

BEAT, BEATS = "the other nodes are not told", 5
"""What a node logs each second in which it cannot write; meanwhile its campaign had as many ticks."""


async def kept_from_ringing(node: RunningNode) -> None:
    """Neither is a call taken on: it could not be written down."""
    await said_again(node, BEAT, BEATS)
    with pytest.raises(StoreUnavailable):
        await node.ask("place_call", to="sip:nobody@127.0.0.1:9", survey="csat")


def test_the_database_becomes_read_only_in_a_call(faulty: RunningNode) -> None:
    """SQLite's: the files themselves, as they are once the system has remounted a broken disk."""
    file = Path(faulty.settings.database_url.partition("///")[2])
    files = (file, Path(f"{file}-wal"))  # the index of the log is memory that is shared
    stored = list[int]()
    with other_process(faulty) as other:

        async def breaks() -> None:
            set_read_only(True, *files)
            stored.append(answers(other))

        async def kept() -> None:
            await kept_from_ringing(faulty)
            stored.append(answers(other))

        async def mends() -> None:
            set_read_only(False, *files)

        try:
            rung = two(faulty, "readonly", Fault(breaks, kept, mends))
        finally:
            set_read_only(False, *files)
    assert stored[0] == stored[1], "none could be stored while he talked"
    assert rung.lag_s > 0, "what he said waited"
    whole(rung)
    well(faulty)


def test_postgresql_goes_away_in_a_call(clustered_node: Clustered) -> None:
    node, postgres = clustered_node.node, clustered_node.postgres

    async def breaks() -> None:
        await asyncio.to_thread(postgres.stop)

    async def kept() -> None:
        await kept_from_ringing(node)

    async def mends() -> None:
        await asyncio.to_thread(postgres.start)

    rung = two(node, "away", Fault(breaks, kept, mends))
    assert rung.lag_s > 0, "what he said waited"
    whole(rung)
    well(node)


def test_postgresql_becomes_read_only_in_a_call(clustered_node: Clustered) -> None:
    """As a standby that clients have come to, or a cluster that its administrator closed."""
    node, postgres = clustered_node.node, clustered_node.postgres

    async def breaks() -> None:
        await postgres.set_read_only(True)

    async def kept() -> None:
        await kept_from_ringing(node)

    async def mends() -> None:
        await postgres.set_read_only(False)

    rung = two(node, "closed", Fault(breaks, kept, mends))
    assert rung.lag_s > 0, "what he said waited"
    whole(rung)
    well(node)
