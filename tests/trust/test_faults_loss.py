"""Numbers said over a line that loses packets: it conceals, the model understands, and the turn ends."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np
import pytest

from bot.core.audio import Frame
from bot.core.directives import ScaleExpected
from bot.settings import PROJECT
from bot.sim.bench.pieces import Piece, Role, read_pieces
from bot.sim.g711 import decode, encode
from bot.sim.network import Network
from bot.speech.endpointing.endpointer import Endpointer
from bot.speech.endpointing.events import NoInput, SpeechEnded, TurnOver
from bot.speech.recogniser import VoskRecogniser
from bot.speech.vad import SileroVad
from telephony.intake import Intake
from tests.speech.conftest import model_path as model_path
from tests.speech.conftest import recogniser as recogniser

SCALE = ScaleExpected(low=0, high=10)
RATE, FRAME = 8000, 160
BEFORE = 4000
"""Samples of quiet before he speaks."""
NO_INPUT_S = 5.0
DEAD_AIR_S = 2.0
RUN = 2.0
"""Packets of one loss, on average."""


def heard(piece: Piece, network: Network, before: int = 1600, after: int = 4000) -> Iterator[Frame]:
    """What a line brings of it, with a pause around it."""
    sound = np.concatenate([np.zeros(before, np.int16), piece.sound(), np.zeros(after, np.int16)])
    sound = decode("PCMA", encode("PCMA", sound[: sound.size // FRAME * FRAME]))
    intake, fate = Intake(RATE), network.to_node()
    for packet in sound.reshape(-1, FRAME):
        if fate() is not None:
            intake.feed(packet.astype("<i2").tobytes())
        yield from intake.take(1)


def values() -> list[Piece]:
    return [each for each in read_pieces(PROJECT / "tests/data/audio/turns") if each.role is Role.VALUE]


def losing(loss: float, piece: Piece) -> Network:
    """The same for the same piece."""
    seed = int.from_bytes(hashlib.sha256(piece.file.name.encode()).digest()[:4], "big")
    return Network(loss=loss, run=RUN, seed=seed)


async def understood(recogniser: VoskRecogniser, frames: Iterator[Frame]) -> str:
    stream = recogniser.open(RATE, SCALE)
    try:
        for frame in frames:
            await stream.feed(frame)
        return (await stream.finish()).text
    finally:
        stream.close()


@pytest.mark.parametrize(("loss", "right"), [(0.05, 0.9), (0.1, 0.85), (0.2, 0.75)])
async def test_numbers_are_understood_over_a_line_that_loses_packets(
    recogniser: VoskRecogniser, loss: float, right: float
) -> None:
    """Of all that is understood on a whole line it is 0.96, 0.93 and 0.82; with silence in the holes it was
    0.89, 0.71 and 0.43."""
    same, pieces = 0, values()
    for piece in pieces:
        whole = await understood(recogniser, heard(piece, Network()))
        torn = await understood(recogniser, heard(piece, losing(loss, piece)))
        same += whole == torn
    assert len(pieces) >= 20
    assert same / len(pieces) >= right


async def waited_s(recogniser: VoskRecogniser, piece: Piece, network: Network) -> float:
    """From the end of what he said to the end of his turn, in seconds of the line."""
    stream, vad, turn = (
        recogniser.open(RATE, SCALE),
        SileroVad(RATE),
        Endpointer(SCALE, no_input_s=NO_INPUT_S),
    )
    ended_s = (BEFORE + piece.sound().size) / RATE
    try:
        for frame in heard(piece, network, BEFORE, round(NO_INPUT_S * RATE)):
            partial = await stream.feed(frame)
            for event in turn.push(frame, vad.probability(frame), partial):
                match event:
                    case SpeechEnded():
                        await stream.settle()
                    case TurnOver(at=at) | NoInput(at=at):
                        return at - ended_s
    finally:
        stream.close()
    raise AssertionError("a turn ends with NoInput at the latest")


async def test_whoever_answers_over_a_line_that_loses_a_fifth_is_not_waited_for(
    recogniser: VoskRecogniser,
) -> None:
    """Of six draws like this one 166 of 168 were over within 1.7 s; two were not told from silence."""
    late = [
        piece.file.name
        for piece in values()
        if await waited_s(recogniser, piece, losing(0.2, piece)) > DEAD_AIR_S
    ]
    assert late == []
