"""Two channels on one socket clock: what the caller sent (left) and what he received (right).

A packet's sound is laid where a person with this phone would have it: received sound begins when
its packet arrives, sent sound ends when its packet leaves (a phone sends 20 ms once it has heard
them). Packets of one run lie end to end by their sender's clock, as behind a jitter buffer; a run
begins anew where the arrivals of several packets agree that this clock has moved by more than
10 ms. What did not arrive is silence.
"""

from __future__ import annotations

import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

from bot.core.audio import FRAME_S
from bot.core.errors import AudioInvalid
from bot.sim.g711 import RATE, Samples
from bot.sim.measure import TurnList, longest_bot_silence_s, longest_silence_s, reply_gaps
from bot.sim.packets import Packet

RUN_TOLERANCE = RATE // 100
"""Samples by which a run may be off before it begins anew: the resolution of the measures."""

NEIGHBOURS = 5
"""Packets on either side whose median says when a packet was due: jitter of fewer moves nothing,
and a step of the clock (a sender that stalled) keeps its edge."""

LEAD_S = 0.5
"""The capture begins this long before the answer."""


def places(packets: Sequence[Packet], origin: float, *, shift_s: float = 0.0) -> list[int]:
    """For each packet the sample at which its sound begins, counted from the monotonic time `origin`."""
    found = [0] * len(packets)
    for stream in dict.fromkeys(packet.ssrc for packet in packets):
        run = [index for index, packet in enumerate(packets) if packet.ssrc == stream]
        arrivals = np.array([(packets[index].at + shift_s - origin) * RATE for index in run])
        offsets = _due(arrivals - np.array([packets[index].timestamp for index in run]))
        anchor = round(offsets[0])
        for index, offset in zip(run, offsets, strict=True):
            if abs(offset - anchor) > RUN_TOLERANCE:
                anchor = round(offset)
            found[index] = anchor + packets[index].timestamp
    return found


def sent_places(packets: Sequence[Packet], origin: float) -> list[int]:
    """The same for packets that were sent: their sound ended as they left."""
    return places(packets, origin, shift_s=-FRAME_S)


def lay_out(packets: Sequence[Packet], begins: Sequence[int], seconds: float) -> Samples:
    """One channel of so many seconds; later packets lie over earlier ones."""
    channel = np.zeros(round(seconds * RATE), np.int16)
    for packet, begin in zip(packets, begins, strict=True):
        first, last = max(begin, 0), min(begin + packet.samples.size, channel.size)
        if first < last:
            channel[first:last] = packet.samples[first - begin : last - begin]
    return channel


def _due(offsets: NDArray[np.float64]) -> NDArray[np.float64]:
    """The median of each offset and its neighbours; at the ends of those that there are."""
    due = np.empty_like(offsets)
    for index in range(offsets.size):
        due[index] = np.median(offsets[max(index - NEIGHBOURS, 0) : index + NEIGHBOURS + 1])
    return due


def two_channels(
    sent: Sequence[Packet], received: Sequence[Packet], origin: float, seconds: float
) -> tuple[Samples, Samples]:
    """What was sent and what was received, both from the monotonic time `origin` on."""
    return (
        lay_out(sent, sent_places(sent, origin), seconds),
        lay_out(received, places(received, origin), seconds),
    )


def write_capture(folder: Path, turns: TurnList, sent: Samples, received: Samples) -> None:
    """`<name>.wav` and `<name>.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    with wave.open(str(folder / f"{turns.name}.wav"), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(turns.rate)
        file.writeframes(np.column_stack([sent, received]).astype("<i2").tobytes())
    (folder / f"{turns.name}.json").write_text(turns.model_dump_json(indent=2) + "\n")


def read_capture(turn_list: Path) -> tuple[TurnList, Samples, Samples]:
    """A capture from its turn list's path. Raises AudioInvalid."""
    try:
        turns = TurnList.model_validate_json(turn_list.read_bytes())
        with wave.open(str(turn_list.with_suffix(".wav")), "rb") as file:
            shape = (file.getnchannels(), file.getsampwidth(), file.getframerate())
            data = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.int16)
    except (OSError, EOFError, wave.Error, ValidationError) as error:
        raise AudioInvalid(f"{turn_list}: not a capture: {error}") from error
    if shape != (2, 2, turns.rate) or turns.rate != RATE:
        raise AudioInvalid(f"{turn_list.with_suffix('.wav')}: not two channels of 16 bit at {RATE} Hz")
    return turns, data[0::2], data[1::2]


class Recomputed(BaseModel):
    """One captured call measured again from its two files."""

    name: str
    reply_gaps_ms: list[int]
    reported_ms: list[int]
    longest_silence_s: float
    longest_bot_silence_s: float
    agrees: bool


def recompute(folder: Path) -> list[Recomputed]:
    """Every captured call of a folder, measured again. Raises AudioInvalid."""
    lists = sorted(folder.glob("*.json"))
    if not lists:
        raise AudioInvalid(f"{folder}: no captured calls", hint="otklik simulate FILE.yaml --capture DIR")
    return [_measured(*read_capture(path)) for path in lists]


def _measured(turns: TurnList, sent: Samples, received: Samples) -> Recomputed:
    gaps = reply_gaps(sent, received, turns)
    return Recomputed(
        name=turns.name,
        reply_gaps_ms=gaps,
        reported_ms=list(turns.reply_gaps_ms),
        longest_silence_s=longest_silence_s(sent, received, turns),
        longest_bot_silence_s=longest_bot_silence_s(sent, received, turns),
        agrees=gaps == list(turns.reply_gaps_ms),
    )
