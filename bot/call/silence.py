"""No silence on a line lasts longer than two seconds, whatever is being awaited.

The dialogue, the disk and the synthesiser may each be slow, between any two sounds. So one watch follows
the line frame by frame, and where nothing has sounded for too long it says a filler by itself, from
memory and without the disk. While the caller is being listened to it gives a quiet sign instead.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from itertools import cycle
from math import inf
from typing import Any

import structlog

from bot.call.barge_in import BargeInSettings
from bot.call.listening import Ear, Sounding
from bot.call.settings import CallSettings
from bot.call.speaking import Speaker
from bot.call.talking_over import level_dbfs
from bot.core.audio import FRAME_S, Pcm
from bot.core.errors import LegClosed, SynthesiserUnavailable
from telephony.leg import CallLeg

log = structlog.get_logger()

_QUIET_S = 1.9
"""By then something must begin: half a syllable is left of the two seconds that callers are promised."""

_TELLS_S = 4.0
"""Who has told something for so long is shown that he is listened to."""
_NODDING_S = 0.7
"""Into a pause of a caller who tells something: a sign then is no interruption, and comes before the turn
is over."""
_NODS_EVERY_S = 8.0
"""A sign of listening more often than this would be a nuisance."""
_ONSET_S = 0.06
"""A voice is no click: so much of it silences a filler, and ends a silence."""
_SPEAKS_S = 0.35
"""Whoever was heard this lately is speaking: nobody is told to wait while he speaks."""


class Silence:
    """Attends as the ear does. `rest` where silence is nobody's fault or somebody else's matter (a handover,
    a farewell), and `attend` again behind it; `close` at the end.

    Before `greeted` is set the caller has not heard who calls: a sign then, and no words.
    """

    def __init__(
        self,
        leg: CallLeg,
        ear: Ear,
        speaker: Speaker,
        settings: CallSettings,
        sign: Pcm,
        fillers: Sequence[str],
    ) -> None:
        self._leg = leg
        self._ear = ear
        self._speaker = speaker
        self._settings = settings
        self._gate = BargeInSettings()
        self._sign = sign
        self._texts = fillers
        self._fillers = cycle(fillers)
        self._text = next(self._fillers)
        self._sounds: dict[str, Pcm] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._attending = True
        self.greeted = False
        self._sounded_s = inf  # media time until which something was to be heard; inf before any
        self._voiced_s = -inf  # and until which it was the caller
        self._burst_s = 0.0
        self._waits_s = inf
        self._nodded_s = -inf
        ear.on_sounding = self._heard

    def attend(self) -> None:
        if not self._attending:
            self._attending = True
            self._sounded_s = inf

    def rest(self) -> None:
        self._attending = False

    def waiting(self, waits: bool) -> None:
        """The dialogue is being awaited, which nobody does for long without a word; or it has replied."""
        self._waits_s = self._ear.media_s if waits else inf

    def prepare(self) -> None:
        """Bring the fillers to memory; where one is needed sooner, it is the sign."""
        self._beside(self._prepare())

    async def close(self) -> None:
        self.rest()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _prepare(self) -> None:
        try:
            for text in self._texts:
                self._sounds[text] = await self._speaker.sound(text)
        except SynthesiserUnavailable as error:
            log.warning("no sound for a filler", reason=error.message)

    def _beside(self, doing: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(doing)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _heard(self, sounding: Sounding) -> None:
        """One frame on."""
        now = self._ear.media_s
        self._sounded_s = min(self._sounded_s, now)
        self._burst_s = self._burst_s + FRAME_S if self._is_voice(sounding) else 0.0
        if self._burst_s >= _ONSET_S:
            self._voiced_s = self._sounded_s = now
            if self._speaker.bridging:
                self._beside(self._speaker.cut_bridge())
        if self._speaker.sounding:
            self._sounded_s = now
        if self._attending and not self._leg.ended.done():
            self._keep_company(now)

    def _is_voice(self, sounding: Sounding) -> bool:
        frame, probability = sounding
        if frame.concealed or probability < self._gate.voice_probability:
            return False
        gate = max(self._gate.voiced_dbfs, frame.own_dbfs + self._gate.above_echo_db)
        return level_dbfs(frame) >= gate

    def _keep_company(self, now: float) -> None:
        silent_s = now - self._sounded_s
        if self._ear.listening:
            if silent_s >= self._settings.listening_sign_s or self._may_nod(now):
                self._give_sign(now)
        elif silent_s >= _QUIET_S or self._waits_too_long(now):
            if self.greeted:
                self._fill(now)
            elif silent_s >= _QUIET_S:
                self._give_sign(now)

    def _waits_too_long(self, now: float) -> bool:
        """A caller who waits with us for the dialogue is told so, again and again."""
        since_s = max(self._waits_s, self._sounded_s)
        return now - since_s >= self._settings.filler_after_s and now - self._voiced_s >= _SPEAKS_S

    def _may_nod(self, now: float) -> bool:
        return (
            self._ear.telling_s >= _TELLS_S
            and now - self._voiced_s >= _NODDING_S
            and now - self._nodded_s >= _NODS_EVERY_S
        )

    def _give_sign(self, now: float) -> None:
        self._sounded_s = self._nodded_s = now
        with suppress(LegClosed):
            self._leg.play(self._sign)

    def _fill(self, now: float) -> None:
        sound = self._sounds.get(self._text)
        if sound is None or self._speaker.behind:
            self._give_sign(now)  # to write more down would hold up the disk that is being waited for
            return
        with suppress(LegClosed):
            self._speaker.bridge(self._text, sound)
        self._text = next(self._fillers)
