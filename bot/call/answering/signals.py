"""What tones mean: the signals of carriers and fax machines, and a mailbox's beep. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from bot.call.answering.tones import Tone

CARRIER_HZ = 425.0
"""Dial, ringing and busy tone of Russia (ITU-T E.180, supplement 2)."""
_CARRIER_WITHIN_HZ = 12.0
"""Exchanges make it to half a per cent; a mailbox may beep at the concert pitch of 440 Hz."""

_SIT_HZ = (950.0, 1400.0, 1800.0)
_SIT_WITHIN_HZ = 50.0
_SIT_S = (0.2, 0.45)
"""Special information tone: 950, 1400, 1800 Hz, each within 50 Hz, 330 ms each within 70 ms (ITU-T E.180, 7).
The first may begin before we hear it."""
_SIT_GAP_S = 0.12

_BUSY_S = (0.15, 0.65)
_BUSY_TIMES = 3
"""Busy tone is 0.35 s on and off in Russia and 0.1-0.66 s elsewhere (E.180); congestion is quicker."""

_RINGBACK_S = (0.65, 2.2)
"""Ringing tone: 0.67-1.5 s (E.180, 3.1); Russia 1 s on and 4 s off."""

_CNG_HZ, _CNG_WITHIN_HZ = 1100.0, 38.0
_CNG_S = (0.425, 0.575)
"""Calling tone of a fax: 1100 Hz within 38 Hz, 0.5 s within 15 %, every 3 s (ITU-T T.30, 4.3.3.1)."""

_CED_HZ, _CED_WITHIN_HZ = 2100.0, 20.0
_CED_S = 0.7
"""Answer tone of a fax or modem: 2100 Hz within 15 Hz for 2.6-4 s (T.30, 4.3.3.2; V.25). Nothing else on a
line sounds there for so long, so its first 0.7 s decide."""

_BEEP_HZ = (300.0, 1500.0)
_BEEP_S = (0.17, 2.5)


_RECORDER_HZ, _RECORDER_WITHIN_HZ = 1400.0, 25.0
"""The warning that a call is recorded: 1400 Hz, 0.2-0.5 s, every 15 s (ITU-T Q.35; FCC Part 64.501)."""


def is_recorders(tone: Tone) -> bool:
    return tone.near(_RECORDER_HZ, _RECORDER_WITHIN_HZ) and tone.seconds <= 0.65


def is_carriers(tone: Tone) -> bool:
    return tone.near(CARRIER_HZ, _CARRIER_WITHIN_HZ)


def is_ringback(tone: Tone) -> bool:
    return is_carriers(tone) and _RINGBACK_S[0] <= tone.seconds <= _RINGBACK_S[1]


def is_beep(tone: Tone) -> bool:
    """A mailbox's beep, as far as the tone alone tells: that speech went before it must be seen elsewhere."""
    low, high = _BEEP_HZ
    return low <= tone.hz <= high and _lasts(tone, _BEEP_S) and tone.over and not is_carriers(tone)


def special_information(tones: Sequence[Tone]) -> bool:
    """The three tones that go before a carrier's announcement."""
    return any(
        all(
            tone.near(hz, _SIT_WITHIN_HZ) and _lasts(tone, _SIT_S)
            for tone, hz in zip(three, _SIT_HZ, strict=True)
        )
        and all(later.start - earlier.end <= _SIT_GAP_S for earlier, later in pairwise(three))
        for three in zip(tones, tones[1:], tones[2:], strict=False)
    )


def may_be_special(tone: Tone, now: float) -> bool:
    """The first or second of the three, if another one follows at once: no beep yet."""
    near = any(tone.near(hz, _SIT_WITHIN_HZ) for hz in _SIT_HZ)
    return near and now - tone.end <= 2 * _SIT_GAP_S


def busy(tones: Sequence[Tone]) -> bool:
    """A carrier's tone on and off at a steady pace."""
    last = tones[-_BUSY_TIMES:]
    return (
        len(last) == _BUSY_TIMES
        and all(is_carriers(tone) and tone.over and _lasts(tone, _BUSY_S) for tone in last)
        and all(later.start - earlier.end <= _BUSY_S[1] for earlier, later in pairwise(last))
    )


def fax_calling(tone: Tone) -> bool:
    return tone.over and tone.near(_CNG_HZ, _CNG_WITHIN_HZ) and _lasts(tone, _CNG_S)


def fax_answering(tone: Tone) -> bool:
    return tone.near(_CED_HZ, _CED_WITHIN_HZ) and tone.seconds >= _CED_S


def _lasts(tone: Tone, span: tuple[float, float]) -> bool:
    # A tone's edges are known to a frame, and a window of two frames sees it a little longer.
    return span[0] - 0.03 <= tone.seconds <= span[1] + 0.04
