"""Who talks over a prompt: the policy of barge-in, bound to the ear and to the prompt that plays.

While the prompt plays nothing is recognised, so its echo can never become a word of an answer. At the
first sign of a voice the prompt falls silent and a turn begins with the last half second; if the voice
was nothing, the turn is forgotten and the prompt goes on.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from math import inf

import numpy as np
import structlog

from bot.call.barge_in import BargeIn, BargeInReason, BargeInSettings, Pause, Resume, Sound, Stop
from bot.call.listening import Ear, Heard, Sounding
from bot.call.speaking import Spoken
from bot.core.audio import FRAME_S, Frame
from bot.core.context import TurnSource
from bot.core.directives import Expectation

log = structlog.get_logger()

_KEPT_S = 1.0
"""Sound before a pause that the turn begins with: the onset that paused, and the soft one before it."""
_LEAD_S = 0.3
"""Of this, before the first voiced sound: consonants are softer than vowels."""


class TalkOver:
    """Guards one prompt (`speaking.Guard`), and hears the turn that follows it or cuts it short.

    `expectation` None where the prompt asks nothing: `turn` tells whether there is one all the same. A
    voice that begins after media time `until_s` is not listened to. `nods` are words that mean nothing
    here, beside those that never do.
    """

    def __init__(
        self,
        ear: Ear,
        expectation: Expectation | None,
        no_input_s: float,
        settings: BargeInSettings | None = None,
        *,
        until_s: float = inf,
        nods: frozenset[str] = frozenset(),
    ) -> None:
        self._until_s = until_s
        self._nods = nods
        self._ear = ear
        self._expectation = expectation
        self._no_input_s = no_input_s
        self._settings = settings
        self._kept: deque[Sounding] = deque(maxlen=round(_KEPT_S / FRAME_S))
        self._turn: asyncio.Task[Heard | None] | None = None
        self._policy: BargeIn | None = None

    @property
    def turn(self) -> bool:
        """Whether somebody began to speak, and was not found to mean nothing."""
        return self._turn is not None

    async def guard(self, prompt: Spoken) -> None:
        policy = self._policy = BargeIn(
            prompt.text, prompt.duration_s, self._expectation, settings=self._settings, nods=self._nods
        )
        coming: asyncio.Queue[Sounding | None] = asyncio.Queue()

        def take(sounding: Sounding | None) -> None:
            if sounding is not None:
                self._kept.append(sounding)
            coming.put_nowait(sounding)

        for unheard in self._ear.unheard():
            take(unheard)
        self._ear.on_frame = take
        try:
            saying_s = 0.0
            while (sounding := await coming.get()) is not None:
                if policy.voice_s is None and self._turn is None and sounding[0].at > self._until_s:
                    continue
                match policy.push(_sound(sounding, self._ear.partial if self._turn else "", saying_s)):
                    case Pause(voice_s=voice_s):
                        self._begin(voice_s)
                        saying_s = await prompt.pause(voice_s)
                    case Stop():
                        return
                    case Resume() as resume:
                        self._ear.cut()
                        if not await self._goes_on(prompt, policy, resume, saying_s):
                            return
                if self._turn is not None and self._turn.done():
                    nothing = Resume(BargeInReason.NOISE)
                    if not await self._goes_on(prompt, policy, nothing, saying_s):
                        return
        finally:
            self._ear.on_frame = None

    async def heard(self) -> Heard | None:
        """The turn: what was said over the prompt, or what is said after it. As `Ear.hear`."""
        if self._turn is None:
            self._begin(self._policy.voice_s if self._policy is not None else None)
        assert self._turn is not None
        try:
            return await self._turn
        finally:
            self._turn.cancel()

    def is_meant(self, heard: Heard) -> bool:
        """Whether a turn that stopped the prompt says anything, now that all its words are known."""
        return self._policy is None or self._policy.judge(heard.text, 0.0) is None

    def _begin(self, voice_s: float | None) -> None:
        """Start a turn that begins a little before `voice_s`, or now."""

        async def hear() -> Heard | None:
            since_s = float("inf") if voice_s is None else voice_s - _LEAD_S
            before = [sounding for sounding in self._kept if sounding[0].at >= since_s]
            return await self._ear.hear(self._expectation, self._no_input_s, before)

        self._ear.partial = ""
        self._turn = asyncio.ensure_future(hear())

    async def _goes_on(self, prompt: Spoken, policy: BargeIn, resume: Resume, saying_s: float) -> bool:
        """Let the prompt go on, for this reason or a better one; False where the turn, which is over or
        cut, has words that count after all (the recogniser shows them late)."""
        assert self._turn is not None
        await asyncio.wait({self._turn})
        verdict = self._verdict(policy, self._turn, saying_s, resume)
        if verdict is None:
            return False
        self._turn = None
        policy.resumed()
        if self._expectation is not None:
            self._ear.expect_keys(self._expectation)  # a turn takes the keys with it
        await prompt.resume(verdict.because)
        return True

    def _verdict(
        self, policy: BargeIn, turn: asyncio.Task[Heard | None], saying_s: float, resume: Resume
    ) -> Resume | None:
        """Why a turn that is over is none; None where it is one, or failed (whoever awaits it is told)."""
        if turn.cancelled() or turn.exception() is not None:
            return None
        heard = turn.result()
        if heard is None or heard.source is TurnSource.SILENCE:
            return resume
        if heard.source is not TurnSource.SPEECH:
            return None
        return policy.judge(heard.text, saying_s)


def _sound(sounding: Sounding, partial: str, saying_s: float) -> Sound:
    frame, probability = sounding
    return Sound(
        at=round(frame.at + FRAME_S, 4),
        probability=probability,
        level_dbfs=_level_dbfs(frame),
        own_dbfs=frame.own_dbfs,
        concealed=frame.concealed,
        partial=partial,
        saying_s=saying_s,
    )


def _level_dbfs(frame: Frame) -> float:
    samples = np.frombuffer(frame.data, "<i2").astype(np.float32)
    return 10 * math.log10(float(samples @ samples) / (max(samples.size, 1) * 32768.0**2) + 1e-12)
