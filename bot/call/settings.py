"""What a call may be tuned by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class CallSettings:
    """Times in seconds.

    `filler_after_s`: a caller who waits for the dialogue this long hears a filler.
    `listening_sign_s`: a caller who thinks this long hears that the line is alive; with the
    filler it keeps every silence under the two seconds that callers are promised.
    `answer_timeout_s`: how long a called phone may ring.
    `handover_ring_s`: how long an agent's phone may ring.
    `handover_word_s`: how often a caller who waits for an agent is spoken to.
    `key_gap_s`: how long a key that could be the first of two waits for the second.
    `max_call_s`: nobody talks to a survey for longer; a bound for whatever we did not foresee.
    """

    filler_after_s: float = 0.8
    listening_sign_s: float = 1.8
    answer_timeout_s: float = 30.0
    handover_form: Literal["bridge", "blind"] = "bridge"
    handover_ring_s: float = 25.0
    handover_word_s: float = 15.0
    key_gap_s: float = 1.5
    max_call_s: float = 900.0
