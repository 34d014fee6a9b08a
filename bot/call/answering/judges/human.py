"""A person: a few words, then silence, because he waits for ours. And whoever is in doubt."""

from __future__ import annotations

from bot.call.answering import phrases
from bot.call.answering.picture import Opinion, Picture, Weight
from bot.core.answerer import Answerer

_SHORT_S = 2.5
"""«Алло», «да, слушаю вас», «компания такая-то, добрый день»: shorter than any machine's greeting."""
_AFTER_SHORT_S = 0.8
_AFTER_GREETING_WORD_S = 0.5
_AFTER_LONG_S = 1.2
"""Silence after which somebody waits for an answer: he who said «алло» soonest."""


_AFTER_TONE_S = 0.5
"""A tone is nobody's silence: what it means shows soon after it."""


def judge(picture: Picture) -> Opinion | None:
    greeting = picture.greeting
    if not picture.answered or greeting is None:
        return None
    if picture.finished:
        return Opinion(Answerer.HUMAN, Weight.DOUBT, "doubt: somebody spoke, and no machine is proven")
    tone = picture.last_tone
    if tone is not None and picture.now - tone.end < _AFTER_TONE_S:
        return None
    pause_s = picture.now - greeting.end
    if len(picture.utterances) > 1:
        pause_s = picture.utterances[1].start - greeting.end
    if greeting.seconds <= _SHORT_S:
        enough_s = _AFTER_GREETING_WORD_S if phrases.greets(picture.words) else _AFTER_SHORT_S
        if pause_s >= enough_s:
            return Opinion(Answerer.HUMAN, Weight.TIMING, f"timing: {greeting.seconds:.1f} s, then silence")
    elif pause_s >= _AFTER_LONG_S:
        reason = f"doubt: {greeting.seconds:.1f} s of speech, then silence"
        return Opinion(Answerer.HUMAN, Weight.DOUBT, reason)
    return None
