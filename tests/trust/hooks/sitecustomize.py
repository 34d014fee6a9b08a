"""Runs at the start of each Python process of a node under test, which finds it by PYTHONPATH: SIGUSR1 breaks
the network that tells voices from noise, SIGUSR2 makes it whole."""

from __future__ import annotations

import signal
from types import FrameType

_sound: list[object] = []


def _break(number: int, frame: FrameType | None) -> None:
    from bot.speech.vad import Judge

    def broken(*given: object) -> None:
        raise RuntimeError("the network of the detector of voice does not run")

    if not _sound:
        _sound.append(Judge.__call__)
    Judge.__call__ = broken  # type: ignore[method-assign,assignment]


def _mend(number: int, frame: FrameType | None) -> None:
    from bot.speech.vad import Judge

    Judge.__call__ = _sound.pop()  # type: ignore[method-assign,assignment]


signal.signal(signal.SIGUSR1, _break)
signal.signal(signal.SIGUSR2, _mend)
