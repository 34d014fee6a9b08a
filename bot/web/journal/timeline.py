"""The picture over a call's transcript: both channels on one axis of time, and what happened when. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from bot.web.journal.event_words import Pair
from bot.web.journal.talk import Row
from bot.web.journal.waveform import Waveform, path

WIDTH = 1000
HEIGHT = 200
CALLER = 50.0
BOT = 140.0
"""Where the middles of the two channels are: the caller above."""

MOST_TICKS = 12
_LEAST_S = 1.0
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800)


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch in which somebody spoke."""

    x: float
    width: float
    y: float
    who: str
    seq: int


@dataclass(frozen=True, slots=True)
class Mark:
    x: float
    told: Pair
    seq: int


@dataclass(frozen=True, slots=True)
class Timeline:
    """In the picture's units (WIDTH x HEIGHT). `ticks` are (x, seconds)."""

    seconds: float
    begins_s: float
    caller: str
    bot: str
    bars: tuple[Bar, ...]
    marks: tuple[Mark, ...]
    ticks: tuple[tuple[float, int], ...]


def timeline(rows: Sequence[Row], sound: Waveform | None, begins_s: float) -> Timeline | None:
    """`begins_s` is where on media time the sound begins. None where nothing has a time."""
    ends = [at for row in rows for at in (row.start_s, row.end_s) if at is not None]
    if not ends and sound is None:
        return None
    told = max([_LEAST_S, *ends, begins_s + sound.seconds if sound else 0.0])
    step = next((each for each in _STEPS if told / each <= MOST_TICKS), 3600)
    seconds = ceil(told / step) * step  # so that the last tick is at the very end

    def x(at: float) -> float:
        return round(max(at, 0.0) / seconds * WIDTH, 1)

    bars = tuple(
        Bar(x(row.start_s), max(x(row.end_s) - x(row.start_s), 1.0), _lane(row) - 42, row.who, row.seq)
        for row in rows
        if row.who != "event" and row.start_s is not None and row.end_s is not None
    )
    marks = tuple(
        Mark(x(row.start_s), row.told, row.seq)
        for row in rows
        if row.told is not None and row.start_s is not None
    )
    ticks = tuple((x(at), at) for at in range(0, seconds + 1, step))
    placed = {"x": x(begins_s), "width": sound.seconds / seconds * WIDTH if sound else 0.0}
    return Timeline(
        seconds,
        begins_s,
        path(sound.caller, middle=CALLER, **placed) if sound else "",
        path(sound.bot, middle=BOT, **placed) if sound else "",
        bars,
        marks,
        ticks,
    )


def _lane(row: Row) -> float:
    return CALLER if row.who == "caller" else BOT
