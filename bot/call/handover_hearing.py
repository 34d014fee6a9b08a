"""A bridged talk on tape and in words: beside the bridge, off the event loop, never in its way.

Both ears go on hearing while two people talk. Where the call is recorded the agent's sound goes into
the tape's second channel, and what either side says becomes `TalkHeard`, on the caller's media time.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import replace
from typing import Literal

import structlog

from bot.call.handover_parts import Parts
from bot.call.handover_waiting import let_go
from bot.call.journal import Journal
from bot.call.listening import Ear, Sounding
from bot.core.audio import FRAME_S, Frame, Pcm
from bot.core.errors import RecogniserUnavailable
from bot.core.events import TalkHeard
from bot.core.ports import Recogniser, RecognitionStream
from telephony.resample import Resampler

log = structlog.get_logger()

_VOICED = 0.5
"""Probability of speech from which a frame counts as voice."""
_PAUSE_S = 0.8
"""Silence that ends what one side said: longer than the pauses within a sentence."""
_LONGEST_S = 20.0
"""Who talks on is written down in pieces of this length."""
_LEAD_S = 0.3
"""Sound from before the first voiced frame: consonants are softer than vowels."""
_BEHIND_S = 10.0
"""Sound that may wait for the recogniser; what is older is left out of the transcript."""


class SilentTape:
    """For an ear on a line that is not recorded by it."""

    def write_caller(self, frame: Frame) -> None:
        """Nothing is kept."""


class TalkHearing:
    """`start` it when the two are joined, `pause` and `resume` it around a hold, `stop` it at the end.

    Does nothing where the call is not being recorded: without a consent there is no transcript either.
    """

    def __init__(self, parts: Parts, agent_ear: Ear, agent_rate: int) -> None:
        self._parts = parts
        self._agent_ear = agent_ear
        self._resampler = Resampler(agent_rate, parts.leg.rate)
        room = parts.room
        self._caller = _Side("caller", room.recogniser, parts.leg.rate, parts.journal)
        self._agent = _Side("agent", room.recogniser, agent_rate, parts.journal)
        self._ahead_s: float | None = None
        self._on = False
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        if not self._parts.tape.running:
            return
        self._on = True
        self._parts.ear.on_frame = self._heard_caller
        self._agent_ear.on_frame = self._heard_agent
        self._tasks = [asyncio.create_task(side.run()) for side in (self._caller, self._agent)]

    def pause(self) -> None:
        self._on = False

    def resume(self) -> None:
        self._on = bool(self._tasks)

    async def stop(self) -> None:
        """What was said last is written down. Idempotent."""
        tasks, self._tasks = self._tasks, []
        if not tasks:
            return
        self._on = False
        self._parts.ear.on_frame = self._agent_ear.on_frame = None
        for side in (self._caller, self._agent):
            side.take(None)
        await asyncio.wait(tasks, timeout=_PAUSE_S)
        for task in tasks:
            await let_go(task)

    def _heard_caller(self, sounding: Sounding | None) -> None:
        if self._on:
            self._caller.take(sounding)

    def _heard_agent(self, sounding: Sounding | None) -> None:
        if not self._on or sounding is None:
            return
        frame, probability = sounding
        if self._ahead_s is None:  # the agent's line has a media time of its own
            self._ahead_s = self._parts.ear.media_s - frame.at - FRAME_S
        at = frame.at + self._ahead_s
        sound = Pcm(self._resampler.convert(frame.data), self._parts.leg.rate)
        self._parts.tape.write_bot(sound, at)
        self._agent.take((replace(frame, at=at), probability))


class _Side:
    """What one side says, sentence by sentence. `take(None)` is the end."""

    def __init__(
        self, side: Literal["caller", "agent"], recogniser: Recogniser, rate: int, journal: Journal
    ) -> None:
        self._side: Literal["caller", "agent"] = side
        self._recogniser = recogniser
        self._rate = rate
        self._journal = journal
        self._waiting: deque[Sounding] = deque(maxlen=round(_BEHIND_S / FRAME_S))
        self._over = False
        self._news = asyncio.Event()
        self._lead: deque[Frame] = deque(maxlen=round(_LEAD_S / FRAME_S))
        self._stream: RecognitionStream | None = None
        self._started_s = self._voiced_s = 0.0

    def take(self, sounding: Sounding | None) -> None:
        if sounding is None:
            self._over = True
        else:
            self._waiting.append(sounding)
        self._news.set()

    async def run(self) -> None:
        try:
            while not (self._over and not self._waiting):
                if not self._waiting:
                    self._news.clear()
                    await self._news.wait()
                    continue
                await self._hear(*self._waiting.popleft())
            await self._finish()
        except RecogniserUnavailable as error:
            log.warning("talk not transcribed any more", side=self._side, reason=error.message)
        finally:
            if self._stream is not None:
                self._stream.close()

    async def _hear(self, frame: Frame, probability: float) -> None:
        voiced = probability >= _VOICED and not frame.concealed
        if self._stream is None:
            self._lead.append(frame)
            if not voiced:
                return
            self._stream = self._recogniser.open(self._rate, None)
            self._started_s = frame.at
            for before in self._lead:
                await self._stream.feed(before)
            self._lead.clear()
        else:
            await self._stream.feed(frame)
        now = frame.at + FRAME_S
        if voiced:
            self._voiced_s = now
        if now - self._voiced_s >= _PAUSE_S or now - self._started_s >= _LONGEST_S:
            await self._finish()

    async def _finish(self) -> None:
        stream, self._stream = self._stream, None
        if stream is None:
            return
        transcript = await stream.finish()
        if not transcript.text:
            return
        await self._journal.write(
            TalkHeard,
            side=self._side,
            text=transcript.text,
            words=transcript.words,
            unknown_share=round(transcript.unknown_share, 3),
            started_s=round(self._started_s, 3),
            ended_s=round(self._voiced_s, 3),
        )
