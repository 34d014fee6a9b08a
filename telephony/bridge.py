"""Two lines joined in the media path: what one party says, the other hears.

Each frame is passed on as it comes; the line itself holds about two frames, so that the beat of one
side need not meet the beat of the other. Only where the rates differ is anything converted, by a
filter that delays it 1.4 ms. Keys are not passed on: they stay with whoever reads `digits()`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from bot.core.audio import Frame
from telephony.leg import CallLeg
from telephony.resample import Resampler
from telephony.streams import Stream

_STALE_FRAMES = 4
"""Frames that may wait for us (80 ms). When the event loop was held up for longer, the older ones are
left out: a talk that lags by what nobody could hear meanwhile is worse than a gap."""

Tap = Callable[[CallLeg, Frame], None]
"""Sees every frame that was passed on, with the line it came from: for recording."""


class Bridge:
    """Joins `a` and `b`, both of them up.

        ender = await Bridge(a, b).run()        # until one of them hangs up

    or, with the bridge beside other work:

        async with Bridge(a, b).joined() as over:   # `over` is a task with the same result
            ...

    The lines stay as they are when it ends; hanging up the other one is the caller's decision.
    """

    def __init__(self, a: CallLeg, b: CallLeg, *, tap: Tap | None = None) -> None:
        self._a = a
        self._b = b
        self._tap = tap
        self._told = asyncio.Event()

    def stop(self) -> None:
        """Part the lines. `run` returns None."""
        self._told.set()

    async def run(self) -> CallLeg | None:
        """Returns the line that ended, or None after `stop`. Cancelling it parts the lines, too."""
        told = asyncio.ensure_future(self._told.wait())
        pumps = [
            asyncio.ensure_future(self._pump(source, target))
            for source, target in ((self._a, self._b), (self._b, self._a))
        ]
        try:
            over: list[asyncio.Future[Any]] = [told, self._a.ended, self._b.ended, *pumps]
            await asyncio.wait(over, return_when=asyncio.FIRST_COMPLETED)
            for leg in (self._a, self._b):
                if leg.ended.done():
                    return leg
            for pump in pumps:
                if pump.done():
                    pump.result()  # a fault of ours: let it be seen
            return None
        finally:
            for task in (told, *pumps):
                task.cancel()
            await asyncio.gather(told, *pumps, return_exceptions=True)

    @asynccontextmanager
    async def joined(self) -> AsyncIterator[asyncio.Task[CallLeg | None]]:
        task = asyncio.create_task(self.run())
        try:
            yield task
        finally:
            self.stop()
            await task

    async def _pump(self, source: CallLeg, target: CallLeg) -> None:
        resampler = Resampler(source.rate, target.rate)
        frames = source.frames()  # from now on: whatever was said before is not passed on
        async for frame in frames:
            if isinstance(frames, Stream) and len(frames) > _STALE_FRAMES:
                frames.drain(keep=_STALE_FRAMES // 2)
                continue
            data = resampler.convert(frame.data)
            target.write_frame(Frame(data, target.rate, frame.at, frame.concealed))
            if self._tap is not None:
                self._tap(source, frame)
