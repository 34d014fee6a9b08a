"""Nothing is heard: a dead line, or a person who waits."""

from __future__ import annotations

from bot.call.answering.picture import Opinion, Picture, Weight
from bot.core.answerer import Answerer

SILENCE_S = 4.0
"""People answer within 2 s of taking a call."""


def judge(picture: Picture) -> Opinion | None:
    if not picture.answered or picture.bursts:
        return None
    long = picture.now - picture.since >= SILENCE_S and not picture.tones
    if long or picture.finished:
        reason = f"timing: nothing for {picture.now - picture.since:.1f} s"
        return Opinion(Answerer.SILENCE, Weight.DOUBT, reason)
    return None
