"""Turns as people speak them, composed from recorded pieces: with a pause, a hesitation, a correction.

Everything is drawn from one seeded generator, so that a run can be repeated sample by sample.
"""

from __future__ import annotations

import random
import wave
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict

from bot.sim.bench.pieces import Piece, Role
from bot.sim.g711 import RATE, Samples
from bot.sim.measure import WINDOW, voiced

PAUSE_MIN_S, PAUSE_MAX_S = 0.3, 1.5
"""Pauses inside a turn: longer than those between words, up to what a caller may correct himself within."""

NAY_S = 0.12
"""Between «нет» and the value that corrects."""


class Answers(StrEnum):
    """What kind of question a turn answers."""

    SCALE = "scale"
    YES_NO = "yes_no"
    OPEN = "open"


class Manner(StrEnum):
    """Where in the turn the caller pauses."""

    PLAIN = "plain"  # nowhere
    HESITATION = "hesitation"  # after «ну наверное»
    CLAUSE = "clause"  # in the middle of what he says
    CORRECTION = "correction"  # after a complete value, which he then takes back


PAUSED = (Manner.HESITATION, Manner.CLAUSE, Manner.CORRECTION)


class Utterance(BaseModel):
    """What a caller says in one turn: files end to end, with `gaps_s` of silence between their voices.

    `value` is the answer it ends with and `first_value` the one that is taken back; "" at an open
    question and where there is none. `pause_s` is the pause that makes the manner, 0 in a plain turn.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    answers: Answers
    manner: Manner
    voice: str
    files: tuple[str, ...]
    gaps_s: tuple[float, ...] = ()
    pause_s: float = 0.0
    value: str = ""
    first_value: str = ""
    text: str = ""


class Composer:
    """Draws utterances from pieces. The same pieces and generator give the same utterances."""

    def __init__(self, pieces: Sequence[Piece], chance: random.Random) -> None:
        self._chance = chance
        self._pieces = tuple(pieces)
        self._by_name = {piece.file.name: piece for piece in pieces}
        self.voices = tuple(dict.fromkeys(piece.voice for piece in pieces))

    def draw(self, answers: Answers, manner: Manner, voice: str) -> Utterance:
        """Raises KeyError for a manner that such a question does not have (a clause at yes or no)."""
        parts, first_value = _MANNERS[answers, manner](self, answers, voice)
        pause_s = 0.0 if manner is Manner.PLAIN else round(self._chance.uniform(PAUSE_MIN_S, PAUSE_MAX_S), 2)
        gaps = (pause_s, *(NAY_S for _ in parts[2:])) if len(parts) > 1 else ()
        return Utterance(
            answers=answers,
            manner=manner,
            voice=voice,
            files=tuple(part.file.name for part in parts),
            gaps_s=gaps,
            pause_s=pause_s,
            value=parts[-1].value,
            first_value=first_value,
            text=" … ".join(part.text for part in parts),
        )

    def sound(self, utterance: Utterance) -> Samples:
        """The utterance at 8 kHz. Raises AudioInvalid."""
        return join([self._by_name[name].sound() for name in utterance.files], utterance.gaps_s)

    def plain(self, answers: Answers, value: str, voice: str) -> Utterance:
        """A whole answer with this value, as it is given to a question that is put again."""
        role = _WHOLE[answers]
        same = [piece for piece in self._of(role, voice) if piece.value == value]
        piece = self._chance.choice(same or self._of(role, voice))
        return Utterance(
            answers=answers,
            manner=Manner.PLAIN,
            voice=voice,
            files=(piece.file.name,),
            value=piece.value,
            text=piece.text,
        )

    def _of(self, role: Role, voice: str) -> list[Piece]:
        return [piece for piece in self._pieces if piece.role is role and piece.voice == voice]

    def _any(self, role: Role, voice: str) -> Piece:
        return self._chance.choice(self._of(role, voice))

    def _whole(self, answers: Answers, voice: str) -> tuple[list[Piece], str]:
        return [self._any(_WHOLE[answers], voice)], ""

    def _hesitating(self, answers: Answers, voice: str) -> tuple[list[Piece], str]:
        return [self._any(Role.HESITATION, voice), self._any(_WHOLE[answers], voice)], ""

    def _halves(self, answers: Answers, voice: str) -> tuple[list[Piece], str]:
        first, second = (
            (Role.OPEN_HEAD, Role.OPEN_TAIL) if answers is Answers.OPEN else (Role.HEAD, Role.TAIL)
        )
        head = self._any(first, voice)
        return [head, next(tail for tail in self._of(second, voice) if tail.joins == head.joins)], ""

    def _correcting(self, answers: Answers, voice: str) -> tuple[list[Piece], str]:
        if answers is Answers.YES_NO:
            # «да … нет, не решили»: a bare «нет» after «да» could mean anything.
            no = [piece for piece in self._of(Role.YES_NO, voice) if piece.value == "no"]
            longest = max(no, key=lambda piece: len(piece.text))
            yes = [piece for piece in self._of(Role.YES_NO, voice) if piece.value == "yes"]
            first = self._chance.choice(yes)
            return [first, longest], first.value
        values = self._of(Role.VALUE, voice)
        first = self._chance.choice(values)
        other = self._chance.choice([piece for piece in values if piece.value != first.value])
        nay = min(
            (piece for piece in self._of(Role.YES_NO, voice) if piece.value == "no"),
            key=lambda piece: len(piece.text),
        )
        return [first, nay, other], first.value


_WHOLE = {Answers.SCALE: Role.VALUE, Answers.YES_NO: Role.YES_NO, Answers.OPEN: Role.OPEN}

_Drawn = Callable[[Composer, Answers, str], tuple[list[Piece], str]]
_MANNERS: dict[tuple[Answers, Manner], _Drawn] = {
    **{(answers, Manner.PLAIN): Composer._whole for answers in Answers},
    (Answers.SCALE, Manner.HESITATION): Composer._hesitating,
    (Answers.YES_NO, Manner.HESITATION): Composer._hesitating,
    (Answers.SCALE, Manner.CLAUSE): Composer._halves,
    (Answers.OPEN, Manner.CLAUSE): Composer._halves,
    (Answers.SCALE, Manner.CORRECTION): Composer._correcting,
    (Answers.YES_NO, Manner.CORRECTION): Composer._correcting,
}


def join(sounds: Sequence[Samples], gaps_s: Sequence[float]) -> Samples:
    """End to end, with so much silence between the last voiced 10 ms of one and the first of the next.

    What a piece holds around its voice counts as part of the silence.
    """
    parts: list[Samples] = []
    for index, sound in enumerate(sounds):
        if index:
            quiet = _after_voice(sounds[index - 1]) + _before_voice(sound)
            parts.append(np.zeros(max(round(gaps_s[index - 1] * RATE) - quiet, 0), np.int16))
        parts.append(sound)
    return np.concatenate(parts)


def _before_voice(sound: Samples) -> int:
    loud = np.flatnonzero(voiced(sound))
    return int(loud[0]) * WINDOW if loud.size else 0


def _after_voice(sound: Samples) -> int:
    loud = np.flatnonzero(voiced(sound))
    return sound.size - (int(loud[-1]) + 1) * WINDOW if loud.size else 0


def write_clip(file: Path, sound: Samples) -> None:
    """A mono WAV file at 8 kHz."""
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(sound.astype("<i2").tobytes())
