"""What a classifier is fed: the line's sound in numbers, the words on it, and what happens to the call.

Whoever has the sound (a live line, a recording, a test) turns it into these; the classifier has no
clock, no model and no line. Times are seconds of media time.
"""

from __future__ import annotations

from dataclasses import dataclass

BAND_EDGES_HZ = (200.0, 450.0, 750.0, 1100.0, 1700.0, 2400.0, 3500.0)
"""The bands whose levels are a sound's shape: about even on the ear's scale over the telephone's band."""


@dataclass(frozen=True, slots=True)
class Peak:
    """The strongest frequency in 40 ms of sound; `share` of the power lies within 60 Hz of it."""

    hz: float
    share: float


@dataclass(frozen=True, slots=True)
class Sound:
    """The 20 ms that begin at `at`.

    `voice` is the probability of speech, 0..1. `bands` are the levels in dB of `BAND_EDGES_HZ`, and
    `fsk` the share of power around 1750 Hz, both over the 40 ms that end here. `echo_dbfs` is how loud
    our own sound may be in it.
    """

    at: float
    voice: float
    level_dbfs: float
    peak: Peak
    bands: tuple[float, ...] = ()
    fsk: float = 0.0
    echo_dbfs: float = -120.0


@dataclass(frozen=True, slots=True)
class Words:
    """All that has been recognised since the answer (or before it), the newest reading of it."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class LineUp:
    """The far end has answered: nothing heard before this counts as its own."""

    at: float


@dataclass(frozen=True, slots=True)
class OwnWords:
    """We have begun to say this: where it is recognised on the line, it is our echo."""

    at: float
    text: str


Evidence = Sound | Words | LineUp | OwnWords
