"""What a call sounded like at the caller's socket: pure functions of two channels and a turn list.

The reply gap is from the end of the caller's last voiced 10 ms (above -45 dBFS) in his clip to the
start of the bot's first voiced 10 ms after it. Samples are int16 at 8 kHz, offsets count samples.
"""

from __future__ import annotations

from typing import Literal, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from bot.sim.g711 import RATE, Samples

VOICED_DBFS = -45.0
WINDOW = RATE // 100
"""10 ms, the resolution of every measure here."""

PAUSE_S = 0.1
"""So long must the bot be quiet inside a turn that talked over it, before what follows is a reply."""

CUE_SLACK = 5
"""Windows by which a cue may be early."""

TurnKind = Literal["say", "keys", "tone"]


class Turn(BaseModel):
    """Something the caller did, in sample offsets of the capture.

    `start` is the first sample of the clip and `end` the one after its last; `talked_over` marks
    a turn that began while the bot was still speaking.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: TurnKind
    question_id: str
    what: str
    start: int
    end: int
    talked_over: bool = False


class Cue(BaseModel):
    """The bot had put a question and fell silent at `at`: from here on it is the caller's turn."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    question_id: str
    at: int


class TurnList(BaseModel):
    """What stands in `<name>.json` beside `<name>.wav` (left sent, right received).

    `prompts` are the moments at which the bot began to speak by its own account: one that falls silent
    at once, because it is talked over, may never sound.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    rate: int = RATE
    channels: tuple[str, str] = ("sent", "received")
    answered: int
    ended: int
    turns: tuple[Turn, ...]
    cues: tuple[Cue, ...] = ()
    prompts: tuple[int, ...] = ()
    reply_gaps_ms: tuple[int, ...] = ()


def window_levels(samples: Samples) -> NDArray[np.float64]:
    """Level in dBFS (RMS against a full-scale square) of each whole 10 ms window; silence is -120."""
    count = samples.size // WINDOW
    windows = samples[: count * WINDOW].reshape(count, WINDOW).astype(np.float64) / 32768
    power = (windows**2).mean(axis=1)
    return cast(NDArray[np.float64], 10 * np.log10(np.maximum(power, 1e-12)))


def voiced(samples: Samples) -> NDArray[np.bool_]:
    """Per 10 ms window: is there sound above -45 dBFS."""
    return window_levels(samples) > VOICED_DBFS


def reply_gaps(sent: Samples, received: Samples, turns: TurnList) -> list[int]:
    """The gap in ms after every turn that the bot replied to, in the turns' order."""
    gaps = []
    speaking = [turn for turn in turns.turns if turn.kind != "tone"]
    for index, turn in enumerate(speaking):
        following = speaking[index + 1].start if index + 1 < len(speaking) else received.size
        limit = min(following, turns.ended)
        gap = _gap_after(sent, received, turn, limit)
        if gap is not None:
            gaps.append(gap)
    return gaps


def _gap_after(sent: Samples, received: Samples, turn: Turn, limit: int) -> int | None:
    clip = np.flatnonzero(voiced(sent[turn.start : turn.end]))
    if not clip.size and turn.kind == "say":
        return None
    # Keys sent by SIP INFO make no sound: their turn ends when the last one was confirmed.
    last = turn.start + (int(clip[-1]) + 1) * WINDOW if clip.size else turn.end
    begin = last
    if turn.talked_over:
        begin = _end_of_old_prompt(received, turn.start, last)
    reply = np.flatnonzero(voiced(received[begin:limit]))
    if not reply.size:
        return None
    return round((begin + int(reply[0]) * WINDOW - last) * 1000 / RATE)


def _end_of_old_prompt(received: Samples, start: int, last: int) -> int:
    """Where to look for the reply to a turn that began over a prompt: after the prompt's end."""
    busy = voiced(received[start:])
    quiet = round(PAUSE_S * RATE / WINDOW)
    run = 0
    for index, sounding in enumerate(busy):
        run = 0 if sounding else run + 1
        if run == quiet:
            return max(last, start + (index + 1) * WINDOW)
    return received.size


def longest_silence_s(sent: Samples, received: Samples, turns: TurnList) -> float:
    """The longest stretch of the answered call in which neither side was voiced, in seconds."""
    return _longest_run(~_anyone(sent, received, turns))


def longest_bot_silence_s(sent: Samples, received: Samples, turns: TurnList) -> float:
    """The same without the stretches in which it was the caller's turn to speak and he did not."""
    silent = ~_anyone(sent, received, turns)
    for cue in turns.cues:
        index = max(cue.at - turns.answered, 0) // WINDOW
        # The cue is known to about a packet: what is voiced just after it is the prompt's last sound.
        begin = index + int(np.argmax(silent[index : index + CUE_SLACK])) if silent[index:].any() else index
        ends = np.flatnonzero(~silent[begin:])
        silent[begin : begin + int(ends[0]) if ends.size else silent.size] = False
    return _longest_run(silent)


def _anyone(sent: Samples, received: Samples, turns: TurnList) -> NDArray[np.bool_]:
    part = slice(turns.answered, turns.ended)
    return voiced(sent[part]) | voiced(received[part])


def _longest_run(flags: NDArray[np.bool_]) -> float:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    lengths = edges[1::2] - edges[::2]
    return float(lengths.max()) * WINDOW / RATE if lengths.size else 0.0
