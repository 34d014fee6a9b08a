"""How long texts are spoken and of which sounds they are made: eSpeak NG, asked in batches.

`SpeechMeter` starts `python -m bot.speech.measuring` at its first question and keeps it until it is
closed: the engine is GPL-3 and lives in a process of its own, and one start serves many texts. The
two speak JSON, a line each way.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from typing import IO, TYPE_CHECKING, Literal, Self

from pydantic import BaseModel, TypeAdapter

from bot.core.errors import SynthesiserUnavailable
from bot.surveys.breaks import Piece, pieces
from bot.words import words

if TYPE_CHECKING:
    from bot.speech.espeak import Espeak

RUSSIAN = "ru"

_PLAIN = re.compile(r"(?!.*[А-ЯЁ]{2})(?!.*\w\.\w)[А-Яа-яЁё\s.,!?:;()«»\"'…+—–-]*", re.DOTALL)
"""Words alone: the normaliser, whose import takes longer than all the rest, has nothing to do."""


class Order(BaseModel):
    """What to measure: `seconds` of speech, or `phonemes`."""

    what: Literal["seconds", "phonemes"]
    language: str
    texts: tuple[str, ...]


_SECONDS = TypeAdapter(list[float])
_PHONEMES = TypeAdapter(list[list[str]])


class SpeechMeter:
    """Blocking; for one thread. What was asked once is remembered."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._known: dict[tuple[str, str, str], object] = {}

    def seconds(self, texts: Sequence[str], language: str) -> list[float]:
        """How long each text is spoken, pauses within it included. Raises SynthesiserUnavailable."""
        return _SECONDS.validate_python(self._ask("seconds", language, texts))

    def phonemes(self, texts: Sequence[str], language: str) -> list[list[str]]:
        """The sounds of each text in IPA, one string a sound. Raises SynthesiserUnavailable."""
        return _PHONEMES.validate_python(self._ask("phonemes", language, texts))

    def close(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.communicate()  # closes its input, which ends it

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def _ask(self, what: Literal["seconds", "phonemes"], language: str, texts: Sequence[str]) -> list[object]:
        new = tuple(text for text in dict.fromkeys(texts) if (what, language, text) not in self._known)
        if new:
            for text, found in zip(
                new, self._exchange(Order(what=what, language=language, texts=new)), strict=True
            ):
                self._known[what, language, text] = found
        return [self._known[what, language, text] for text in texts]

    def _exchange(self, order: Order) -> list[object]:
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "bot.speech.measuring"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
            )
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(order.model_dump_json() + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            self._process = None
            _, told = process.communicate()
            reason = told.strip().splitlines()[-1:] or [f"status {process.returncode}"]
            said = words(f"eSpeak NG не отвечает: {reason[0]}", f"eSpeak NG did not answer: {reason[0]}")
            raise SynthesiserUnavailable(said, hint="make setup")
        found: list[object] = json.loads(line)
        return found


def serve(orders: IO[str], answers: IO[str]) -> None:
    """Answers each line until there are no more. Raises SynthesiserUnavailable."""
    from bot.speech.espeak import Espeak

    engine = Espeak()
    for line in orders:
        order = Order.model_validate_json(line)
        found: list[object] = []
        for text in order.texts:
            if order.what == "phonemes":
                found.append(engine.phonemes(_as_spoken(text, order.language), language=order.language))
            else:
                found.append(round(sum(_lasting(engine, order.language, piece) for piece in pieces(text)), 3))
        answers.write(json.dumps(found, ensure_ascii=False) + "\n")
        answers.flush()


def _lasting(engine: Espeak, language: str, piece: Piece) -> float:
    spoken = _as_spoken(piece.text, language)
    samples, rate = engine.speak(spoken, voice="", language=language, rate=0)
    return len(samples) / rate + piece.silence_s


def _as_spoken(text: str, language: str) -> str:
    if language != RUSSIAN or _PLAIN.fullmatch(text):
        return text
    from bot.speech.normalise import normalise

    return normalise(text)


def main() -> int:
    try:
        serve(sys.stdin, sys.stdout)
    except SynthesiserUnavailable as error:
        sys.stderr.write(f"{error.message} ({error.hint})\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
