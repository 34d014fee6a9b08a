"""The carrier itself: its tones, its words, its recording in a loop; before the answer, any words at all."""

from __future__ import annotations

from bot.call.answering import signals
from bot.call.answering.judges import wording
from bot.call.answering.picture import Opinion, Picture, Weight
from bot.core.answerer import Answerer
from bot.core.endings import Disposition

_EARLY_SPEECH_S = 1.0
"""Before the answer nobody can speak but the carrier (or its music, which holds little speech)."""
_ONWARD_S = 1.5
"""Who was speaking when the line was answered, and goes on for so long, began before the answer."""


def judge(picture: Picture) -> Opinion | None:
    if signals.special_information(picture.tones):
        return _opinion(Weight.TONE, "tone: SIT")
    if signals.busy(picture.tones):
        # After a talk it is what an exchange plays to the one whose party has hung up.
        outcome = Disposition.HUNG_UP if picture.talking else Disposition.BUSY
        return _opinion(Weight.TONE, "tone: busy", outcome)
    worded = wording.heard(picture, Answerer.ANNOUNCEMENT)
    if worded is not None:
        return worded
    if picture.repeats_after is not None:
        return _opinion(Weight.LOOP, f"timing: the same again after {picture.repeats_after:.1f} s")
    if not picture.answered:
        if picture.voiced_s >= _EARLY_SPEECH_S:
            return _opinion(Weight.TIMING, f"timing: {picture.voiced_s:.1f} s of speech before the answer")
        return None
    return _onward(picture)


def _onward(picture: Picture) -> Opinion | None:
    greeting = picture.greeting
    if not picture.spoke_at_answer or picture.early is None or greeting is None:
        return None
    if greeting.start - picture.since > 0.3 or greeting.voiced_s < _ONWARD_S:
        return None
    return _opinion(Weight.LOOP, "timing: speech that began before the answer", picture.early.outcome)


def _opinion(weight: Weight, reason: str, outcome: Disposition | None = None) -> Opinion:
    return Opinion(Answerer.ANNOUNCEMENT, weight, reason, outcome)
