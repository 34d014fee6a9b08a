"""A recording's answerer: the same evidence as on a line, from a file, as fast as it goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from bot.call.answering.classifier import Classifier, Verdict
from bot.call.answering.evidence import Evidence, LineUp, Words
from bot.call.answering.hearing import Hearing
from bot.core.audio import FRAME_S, Frame, Pcm, frame_bytes

_READ_S = 0.2
"""How often the recogniser is asked what it has so far."""


class Reader(Protocol):
    """A recogniser that is fed s16le and tells the text so far; blocking."""

    def accept(self, data: bytes) -> None: ...

    def text(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Heard:
    """Every verdict on a recording in its order; the last one stands. `seconds` is its length."""

    verdicts: tuple[Verdict, ...]
    seconds: float

    @property
    def last(self) -> Verdict | None:
        return self.verdicts[-1] if self.verdicts else None


def classify(
    pcm: Pcm,
    vad: Callable[[Frame], float],
    reader: Callable[[int], Reader] | None = None,
    *,
    answered_s: float | None = 0.0,
) -> Heard:
    """`vad` tells the probability that a frame is speech. `answered_s` is where in the recording the
    line was answered; None where it never was.

    `reader` opens a recogniser at a rate; without one, timing and tones decide alone. It is opened
    anew at the answer, so that a carrier's words are not the answerer's.
    """
    classifier = Classifier()
    verdicts = [
        verdict
        for evidence in _evidence(pcm, Hearing(pcm.rate), vad, reader, answered_s)
        if (verdict := classifier.push(evidence)) is not None
    ]
    final = classifier.finish()
    return Heard((*verdicts, final) if final is not None else tuple(verdicts), pcm.seconds)


def _evidence(
    pcm: Pcm,
    hearing: Hearing,
    vad: Callable[[Frame], float],
    reader: Callable[[int], Reader] | None,
    answered_s: float | None,
) -> Iterator[Evidence]:
    words = reader(pcm.rate) if reader is not None else None
    read_at = _READ_S
    answered = False
    for frame in frames(pcm):
        if answered_s is not None and not answered and frame.at >= answered_s - 1e-6:
            answered = True
            yield LineUp(frame.at)
            words = reader(pcm.rate) if reader is not None else None
        yield hearing.hear(frame, vad(frame))
        if words is not None:
            words.accept(frame.data)
            now = frame.at + FRAME_S
            if now >= read_at:
                read_at = now + _READ_S
                yield Words(now, words.text())


def frames(pcm: Pcm) -> Iterator[Frame]:
    """The sound in frames of 20 ms; the last one is filled up with silence."""
    size = frame_bytes(pcm.rate)
    for index in range(-(-len(pcm.data) // size)):
        data = pcm.data[index * size : (index + 1) * size]
        yield Frame(data + bytes(size - len(data)), pcm.rate, round(index * FRAME_S, 4))
