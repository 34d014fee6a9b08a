"""What a phone reports of a call: measured from its own socket, and captured where that was asked for."""

from __future__ import annotations

from bot.core.endings import EndCause
from bot.sim.caller import Done, received_since
from bot.sim.capture import LEAD_S, sent_places, two_channels, write_capture
from bot.sim.g711 import RATE
from bot.sim.measure import Cue, Turn, TurnList, longest_bot_silence_s, longest_silence_s, reply_gaps
from bot.sim.messages import PeerSpec, Report
from bot.sim.packets import Span, late
from bot.sim.rtp import FRAME, RtpSession
from bot.sim.sip_call import SipCall
from bot.sim.sounds import read_tone
from bot.sim.turns import measure_turns


def report_of(
    spec: PeerSpec, call: SipCall, rtp: RtpSession, done: Done, cause: EndCause, ended_at: float
) -> Report:
    """`ended_at` is on the socket's clock. Writes the capture as well."""
    bare = Report(
        direction=call.direction,
        remote=str(call.remote.uri),
        answered=call.answered,
        cause=cause.kind,
        status=cause.status,
    )
    if call.answered_at is None:
        return bare
    origin = call.answered_at - LEAD_S
    sent, received = two_channels(rtp.sent, rtp.received, origin, ended_at - origin)
    begins = sent_places(rtp.sent, origin)
    turns = _turn_list(spec.name, done, origin, call.answered_at, ended_at, begins)
    turns = turns.model_copy(update={"reply_gaps_ms": tuple(reply_gaps(sent, received, turns))})
    if spec.capture is not None:
        write_capture(spec.capture, turns, sent, received)
    heard = received_since(rtp, done.transferred_at or call.answered_at)
    return bare.model_copy(
        update={
            "seconds": round(ended_at - call.answered_at, 2),
            "turns": turns.turns,
            "unanswered": tuple(done.unanswered),
            "unasked": tuple(sorted(key for key in spec.answers if "#" not in key and key not in done.asked)),
            "digits_heard": "".join(key for _, key in rtp.digits),
            "reply_gaps_ms": turns.reply_gaps_ms,
            "measured": measure_turns(sent, received, turns),
            "longest_silence_s": longest_silence_s(sent, received, turns),
            "longest_bot_silence_s": longest_bot_silence_s(sent, received, turns),
            "tones": tuple(read_tone(heard, hz) for hz in spec.listen_hz),
            "packets_sent": rtp.counters.sent,
            "packets_received": rtp.counters.received,
            "packets_lost": rtp.counters.lost,
            "packets_late": late(rtp.received),
            "stalls": rtp.counters.stalls,
        }
    )


def _turn_list(
    name: str, done: Done, origin: float, answered_at: float, ended_at: float, begins: list[int]
) -> TurnList:
    def sample(at: float) -> int:
        return round(max(min(at, ended_at) - origin, 0) * RATE)

    def bounds(span: Span) -> tuple[int, int]:
        """Where the sound lies in the capture; by the clock where it went out without packets."""
        if span.packets is None:
            return sample(span.began), sample(span.ended)
        return begins[span.packets[0]], begins[span.packets[1]] + FRAME

    return TurnList(
        name=name,
        answered=sample(answered_at),
        ended=sample(ended_at),
        turns=tuple(
            Turn(
                kind=turn.kind,
                question_id=turn.question_id,
                what=turn.what,
                start=bounds(turn.span)[0],
                end=bounds(turn.span)[1],
                talked_over=turn.talked_over,
            )
            for turn in done.turns
        ),
        cues=tuple(Cue(question_id=question, at=sample(at)) for question, at in done.cues),
        prompts=tuple(sample(at) for at in done.prompts),
    )
