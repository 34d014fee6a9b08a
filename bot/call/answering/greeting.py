"""When we may begin to speak on a line that has just been answered: pure, on media time."""

from __future__ import annotations

from bot.call.answering.picture import Picture

WAIT_S = 1.2
"""Longest wait for somebody's «алло», and for the end of one: nobody waits for our verdict."""
PAUSE_S = 0.3
"""Silence after «алло» that hands the turn to us; gaps between the words of a greeting are shorter."""


def may_speak(picture: Picture) -> bool:
    if not picture.bursts:
        return picture.now - picture.since >= WAIT_S - 1e-6
    if picture.now - picture.bursts[0].start >= WAIT_S - 1e-6:
        return True  # whoever speaks so long is not saying «алло»
    return not picture.speaking and picture.now - picture.bursts[-1].end >= PAUSE_S - 1e-6
