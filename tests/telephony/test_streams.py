from __future__ import annotations

import asyncio
import gc

import pytest

from telephony.streams import Broadcast


async def test_everyone_gets_what_comes_after_he_subscribed() -> None:
    broadcast: Broadcast[int] = Broadcast(10)
    early = broadcast.subscribe()
    broadcast.publish(1)
    late = broadcast.subscribe()
    broadcast.publish(2)
    broadcast.close()
    assert [item async for item in early] == [1, 2]
    assert [item async for item in late] == [2]
    assert [item async for item in broadcast.subscribe()] == []


async def test_a_slow_reader_loses_the_oldest() -> None:
    broadcast: Broadcast[int] = Broadcast(3)
    stream = broadcast.subscribe()
    for item in range(5):
        broadcast.publish(item)
    broadcast.close()
    assert [item async for item in stream] == [2, 3, 4]


async def test_a_waiting_reader_is_woken_and_can_be_cancelled() -> None:
    broadcast: Broadcast[int] = Broadcast(3)
    stream = broadcast.subscribe()
    reading = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="one reader"):
        await anext(stream)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    reading = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    broadcast.publish(7)
    assert await reading == 7


async def test_a_stream_that_nobody_holds_is_forgotten() -> None:
    broadcast: Broadcast[int] = Broadcast(3)
    stream = broadcast.subscribe()
    assert len(broadcast._streams) == 1
    del stream
    gc.collect()
    assert len(broadcast._streams) == 0


async def test_drain_keeps_the_newest() -> None:
    broadcast: Broadcast[int] = Broadcast(10)
    stream = broadcast.subscribe()
    for item in range(6):
        broadcast.publish(item)
    stream.drain(keep=2)
    assert len(stream) == 2
    assert await anext(stream) == 4
