"""The voice activity of all lines at once: their windows are judged together, and silence is not judged.

The lines' frames come on the same beat, so in one turn of the event loop a dozen of twenty lines have a
window ready. One run of the network for all of them takes 0.04 to 0.06 ms a window, a run for each of
them 0.17 ms (a busy core; a batch of 20, of 8, and of 1).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import numpy as np

from bot.core.audio import FRAME_S, Frame
from bot.speech.vad import Floats, Judge, Windows

_KEPT = round(2.0 / FRAME_S)
"""Frames by which one listener of a line may be behind another."""
_SETTLED = round(0.3 / FRAME_S)
"""Inaudible frames in a row behind which the network has settled: it says the same of all that follow."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    line: LineVoice
    window: Floats
    told: asyncio.Future[float]


class SileroVoices:
    """Makes the voices of lines (`line`) and judges them. For one event loop."""

    def __init__(self) -> None:
        self._judge = Judge()
        self._waiting: dict[int, list[_Waiting]] = {}

    def line(self, rate: int) -> LineVoice:
        """Raises ValueError for a rate other than 8000 or 16000."""
        return LineVoice(self, rate)

    def ask(self, line: LineVoice, window: Floats) -> asyncio.Future[float]:
        loop = asyncio.get_running_loop()
        told: asyncio.Future[float] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._answer)  # after everybody who was woken by the same beat
        self._waiting.setdefault(line.rate, []).append(_Waiting(line, window, told))
        return told

    def _answer(self) -> None:
        waiting, self._waiting = self._waiting, {}
        for rate, together in waiting.items():
            try:
                found, states = self._judge(
                    rate,
                    np.stack([each.window for each in together]),
                    np.concatenate([each.line.state for each in together], axis=1),
                )
            except Exception as error:  # the border of the network's library: every listener is told
                for each in together:
                    each.told.set_exception(error)
                continue
            for number, each in enumerate(together):
                each.line.state = states[:, number : number + 1]
                each.told.set_result(float(found[number]))


class LineVoice:
    """One line's voice activity (`ports.VoiceActivity`) for all who listen to it: every frame is judged
    once. Each listener goes through the frames in their order, so whoever is first takes it on by one."""

    def __init__(self, voices: SileroVoices, rate: int) -> None:
        self.rate = rate
        self._voices = voices
        self._windows = Windows(rate)
        self.state = Judge.fresh()
        self._judged: dict[float, asyncio.Future[float] | None] = {}
        self._last: asyncio.Future[float] | None = None
        self._silent = 0

    async def probability(self, frame: Frame) -> float:
        told = self._judged[frame.at] if frame.at in self._judged else self._ask(frame)
        if told is None:
            return 0.0
        # Shielded: one listener may be cancelled while another waits for the same frame.
        return told.result() if told.done() else await asyncio.shield(told)

    def _ask(self, frame: Frame) -> asyncio.Future[float] | None:
        """None where it is plain that nobody speaks."""
        self._silent = self._silent + 1 if frame.inaudible else 0
        if self._silent > _SETTLED:
            told = None
            if self._silent == _SETTLED + 1:
                self._windows.forget()
        else:
            told = self._last
            for window in self._windows.add(frame):
                told = self._voices.ask(self, window)
        self._last = self._judged[frame.at] = told
        if len(self._judged) > _KEPT:
            del self._judged[next(iter(self._judged))]
        return told
