"""The bot's voice on one line: ready prompts, played in order, written down as they were heard."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Protocol

from bot.call.journal import Journal
from bot.call.waiting import first_of
from bot.core.audio import Pcm
from bot.core.errors import DiskFull, StoreUnavailable, SynthesiserUnavailable
from bot.core.events import PromptEnded, PromptPaused, PromptResumed, PromptStarted
from bot.core.ports import Prompts
from telephony.leg import CallLeg, Playback

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
        self._pcm = pcm
        self._media = media
        self._from_s = 0.0  # where in the sound the stretch began that is playing
        self._at = self.started_s = media.time.media_s
        self._paused = False

    async def pause(self, voice_s: float) -> float:
        """Falls silent, for a voice that began at media time `voice_s`; seconds that were heard."""
        heard_s = await self._playback.pause()
        self._tape(heard_s)
        self._paused = True
        await self._media.journal.write(
            PromptPaused,
            media_s=self._media.time.media_s,
            prompt=self.number,
            heard_s=round(heard_s, 3),
            voice_s=voice_s,
        )
        return heard_s

    async def resume(self, because: str) -> None:
        """Goes on from the place that was heard."""
        self._from_s = self._playback.resume()
        self._at = self._media.time.media_s
        self._paused = False
        await self._media.journal.write(PromptResumed, media_s=self._at, prompt=self.number, because=because)

    async def until(self, *ends: asyncio.Future[Any]) -> float:
        """Plays to its end, or until one of these is done; seconds that were heard."""
        playing = asyncio.ensure_future(self._playback.done())
        try:
            await first_of(playing, *ends)
            heard_s = await playing if playing.done() else await self._playback.stop()
        finally:
            playing.cancel()
        if not self._paused:
            self._tape(heard_s)
        return heard_s

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
        protected.
        """
        pcm = await self.sound(text)
        number = next(self._numbers)
        media = Media(self._journal, self._time, self.tape)
        spoken = Spoken(self._leg.play(pcm), pcm, text, number, media)
        if self.on_sound is not None:
            self.on_sound()
        ends: list[asyncio.Future[Any]] = []
        if interrupt is not None and not protected:
            ends.append(asyncio.ensure_future(interrupt.wait()))
        if guard is not None and not protected:
            ends.append(asyncio.ensure_future(guard.guard(spoken)))
        try:
            await self._journal.write(
                PromptStarted,
                media_s=spoken.started_s,
                prompt=number,
                purpose=purpose,
                text=text,
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
            await _end(ends)
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
