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
from bot.core.errors import DiskFull, StoreUnavailable
from bot.core.events import RecordingStarted, RecordingStopped

log = structlog.get_logger()

OpenRecording = Callable[[str, int], Awaitable[Recording]]
"""Makes the recording of a call id at a rate. Raises DiskFull, StoreUnavailable."""


class Tape:
    """`start` and `stop` bracket what is recorded; outside of them writing does nothing."""

    def __init__(self, call_id: str, rate: int, open_recording: OpenRecording, journal: Journal) -> None:
        self._call_id = call_id
        self._rate = rate
        self._open = open_recording
        self._journal = journal
        self._recording: Recording | None = None

    @property
    def running(self) -> bool:
        return self._recording is not None

    async def start(self) -> None:
        try:
            self._recording = await self._open(self._call_id, self._rate)
        except (DiskFull, StoreUnavailable) as error:
            log.error("recording not started", call_id=self._call_id, reason=error.message)
            return
        await self._journal.write(RecordingStarted, file=self._recording.path.name)

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
