"""What a call may be tuned by."""

from __future__ import annotations

from dataclasses import dataclass

from bot.core.routing import HandoverForm


@dataclass(frozen=True, slots=True)
class CallSettings:
    """Times in seconds.

    `filler_after_s`: a caller who waits for the dialogue this long hears a filler.
    `listening_sign_s`: a caller who thinks this long hears that the line is alive; with the
    filler it keeps every silence under the two seconds that callers are promised.
    `answer_timeout_s`: how long a called phone may ring.
    `handover_form`: how caller and agent are joined.
    `handover_ring_s`: how long an agent's phone may ring.
    `handover_refer_s`: how long the far ends may take to be joined by REFER with Replaces.
    `handover_decide_s`: how long an agent who picked up may take to accept or decline.
    `handover_whispers`: how often he is told who and why, where he says neither.
    `handover_limit_s`: a caller who has waited for so long is not made to wait for another agent.
    `handover_short_talk_s`: an agent who hangs up sooner was not talking: it broke off.
    `handover_word_s`: how often a caller who waits for an agent is spoken to.
    `callback_due_s`: the deadline of a call back that nobody else sets one for.
    `key_gap_s`: how long a key that could be the first of two waits for the second.
    `max_call_s`: nobody talks to a survey for longer; a bound for whatever we did not foresee.
    """

    filler_after_s: float = 0.8
    listening_sign_s: float = 1.8
    answer_timeout_s: float = 30.0
    handover_form: HandoverForm = "bridge"
    handover_ring_s: float = 25.0
    handover_refer_s: float = 8.0
    handover_decide_s: float = 40.0
    handover_whispers: int = 3
    handover_limit_s: float = 120.0
    handover_short_talk_s: float = 2.0
    callback_due_s: float = 4 * 3600.0
    handover_word_s: float = 15.0
    key_gap_s: float = 1.5
    max_call_s: float = 900.0
