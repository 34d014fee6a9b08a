"""The pen that writes one call's events, in order, durably."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from bot.core.clock import Clock
from bot.core.events import CallEvent
from bot.core.ports import EventSink

E = TypeVar("E", bound=CallEvent)

Watcher = Callable[[CallEvent], None]


class Journal:
    """Numbers a call's events, commits each, then shows it to the watchers.

    A watcher sees an event only after it is durable, so nobody is ever shown what could be lost.
    """

    def __init__(self, call_id: str, sink: EventSink, clock: Clock, watcher: Watcher) -> None:
        self.call_id = call_id
        self._sink = sink
        self._clock = clock
        self._watcher = watcher
        self._next = 0
        self._order = asyncio.Lock()

    async def write(self, kind: type[E], *, media_s: float | None = None, **fields: Any) -> E:
        """Returns when the event is durable. Raises DiskFull."""
        async with self._order:
            # Taken before the commit: a write that is cancelled may be durable all the same, and a
            # number given out twice would make two events one. A gap harms nobody.
            seq, self._next = self._next, self._next + 1
            event = kind(call_id=self.call_id, seq=seq, at=self._clock.now(), media_s=media_s, **fields)
            await self._sink.commit(event)
        self._watcher(event)
        return event
