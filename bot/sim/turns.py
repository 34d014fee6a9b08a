"""What the bot did about each turn of the caller: pure functions of two channels and a turn list.

A bot's sound shorter than `REPLY_S` is no reply: the sign of listening and clicks are shorter, words
are longer. The channels and the meaning of "voiced" are those of `bot.sim.measure`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from bot.sim.g711 import RATE, Samples
from bot.sim.measure import WINDOW, Turn, TurnList, voiced

REPLY_S = 0.1
"""The sign of listening takes 0.08 s (telephony.tones), the shortest word of a prompt about 0.2 s."""

BRIDGED = 5
"""Windows of silence inside one sound: a plosive's closure takes up to 50 ms."""

PAUSED_S = 0.25
"""A prompt that is silent for so long has been paused: its own words lie closer together."""

_MS = 1000 * WINDOW // RATE


class MeasuredTurn(BaseModel):
    """One turn at the caller's socket; times in ms.

    `gap_ms` is the time from his last voiced 10 ms to the bot's first, None where the bot said
    nothing before the next turn, was cut into, or was talked over. `cut` says that the bot began to
    speak while he was not done, audibly or by its own account. `pause_ms` is the time from his first
    voiced 10 ms over a prompt until the bot fell silent, `stop_ms` until the prompt had sounded for the
    last time; None where he waited for its end, or where it went on to its end.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    question_id: str
    what: str
    gap_ms: int | None = None
    cut: bool = False
    over_prompt: bool = False
    pause_ms: int | None = None
    stop_ms: int | None = None


def measure_turns(sent: Samples, received: Samples, turns: TurnList) -> tuple[MeasuredTurn, ...]:
    """Every turn that was spoken, in its order; keys and tones are no such turns."""
    sounds = _sounds(voiced(received))
    spoken = [turn for turn in turns.turns if turn.kind != "tone"]
    found = []
    for index, turn in enumerate(spoken):
        following = spoken[index + 1].start if index + 1 < len(spoken) else received.size
        clip = np.flatnonzero(voiced(sent[turn.start : turn.end]))
        if turn.kind == "say" and clip.size:
            first = turn.start // WINDOW + int(clip[0])
            last = turn.start // WINDOW + int(clip[-1]) + 1
            limit = min(following, turns.ended) // WINDOW
            begun = any(first < prompt // WINDOW < last for prompt in turns.prompts)
            found.append(_measured(turn, first, last, limit, sounds, begun=begun))
    return tuple(found)


def _sounds(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and one-past-last window of each sound that is long enough to be a word."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    joined: list[tuple[int, int]] = []
    for begin, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if joined and begin - joined[-1][1] <= BRIDGED:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((begin, end))
    shortest = round(REPLY_S * RATE / WINDOW)
    return [(begin, end) for begin, end in joined if end - begin >= shortest]


def _measured(
    turn: Turn, first: int, last: int, limit: int, sounds: Sequence[tuple[int, int]], *, begun: bool
) -> MeasuredTurn:
    bare = MeasuredTurn(question_id=turn.question_id, what=turn.what, over_prompt=turn.talked_over)
    if turn.talked_over:
        return _barged_in(bare, first, last, limit, sounds)
    if begun or any(first < begin < last for begin, _ in sounds):
        return bare.model_copy(update={"cut": True})
    reply = next((begin for begin, _ in sounds if last <= begin < limit), None)
    if reply is None:
        return bare
    return bare.model_copy(update={"gap_ms": (reply - last) * _MS})


def _barged_in(
    bare: MeasuredTurn, first: int, last: int, limit: int, sounds: Sequence[tuple[int, int]]
) -> MeasuredTurn:
    """The prompt's sounds from the barge-in on: up to the first pause, and up to the reply.

    Silence that begins before the voice does is the prompt's own. What begins once he has ended, and
    after a pause, is taken for the reply; what begins before that is the prompt going on.
    """
    quiet = round(PAUSED_S * RATE / WINDOW)
    paused: int | None = None
    stopped: int | None = None
    for begin, end in sounds:
        if end <= first:
            continue
        if begin >= limit:
            break
        if stopped is not None and begin >= last and begin - stopped >= quiet:
            return bare.model_copy(update={"gap_ms": (begin - last) * _MS, **_since(first, paused, stopped)})
        if stopped is not None and paused is None and begin - stopped >= quiet:
            paused = stopped
        stopped = end
    if stopped is None or stopped >= limit:
        return bare
    return bare.model_copy(update=_since(first, paused, stopped))


def _since(first: int, paused: int | None, stopped: int) -> dict[str, int]:
    paused = stopped if paused is None else paused
    return {"pause_ms": (paused - first) * _MS, "stop_ms": (stopped - first) * _MS}
