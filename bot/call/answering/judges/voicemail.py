"""A mailbox: a long greeting at one go, a beep after it, and its words."""

from __future__ import annotations

from bot.call.answering import signals
from bot.call.answering.judges import wording
from bot.call.answering.picture import Opinion, Picture, Weight
from bot.call.answering.speech_timing import Span, utterances
from bot.call.answering.tones import Tone
from bot.core.answerer import Answerer

MONOLOGUE_S = 7.0
"""Nobody says so much into a telephone before he has heard who is there: a firm's greeting takes 3-4 s,
an angry customer's first words 5-6 s."""
_AT_ONCE_S = 2.0
"""A machine begins so soon after the answer. Who begins later speaks to us, and may have much to say."""
_VOICED_SHARE = 0.55
"""A monologue is mostly voice; a restless line is not."""
_BEFORE_BEEP_S = 1.5
"""Speech at one go that must go before a beep: more than «алло», as the lines of people can beep as well (a
recorded line's 1400 Hz, a key, a call that waits)."""
_LISTENS_S = 1.0
_BEEP_APART_S = 0.06
"""A vowel can be as pure as a beep, but it stands within speech."""
_BEEP_WITHIN_S = 3.0
"""How long after the greeting a mailbox beeps."""


def judge(picture: Picture) -> Opinion | None:
    if not picture.answered:
        return None
    beep = beep_of(picture)
    if beep is not None and _listens(picture, beep):
        return Opinion(Answerer.VOICEMAIL, Weight.TONE, f"tone: beep {beep.hz:.0f} Hz")
    worded = wording.heard(picture, Answerer.VOICEMAIL)
    if worded is not None:
        return worded
    greeting = picture.greeting
    if greeting is not None and greeting.start - picture.since <= _AT_ONCE_S and _is_monologue(greeting):
        reason = f"timing: {greeting.seconds:.1f} s of speech without a pause"
        return Opinion(Answerer.VOICEMAIL, Weight.TIMING, reason)
    return None


def beep_of(picture: Picture, within_s: float = _BEEP_WITHIN_S) -> Tone | None:
    """The newest beep that ended a greeting, `within_s` of its last word."""
    for tone in reversed(picture.tones):
        before = [burst for burst in picture.bursts if burst.start < tone.start]
        if not before or not signals.is_beep(tone) or signals.may_be_special(tone, picture.now):
            continue
        begun = utterances(before)[-1].start
        spoken_s = sum(burst.seconds for burst in before if burst.start >= begun)
        apart_s = tone.start - before[-1].end
        if spoken_s >= _BEFORE_BEEP_S and _BEEP_APART_S <= apart_s <= within_s:
            return tone
    return None


def _listens(picture: Picture, beep: Tone) -> bool:
    """Who is talking with us may have a kitchen that beeps; a mailbox falls silent, and records."""
    if not picture.talking:
        return True
    silent = picture.bursts[-1].start < beep.start and picture.now - beep.end >= _LISTENS_S
    return silent and not signals.is_recorders(beep)


def _is_monologue(greeting: Span) -> bool:
    return greeting.seconds >= MONOLOGUE_S and greeting.voiced_s >= _VOICED_SHARE * greeting.seconds
