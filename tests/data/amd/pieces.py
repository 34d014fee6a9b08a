"""What a clip is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Say:
    text: str


@dataclass(frozen=True)
class Pause:
    seconds: float


@dataclass(frozen=True)
class Tones:
    """Frequency (0: silence) and seconds, one after another."""

    parts: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Music:
    seconds: float


@dataclass(frozen=True)
class V21:
    seconds: float


@dataclass(frozen=True)
class Recorded:
    """A clip of `people`: two voices that are not eSpeak's (see tests/data/audio/README.md)."""

    file: str


@dataclass(frozen=True)
class Mark:
    """`answered`: the line is answered here. `knowable`: from here on, a careful listener knows."""

    name: Literal["answered", "knowable"]


Piece = Say | Pause | Tones | Music | V21 | Recorded | Mark
Part = Literal["tuning", "held_out"]


@dataclass(frozen=True)
class Clip:
    name: str
    answerer: str
    part: Part
    voice: str
    pieces: tuple[Piece, ...]
    noise: str = "white"
    snr_db: float = 30.0
    gain_db: float = 0.0
    tempo: float = 1.0
    tone_dbfs: float = -16.0
    answered: Literal["start", "marked", "never"] = "start"

    @property
    def told(self) -> str:
        return " ".join(_told(piece) for piece in self.pieces if not isinstance(piece, Mark))


def _told(piece: Piece) -> str:
    match piece:
        case Say(text=text):
            return f"«{text}»"
        case Pause(seconds=seconds):
            return f"{seconds:g} s"
        case Tones(parts=parts):
            return "+".join(f"{hz:g} Hz {s:g} s" if hz else f"{s:g} s" for hz, s in parts)
        case Recorded(file=file):
            return file
        case Music(seconds=seconds) | V21(seconds=seconds):
            return f"{type(piece).__name__} {seconds:g} s"
        case Mark():
            return ""


KNOWN, UP = Mark("knowable"), Mark("answered")
SIT = Tones(((950, 0.33), (1400, 0.33), (1800, 0.33)))
RUSSIAN_RING = Tones(((425, 1.0), (0, 4.0)))


def beep(hz: float, seconds: float) -> Tones:
    return Tones(((hz, seconds),))


def busy(times: int, seconds: float = 0.35) -> Tones:
    return Tones(((425, seconds), (0, seconds)) * times)
