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
from bot.call.listening import UNHEARD_S, Ear, Heard, Sounding
from bot.call.speaking import Spoken
from bot.core.audio import FRAME_S, SILENT_DBFS, Frame
from bot.core.context import TurnSource
from bot.core.directives import Expectation

log = structlog.get_logger()

_KEPT = round(UNHEARD_S / FRAME_S)
"""Frames over a prompt that may be needed again: the onset that a turn begins with, and what came while the
last words of a turn were decoded, as long as `Ear` keeps it."""
_LEAD_S = 0.3
"""Of this, before the first voiced sound: consonants are softer than vowels."""


class TalkOver:
    """Guards one prompt (`speaking.Guard`), and hears the turn that follows it or cuts it short.

    `expectation` None where the prompt asks nothing: `turns` are those that were said over it all the
    same. `keys` is what keys answer meanwhile, where that is another question. Over a voice that begins
    after media time `until_s` the prompt plays on: it is only listened to. `nods` are words that mean
    nothing here, beside those that never do.
    """

    def __init__(
        self,
        ear: Ear,
        expectation: Expectation | None,
        no_input_s: float,
        settings: BargeInSettings | None = None,
        *,
        keys: Expectation | None = None,
        until_s: float = inf,
        nods: frozenset[str] = frozenset(),
    ) -> None:
        self._keys = keys or expectation
        self._until_s = until_s
        self._nods = nods
        self._beside = False  # the prompt plays on over the voice that is heard
        self._meant: list[Heard] = []
        self._ear = ear
        self._expectation = expectation
        self._no_input_s = no_input_s
        self._settings = settings
        self._kept: deque[Sounding] = deque(maxlen=_KEPT)
        self._turn: asyncio.Task[Heard | None] | None = None
        self._policy: BargeIn | None = None

    async def guard(self, prompt: Spoken) -> None:
        policy = self._policy = BargeIn(
            prompt.text, prompt.duration_s, self._expectation, settings=self._settings, nods=self._nods
        )
        coming: asyncio.Queue[Sounding | None] = asyncio.Queue()

        def take(sounding: Sounding | None) -> None:
            if sounding is not None:
                self._kept.append(sounding)
            coming.put_nowait(sounding)

        unheard = self._ear.unheard()
        self._kept = deque(maxlen=_KEPT + len(unheard))
        for each in unheard:
            take(each)
        self._ear.on_frame = take
        try:
            saying_s = 0.0
            while (sounding := await coming.get()) is not None:
                match policy.push(_sound(sounding, self._ear.partial if self._turn else "", saying_s)):
                    case Pause(voice_s=voice_s):
                        self._beside = voice_s > self._until_s
                        self._begin(voice_s)
                        if self._beside:
                            saying_s = voice_s - prompt.started_s
                        else:
                            saying_s = await prompt.pause(voice_s)
                    case Stop() if not self._beside:
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
            since_s = self._unheard_since(policy)
            self._ear.give_back(each for each in self._kept if each[0].at >= since_s)

    def _unheard_since(self, policy: BargeIn) -> float:
        """From this media time on nobody has heard what came over the prompt: somebody begins at its very
        end, or goes on while the last words of his turn are decoded."""
        if self._turn is None:
            return inf if policy.voice_s is None else policy.voice_s - _LEAD_S
        over = self._turn.done() and not self._turn.cancelled() and self._turn.exception() is None
        heard = self._turn.result() if over else None
        return inf if heard is None else heard.decided_s - FRAME_S / 2  # times are sums of 20 ms

    async def turns(self) -> list[Heard]:
        """What was said over a prompt that asks nothing, and means something; the last of it to its end."""
        heard = await self.heard() if self._turn is not None else None
        return [each for each in (*self._meant, heard) if each is not None and self._says_something(each)]

    def _says_something(self, heard: Heard) -> bool:
        return heard.source is TurnSource.DTMF or (bool(heard.text) and self.is_meant(heard))

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
            since_s = inf if voice_s is None else voice_s - _LEAD_S
            before = [sounding for sounding in self._kept if sounding[0].at >= since_s]
            if self._policy is not None:  # and what came since its prompt is over
                last_s = self._kept[-1][0].at if self._kept else -inf
                before += [sounding for sounding in self._ear.unheard() if sounding[0].at > last_s]
            expectation = None if self._beside else self._expectation
            return await self._ear.hear(expectation, self._no_input_s, before)

        self._ear.partial = ""
        self._turn = asyncio.ensure_future(hear())

    async def _goes_on(self, prompt: Spoken, policy: BargeIn, resume: Resume, saying_s: float) -> bool:
        """Let the prompt go on, for this reason or a better one; False where the turn, which is over or
        cut, has words that count after all (the recogniser shows them late). Where it has gone on all the
        time they are kept, and the next turn is listened for."""
        assert self._turn is not None
        await asyncio.wait({self._turn})
        verdict = self._verdict(policy, self._turn, saying_s, resume)
        if verdict is None:
            if not self._beside or (heard := await self._turn) is None:
                return False
            self._meant.append(heard)
        self._turn = None
        policy.resumed()
        if self._keys is not None:
            self._ear.expect_keys(self._keys)  # a turn takes the keys with it
        if verdict is not None and not self._beside:
            prompt.resume(verdict.because)
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
        level_dbfs=level_dbfs(frame),
        own_dbfs=frame.own_dbfs,
        concealed=frame.concealed,
        partial=partial,
        saying_s=saying_s,
    )


def level_dbfs(frame: Frame) -> float:
    if frame.inaudible:
        return SILENT_DBFS
    samples = np.frombuffer(frame.data, "<i2").astype(np.float32)
    return 10 * math.log10(float(samples @ samples) / (max(samples.size, 1) * 32768.0**2) + 1e-12)
