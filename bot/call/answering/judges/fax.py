"""A fax machine or modem: it answers with a tone or with data, and never with a word."""

from __future__ import annotations

from bot.call.answering import signals
from bot.call.answering.picture import Opinion, Picture, Weight
from bot.core.answerer import Answerer

_FSK_S = 0.4
"""The preamble of a fax's first message alone lasts 1 s (flags at 300 bit/s, ITU-T T.30, 5.3.1)."""


def judge(picture: Picture) -> Opinion | None:
    for tone in picture.tones:
        if signals.fax_answering(tone):
            return _fax(f"tone: CED {tone.hz:.0f} Hz")
        if signals.fax_calling(tone) and not any(burst.start < tone.start for burst in picture.bursts):
            return _fax(f"tone: CNG {tone.hz:.0f} Hz")
    if picture.fsk_s >= _FSK_S and not picture.talking:
        return _fax("tone: V.21")
    return None


def _fax(reason: str) -> Opinion:
    return Opinion(Answerer.FAX, Weight.TONE, reason)
