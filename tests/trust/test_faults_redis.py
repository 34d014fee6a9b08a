"""Redis, which nodes share their campaigns' queue and their agents' presence in, gone in the middle of a
call."""

from __future__ import annotations

import asyncio

from bot.core.errors import Unavailable
from tests.node.running import RunningNode
from tests.trust.clustered import Clustered
from tests.trust.customers import Fault, said_again, two, whole
from tests.trust.faults import well

AGENT, CHOSE = "anna", "busy"
COMES_BACK_S = 20.0
MISSED, LOOKS = "handovers not looked after", 2
"""What a node logs each time it does not find the agents' presence: at a call's end and every five seconds
here, in which its campaign would have had five ticks."""


def test_redis_is_gone_in_a_call(clustered_node: Clustered) -> None:
    node, redis = clustered_node.node, clustered_node.redis

    async def breaks() -> None:
        await node.ask("agent_save", agents=[{"id": AGENT, "name": "Анна", "sip": "sip:anna@127.0.0.1:9"}])
        await node.ask("presence", agent_id=AGENT, state=CHOSE)
        await asyncio.to_thread(redis.stop)

    async def kept() -> None:
        await said_again(node, MISSED, LOOKS)

    async def mends() -> None:
        await asyncio.to_thread(redis.start)  # empty: nothing of it is kept on disk

    rung = two(node, "redis", Fault(breaks, kept, mends))
    whole(rung)
    asyncio.run(there_again(node))
    well(node)


async def there_again(node: RunningNode) -> None:
    """What she chose is shown, though Redis has forgotten it."""
    async with asyncio.timeout(COMES_BACK_S):
        while await shown(node) != CHOSE:  # noqa: ASYNC110  another process sets no event of ours
            await asyncio.sleep(0.1)


async def shown(node: RunningNode) -> object:
    try:
        return (await node.ask("presence", agent_id=AGENT))["state"]
    except Unavailable:
        return None  # the node has not reached it yet
