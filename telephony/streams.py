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

    It holds `limit` items at most; a reader that falls further behind loses the oldest.
    """

    def __init__(self, limit: int) -> None:
        self._items: deque[T] = deque(maxlen=limit)
        self._waiter: asyncio.Future[None] | None = None
        self._closed = False

    def put(self, item: T) -> None:
        self._items.append(item)
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

    async def __anext__(self) -> T:
        while not self._items:
            if self._closed:
                raise StopAsyncIteration
            if self._waiter is not None:
                raise RuntimeError("a stream has one reader: subscribe once for each")
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return self._items.popleft()


class Broadcast(Generic[T]):
    """The publishing side. A subscriber that nobody holds any more is forgotten by itself."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        # Not a WeakSet: one more pass over it for every frame of every line took 8 % of a busy worker.
        self._streams: list[ref[Stream[T]]] = []
        self._closed = False

    def subscribe(self) -> Stream[T]:
        stream: Stream[T] = Stream(self._limit)
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
