"""A call's recording, or the lack of one: silent until it is started, and never in the way.

Nothing is recorded before the consent sentence was heard out; a full disk ends the recording and
not the call.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog

from bot.call.journal import Journal
from bot.call.recording import Recording
from bot.core.audio import Frame, Pcm
from bot.core.errors import DiskFull, RecordingsLocked, StoreUnavailable
from bot.core.events import RecordingRefused, RecordingStarted, RecordingStopped

log = structlog.get_logger()

OpenRecording = Callable[[str, int], Awaitable[Recording]]
"""Makes the recording of a call id at a rate. Raises DiskFull, StoreUnavailable."""


class Tape:
    """`start` and `stop` bracket what is recorded; outside of them writing does nothing. After `refuse`
    nothing is recorded any more."""

    def __init__(self, call_id: str, rate: int, open_recording: OpenRecording, journal: Journal) -> None:
        self._call_id = call_id
        self._rate = rate
        self._open = open_recording
        self._journal = journal
        self._recording: Recording | None = None
        self._refused = False

    @property
    def running(self) -> bool:
        return self._recording is not None

    async def start(self, media_s: float) -> None:
        """`media_s` is the line's media time: that of the recording's beginning."""
        if self._refused:
            return
        try:
            self._recording = await self._open(self._call_id, self._rate)
        except (DiskFull, RecordingsLocked, StoreUnavailable) as error:
            log.error("recording not started", call_id=self._call_id, reason=error.message)
            return
        await self._journal.write(RecordingStarted, media_s=media_s, file=self._recording.path.name)

    def write_caller(self, frame: Frame) -> None:
        if self._recording is not None:
            self._recording.write_caller(frame)

    def write_bot(self, pcm: Pcm, at: float) -> None:
        if self._recording is not None:
            self._recording.write_bot(pcm, at)

    async def stop(self, reason: str) -> None:
        """`reason`: `end`, `handover`; a failure of the disk replaces it by its code."""
        recording, self._recording = self._recording, None
        if recording is None:
            return
        seconds = await recording.close()
        if recording.failure is not None:
            reason = recording.failure.code
        await self._journal.write(
            RecordingStopped, file=recording.path.name, seconds=round(seconds, 2), reason=reason
        )

    async def refuse(self, words: str) -> None:
        """The caller does not want it: stop at once, and delete what there is. A second time says nothing."""
        if self._refused:
            return
        self._refused = True
        recording, self._recording = self._recording, None
        if recording is not None:
            reason = "refused"
            try:
                await recording.erase()
            except StoreUnavailable as error:
                log.error("recording not deleted", call_id=self._call_id, reason=error.message)
                reason = error.code
            await self._journal.write(RecordingStopped, file=recording.path.name, seconds=0.0, reason=reason)
        await self._journal.write(RecordingRefused, words=words)
