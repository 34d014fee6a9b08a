"""A company's menu: it speaks of keys, or rings somebody inside after it has spoken."""

from __future__ import annotations

from bot.call.answering import signals
from bot.call.answering.judges import wording
from bot.call.answering.picture import Opinion, Picture, Weight
from bot.core.answerer import Answerer

_BEFORE_RINGING_S = 1.5
"""Speech before a ringing tone: a switchboard's «соединяю»."""


def judge(picture: Picture) -> Opinion | None:
    if not picture.answered:
        return None
    # A person with whom we talk may put us through as well.
    for tone in () if picture.talking else picture.tones:
        spoken_s = sum(burst.seconds for burst in picture.bursts if burst.start < tone.start)
        if tone.over and signals.is_ringback(tone) and spoken_s >= _BEFORE_RINGING_S:
            return Opinion(Answerer.IVR, Weight.TONE, "tone: ringing after speech")
    return wording.heard(picture, Answerer.IVR)
