"""When a caller begins to speak, and when his turn is over: pure, on media time.

The question's expectation decides how much silence ends a turn, one strategy a file, named
after it. `Endpointer` follows the sound and asks its strategy.
"""

from __future__ import annotations

from bot.speech.endpointing.choosing import strategy_for
from bot.speech.endpointing.endpointer import Endpointer
from bot.speech.endpointing.events import (
    EndpointEvent,
    NoInput,
    OverReason,
    SpeechEnded,
    SpeechStarted,
    TurnOver,
)
from bot.speech.endpointing.strategy import FixedSilence, TurnStrategy

__all__ = [
    "EndpointEvent",
    "Endpointer",
    "FixedSilence",
    "NoInput",
    "OverReason",
    "SpeechEnded",
    "SpeechStarted",
    "TurnOver",
    "TurnStrategy",
    "strategy_for",
]
