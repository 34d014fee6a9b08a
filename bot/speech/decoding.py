"""One Kaldi decoder, and what it says it heard."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import vosk
from pydantic import BaseModel

from bot.core.context import Word
from bot.speech.grammar import UNKNOWN

_MOSTLY_UNKNOWN = 0.5
"""From this share of unknown words on, what was heard by a grammar is heard again without one."""

vosk.SetLogLevel(-1)  # Vosk logs to stderr by itself; process-wide, so set once


class HeardWord(BaseModel):
    word: str
    start: float
    end: float
    conf: float

    def placed(self, media_time: Callable[[float], float]) -> Word:
        """The word on another scale of time; Kaldi's confidence may exceed 1 by rounding."""
        return Word(
            text=self.word,
            start=round(media_time(self.start), 3),
            end=round(media_time(self.end), 3),
            confidence=min(max(self.conf, 0.0), 1.0),
        )


class _Heard(BaseModel):
    text: str = ""
    partial: str = ""
    result: tuple[HeardWord, ...] = ()


class Decoder:
    """One Kaldi decoder. Blocking; used by one thread at a time."""

    def __init__(self, model: vosk.Model, rate: int, phrases: tuple[str, ...] | None) -> None:
        if phrases is None:
            self._kaldi = vosk.KaldiRecognizer(model, rate)
        else:
            self._kaldi = vosk.KaldiRecognizer(model, rate, json.dumps(phrases, ensure_ascii=False))
        self._kaldi.SetWords(True)
        self._segments: list[_Heard] = []

    def accept(self, data: bytes) -> None:
        """Decodes s16le."""
        if self._kaldi.AcceptWaveform(data):
            self._segments.append(_Heard.model_validate_json(self._kaldi.Result()))

    def text(self) -> str:
        """The text so far. Plain partials: with word times they stay empty for short answers."""
        partial = _Heard.model_validate_json(self._kaldi.PartialResult()).partial
        return " ".join(text for text in (*(s.text for s in self._segments), partial) if text)

    def settle(self) -> str:
        """Decide on all that was accepted; what follows is a segment of its own."""
        self._segments.append(_Heard.model_validate_json(self._kaldi.FinalResult()))
        return self.text()

    def finish(self) -> list[HeardWord]:
        """All words; their times count from the first sample."""
        self.settle()
        return [word for segment in self._segments for word in segment.result]


def mostly_unknown(words: Sequence[HeardWord]) -> bool:
    """Whether words were heard, and most of them not recognised. Silence is known well enough."""
    return bool(words) and _unknown(words) >= _MOSTLY_UNKNOWN * len(words)


def better_known(openly: Sequence[HeardWord], by_grammar: list[HeardWord]) -> list[HeardWord]:
    """What was heard without the grammar, where more of it is known; else what was heard by it."""
    if not openly or _unknown(openly) * len(by_grammar) >= _unknown(by_grammar) * len(openly):
        return by_grammar
    return list(openly)


def _unknown(words: Sequence[HeardWord]) -> int:
    return sum(word.word == UNKNOWN for word in words)
