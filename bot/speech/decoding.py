"""One Kaldi decoder, and what it says it heard."""

from __future__ import annotations

import json

import vosk
from pydantic import BaseModel

from bot.speech.alternatives import Alternative, Fits, likeliest
from bot.speech.heard import HeardWord

_ALTERNATIVES = 8
"""Readings that are asked for: behind these come ones that are likelier to be noise than speech."""

vosk.SetLogLevel(-1)  # Vosk logs to stderr by itself; process-wide, so set once


class _Heard(BaseModel):
    text: str = ""
    partial: str = ""
    result: tuple[HeardWord, ...] = ()


class _Reading(BaseModel):
    """One of several; Vosk calls its score a confidence."""

    confidence: float
    result: tuple[HeardWord, ...] = ()


class _Readings(BaseModel):
    alternatives: tuple[_Reading, ...]


class Decoder:
    """One Kaldi decoder. Blocking; used by one thread at a time."""

    def __init__(
        self, model: vosk.Model, rate: int, phrases: tuple[str, ...] | None, fits: Fits | None = None
    ) -> None:
        """`phrases` are a runtime grammar. With `fits` the decoder's readings are weighed by it."""
        if phrases is None:
            self._kaldi = vosk.KaldiRecognizer(model, rate)
        else:
            self._kaldi = vosk.KaldiRecognizer(model, rate, json.dumps(phrases, ensure_ascii=False))
        self._kaldi.SetWords(True)
        self._fits = fits
        if fits is not None:
            self._kaldi.SetMaxAlternatives(_ALTERNATIVES)
        self._segments: list[_Heard] = []

    def accept(self, data: bytes) -> None:
        """Decodes s16le."""
        if self._kaldi.AcceptWaveform(data):
            self._segments.append(self._decided(self._kaldi.Result()))

    def text(self) -> str:
        """The text so far. Plain partials: with word times they stay empty for short answers."""
        partial = _Heard.model_validate_json(self._kaldi.PartialResult()).partial
        return " ".join(text for text in (self._said, partial) if text)

    def settle(self) -> str:
        """Decide on all that was accepted; what follows is a segment of its own."""
        self._segments.append(self._decided(self._kaldi.FinalResult()))
        return self.text()

    def finish(self) -> list[HeardWord]:
        """All words; their times count from the first sample."""
        self.settle()
        return [word for segment in self._segments for word in segment.result]

    @property
    def _said(self) -> str:
        return " ".join(segment.text for segment in self._segments if segment.text)

    def _decided(self, result: str) -> _Heard:
        """A segment's words. Readings of it are judged together with what was said before."""
        fits, before = self._fits, self._said
        if fits is None:
            return _Heard.model_validate_json(result)
        found = _Readings.model_validate_json(result).alternatives
        readings = [Alternative(reading.confidence, reading.result) for reading in found]
        chosen = likeliest(readings, lambda text: fits(f"{before} {text}".strip()))
        return _Heard(text=chosen.text, result=chosen.words)
