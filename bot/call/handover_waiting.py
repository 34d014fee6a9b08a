"""The caller while nobody has him: music, a word every so often, and an ear for «не надо»."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from itertools import cycle
from typing import Any

import structlog

from bot.call.handover_parts import Parts, Reason
from bot.call.handover_reading import WAITING, wants_no_more
from bot.call.waiting import first_of
from bot.core.endings import EndCause
from bot.core.errors import LegClosed, RecogniserUnavailable, Unavailable

log = structlog.get_logger()

_TURN_S = 30.0
"""A caller who waits in silence is listened to anew after this."""


class Hold:
    """Music for one who waits, and what is said into it. `start` and `stop` bracket it.

    `first` is said before the music, `hint` once, with the first word; `spoken` is set once `first` was
    heard, or cannot be any more.
    """

    def __init__(self, parts: Parts, first: str = "", hint: str = "") -> None:
        self._parts = parts
        self._first = first
        self._hint = hint
        self._words = cycle(parts.plan.texts.hold)
        self._task: asyncio.Task[None] | None = None
        self.spoken = asyncio.Event()

    def start(self) -> None:
        self._task = asyncio.create_task(self._entertain())

    async def stop(self) -> None:
        """The line is free. Idempotent."""
        task, self._task = self._task, None
        if task is not None:
            await let_go(task)

    async def _entertain(self) -> None:
        """Until cancelled, or until the line ends."""
        with suppress(LegClosed):
            try:
                await self._say(self._first, "handover")
            finally:
                self.spoken.set()
            while not self._parts.leg.ended.done():
                await self._play_music()
                await self._say(next(self._words), "hold")
                await self._say(self._hint, "hold")
                self._hint = ""  # once is enough

    async def _play_music(self) -> None:
        music_s = 0.0
        leg, room = self._parts.leg, self._parts.room
        while music_s < room.settings.handover_word_s and not leg.ended.done():
            music = leg.play(room.hold_music(leg.rate))
            try:
                music_s += await music.done()
            except asyncio.CancelledError:
                await music.stop()
                raise

    async def _say(self, text: str, purpose: str) -> None:
        if not text:
            return
        try:
            await self._parts.speaker.say(text, purpose=purpose)
        except Unavailable as error:
            log.warning("caller not spoken to while he waits", reason=error.message)  # the music goes on


class Waiting:
    """A caller who is being handed over. `over` says that there is nobody to hand over any more."""

    def __init__(self, parts: Parts, announcement: str) -> None:
        self._parts = parts
        self._hold = Hold(parts, announcement, parts.plan.texts.handover.cancel)
        self._listening: asyncio.Task[None] | None = None
        self.over: asyncio.Future[Reason] = asyncio.get_running_loop().create_future()

    def start(self) -> None:
        self._parts.leg.ended.add_done_callback(self._left)
        self._hold.start()
        self._listening = asyncio.create_task(self._listen())

    async def stop(self) -> None:
        """The line is free, and nobody listens to it. Idempotent."""
        self._parts.leg.ended.remove_done_callback(self._left)
        listening, self._listening = self._listening, None
        if listening is not None:
            await let_go(listening)
        await self._hold.stop()

    async def announced(self) -> None:
        """Returns when the announcement was heard, or when there is nobody to hear it."""
        spoken = asyncio.ensure_future(self._hold.spoken.wait())
        try:
            await first_of(spoken, self.over)
        finally:
            spoken.cancel()

    def _left(self, ended: asyncio.Future[EndCause]) -> None:
        self._finish("caller_left")

    def _finish(self, reason: Reason) -> None:
        if not self.over.done():
            self.over.set_result(reason)

    async def _listen(self) -> None:
        """Until he does not want to wait any longer, or cannot be heard."""
        ear = self._parts.ear
        ear.unheard()  # what was said before the handover was not said to it
        while not self.over.done():
            ear.expect_keys(WAITING)
            try:
                heard = await ear.hear(WAITING, _TURN_S, ear.unheard())
            except RecogniserUnavailable as error:
                log.warning("caller not listened to while he waits", reason=error.message)
                return
            if heard is None:
                return
            if wants_no_more(heard):
                self._finish("cancelled")


async def let_go(task: asyncio.Future[Any]) -> None:
    """Cancel and wait. Whoever waits for its result hears of its failure; where nobody does, the log has
    it."""
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled() and (error := task.exception()) is not None:
        log.warning("part of a handover ended early", reason=type(error).__name__)
