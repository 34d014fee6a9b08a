"""Streams that a line publishes: everyone who subscribes gets what comes from then on."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Generic, TypeVar
from weakref import ref

T = TypeVar("T")


class Stream(AsyncIterator[T], Generic[T]):
    """One subscriber's view: an async iterator that ends when the publisher closes.

    It holds `limit` items at most; a reader that falls further behind loses the oldest. He is woken where
    `at_once` of them wait, and at the end.
    """

    def __init__(self, limit: int, at_once: int = 1) -> None:
        self._items: deque[T] = deque(maxlen=limit)
        self._at_once = at_once
        self._waiter: asyncio.Future[None] | None = None
        self._closed = False

    def put(self, item: T) -> None:
        self._items.append(item)
        if len(self._items) >= self._at_once:
            self._wake()

    def close(self) -> None:
        """No more items will come; those that wait can still be read."""
        self._closed = True
        self._wake()

    def __len__(self) -> int:
        """Items that wait to be read."""
        return len(self._items)

    def drain(self, *, keep: int = 0) -> None:
        """Throw away what waits but for the newest `keep` items."""
        while len(self._items) > keep:
            self._items.popleft()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def together(self) -> list[T]:
        """All items that wait, `at_once` at least or the last ones; none once the publisher has closed."""
        await self._enough()
        items = list(self._items)
        self._items.clear()
        return items

    async def __anext__(self) -> T:
        if not self._items:
            await self._enough()
        if not self._items:
            raise StopAsyncIteration
        return self._items.popleft()

    async def _enough(self) -> None:
        while len(self._items) < self._at_once and not self._closed:
            if self._waiter is not None:
                raise RuntimeError("a stream has one reader: subscribe once for each")
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None


class Broadcast(Generic[T]):
    """The publishing side. A subscriber that nobody holds any more is forgotten by itself."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        # Not a WeakSet: one more pass over it for every frame of every line took 8 % of a busy worker.
        self._streams: list[ref[Stream[T]]] = []
        self._closed = False

    def subscribe(self, at_once: int = 1) -> Stream[T]:
        """`at_once`: so many items are read together, by a reader whose waking costs more than their wait."""
        stream: Stream[T] = Stream(self._limit, at_once)
        if self._closed:
            stream.close()
        else:
            self._streams.append(ref(stream, self._streams.remove))
        return stream

    def publish(self, item: T) -> None:
        for stream in self._held():
            stream.put(item)

    def close(self) -> None:
        self._closed = True
        for stream in self._held():
            stream.close()

    def _held(self) -> list[Stream[T]]:
        return [stream for each in self._streams if (stream := each()) is not None]
