"""The bot's voice on one line: ready prompts, played in order, written down as they were heard."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Protocol

import structlog

from bot.call.journal import Journal
from bot.call.waiting import first_of
from bot.core.audio import Pcm
from bot.core.errors import DiskFull, StoreUnavailable, SynthesiserUnavailable
from bot.core.events import CallEvent, PromptEnded, PromptPaused, PromptResumed, PromptStarted
from bot.core.ports import Prompts
from bot.surveys.breaks import without_breaks
from telephony.leg import CallLeg, Playback

log = structlog.get_logger()

SOUND_WAIT_S = 1.5
"""A caller waits for a prompt that was not prepared this long: more would be a dead line."""


class BotTape(Protocol):
    """Where the bot's side of a recording goes."""

    def write_bot(self, pcm: Pcm, at: float) -> None:
        """`at` is the media time in seconds at which the sound begins."""


@dataclass(frozen=True, slots=True)
class Voice:
    """Which voice speaks which language, and other voices for single texts: recordings of them."""

    name: str
    language: str
    by_text: Mapping[str, str] = field(default_factory=dict)

    def of(self, text: str) -> str:
        return self.by_text.get(text, self.name)


class MediaTime(Protocol):
    @property
    def media_s(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Media:
    """Where what was heard of a prompt is written down."""

    journal: Journal
    time: MediaTime
    tape: BotTape | None


class Guard(Protocol):
    """Listens while a prompt plays."""

    async def guard(self, prompt: Spoken) -> None:
        """Pauses and resumes the prompt as need be; returns when it is to be stopped, if ever."""


class Spoken:
    """A prompt that is being played, to be paused and resumed; written down as it was heard."""

    def __init__(self, playback: Playback, pcm: Pcm, text: str, number: int, media: Media) -> None:
        self.text = text
        self.duration_s = pcm.seconds
        self.number = number
        self._playback = playback
        self._end = asyncio.ensure_future(playback.done())
        self._pcm = pcm
        self._media = media
        self._from_s = 0.0  # where in the sound the stretch began that is playing
        self._at = self.started_s = media.time.media_s
        self._paused = False
        self.writing: list[asyncio.Future[Any]] = []

    @property
    def sounding(self) -> bool:
        """Whether it is being heard now."""
        return not self._paused and not self._end.done()

    async def pause(self, voice_s: float) -> float:
        """Falls silent, for a voice that began at media time `voice_s`; seconds that were heard."""
        heard_s = await self._playback.pause()
        self._tape(heard_s)
        self._paused = True
        self._write(
            PromptPaused,
            media_s=self._media.time.media_s,
            heard_s=round(heard_s, 3),
            voice_s=voice_s,
        )
        return heard_s

    def resume(self, because: str) -> None:
        """Goes on from the place that was heard."""
        self._from_s = self._playback.resume()
        self._at = self._media.time.media_s
        self._paused = False
        self._write(PromptResumed, media_s=self._at, because=because)

    def _write(self, kind: type[CallEvent], **fields: Any) -> None:
        """Behind what goes on: while a prompt is paused nothing else is heard, so no disk is waited for."""
        write = self._media.journal.write(kind, prompt=self.number, **fields)
        self.writing.append(asyncio.ensure_future(write))

    async def until(self, *ends: asyncio.Future[Any]) -> float:
        """Plays to its end, or until one of these is done, and is written down until there; seconds that were
        heard. Raises DiskFull, StoreUnavailable."""
        await first_of(self._end, *ends)
        heard_s = self._end.result() if self._end.done() else await self._playback.stop()
        if not self._paused:
            self._tape(heard_s)
        await asyncio.gather(*self.writing)
        return heard_s

    async def over(self) -> None:
        """Returns when it is not being heard any more."""
        await first_of(self._end)

    async def stop(self) -> None:
        await self._playback.stop()

    def _tape(self, heard_s: float) -> None:
        if self._media.tape is not None:
            begin, end = (2 * round(seconds * self._pcm.rate) for seconds in (self._from_s, heard_s))
            self._media.tape.write_bot(Pcm(self._pcm.data[begin:end], self._pcm.rate), self._at)


class Speaker:
    """Says texts on a leg. One text at a time; the next waits for the one before.

    `tape` takes what was played, once there is a recording; `on_sound` is called whenever a
    text's first frame was handed to the line, `on_started` once that is written down.
    """

    def __init__(
        self, leg: CallLeg, prompts: Prompts, journal: Journal, voice: Voice, time: MediaTime
    ) -> None:
        self._leg = leg
        self._prompts = prompts
        self._journal = journal
        self._voice = voice
        self._time = time
        self._numbers = count(1)
        self._spoken: Spoken | None = None
        self._bridge: Spoken | None = None
        self._writing: set[asyncio.Task[None]] = set()
        self.tape: BotTape | None = None
        self.on_sound: Callable[[], None] | None = None
        self.on_started: Callable[[], Awaitable[None]] | None = None

    async def sound(self, text: str) -> Pcm:
        """The prompt at the line's rate; from memory or disk where it was prepared.

        Raises SynthesiserUnavailable, also for a synthesiser that takes so long that the line would
        be silent.
        """
        try:
            async with asyncio.timeout(SOUND_WAIT_S):
                return await self._prompts.get(
                    text, voice=self._voice.of(text), language=self._voice.language, rate=self._leg.rate
                )
        except TimeoutError as error:
            raise SynthesiserUnavailable(f"no sound within {SOUND_WAIT_S:g} s") from error

    @property
    def sounding(self) -> bool:
        """Whether anything of ours is being heard now."""
        return any(spoken is not None and spoken.sounding for spoken in (self._spoken, self._bridge))

    @property
    def bridging(self) -> bool:
        return self._bridge is not None and self._bridge.sounding

    def bridge(self, text: str, pcm: Pcm) -> None:
        """Say this at once, over whatever is being awaited; it is written down behind, since the disk may
        be what the caller waits for. What is to be said meanwhile waits for its end."""
        number = next(self._numbers)
        media = Media(self._journal, self._time, self.tape)
        self._bridge = Spoken(self._leg.play(pcm), pcm, without_breaks(text), number, media)
        if self.on_sound is not None:
            self.on_sound()
        writing = asyncio.create_task(self._write_bridge(self._bridge))
        self._writing.add(writing)
        writing.add_done_callback(self._writing.discard)

    @property
    def behind(self) -> bool:
        """Whether an earlier one is still to be written down."""
        return bool(self._writing)

    async def cut_bridge(self) -> None:
        """The caller speaks: what bridges the silence is over."""
        if self._bridge is not None:
            await self._bridge.stop()

    async def close(self) -> None:
        """Returns when all is written down that was said beside `say`."""
        if self._bridge is not None:
            await self._bridge.stop()
        await asyncio.gather(*self._writing)

    async def _write_bridge(self, spoken: Spoken) -> None:
        hearing = asyncio.ensure_future(spoken.until())
        try:
            await self._journal.write(
                PromptStarted,
                media_s=spoken.started_s,
                prompt=spoken.number,
                purpose="filler",
                text=spoken.text,
                duration_s=spoken.duration_s,
            )
            if self.on_started is not None:
                await self.on_started()
            heard_s = await hearing
            await self._journal.write(
                PromptEnded,
                media_s=spoken.started_s + heard_s,
                prompt=spoken.number,
                heard_s=round(heard_s, 3),
                completed=heard_s >= spoken.duration_s - 0.02,
            )
        except (DiskFull, StoreUnavailable) as error:
            # The caller has heard it; what the call itself writes next meets the same disk, and says so.
            log.error("filler not written down", call_id=self._journal.call_id, reason=error.message)
        finally:
            hearing.cancel()

    async def say(
        self,
        text: str,
        *,
        purpose: str,
        protected: bool = False,
        question_id: str = "",
        attempt: int = 1,
        interrupt: asyncio.Event | None = None,
        guard: Guard | None = None,
    ) -> bool:
        """Speak; True if it was played to its end. Raises LegClosed when the line is gone.

        `interrupt` (a key was pressed) and `guard` (somebody talks over it) stop it, unless it is
        protected: then the guard only listens.
        """
        pcm = await self.sound(text)
        if self._bridge is not None:
            await self._bridge.over()
        number = next(self._numbers)
        media = Media(self._journal, self._time, self.tape)
        spoken = self._spoken = Spoken(self._leg.play(pcm), pcm, without_breaks(text), number, media)
        if self.on_sound is not None:
            self.on_sound()
        beside: list[asyncio.Future[Any]] = []
        if interrupt is not None and not protected:
            beside.append(asyncio.ensure_future(interrupt.wait()))
        if guard is not None:
            beside.append(asyncio.ensure_future(guard.guard(spoken)))
        ends = [] if protected else beside
        try:
            await self._journal.write(
                PromptStarted,
                media_s=spoken.started_s,
                prompt=number,
                purpose=purpose,
                text=spoken.text,
                duration_s=pcm.seconds,
                question_id=question_id,
                attempt=attempt,
                protected=protected,
            )
            if self.on_started is not None:
                await self.on_started()
            heard_s = await spoken.until(*ends)
        except (asyncio.CancelledError, DiskFull, StoreUnavailable):
            await spoken.stop()
            raise
        finally:
            await _end([*beside, *spoken.writing])
        completed = heard_s >= pcm.seconds - 0.02
        await self._journal.write(
            PromptEnded,
            media_s=self._time.media_s,
            prompt=number,
            heard_s=round(heard_s, 3),
            completed=completed,
        )
        return completed


async def _end(waiting: list[asyncio.Future[Any]]) -> None:
    """Cancel what still waits; what failed meanwhile fails here."""
    for future in waiting:
        future.cancel()
    for ended in await asyncio.gather(*waiting, return_exceptions=True):
        if isinstance(ended, Exception):
            raise ended
