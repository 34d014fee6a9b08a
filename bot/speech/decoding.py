"""One Kaldi decoder, and what it says it heard.

A decoder puts its graph together while it decodes, by composing the model's two graphs, and that is a third
of its work. So the decoder of a turn that is over is kept with what it has put together, and hears another
turn as a new one would: behind its final result it begins anew.
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass
from enum import Enum, auto

import vosk
from pydantic import BaseModel

from bot.core.audio import SAMPLE_BYTES
from bot.speech.alternatives import Alternative, Fits, likeliest
from bot.speech.heard import HeardWord

_ALTERNATIVES = 8
"""Readings that are asked for: behind these come ones that are likelier to be noise than speech."""

_SPARE = 8
"""Decoders of one rate that wait for another turn: more are seldom at work, and each has 2 to 12 MB."""
_WORN_S = 1800.0
"""Of sound, after which a decoder is let go: Kaldi counts its time in single precision."""

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


@dataclass(slots=True)
class _Kaldi:
    """One of Vosk's recognisers, and how much sound it was given before the turn that it hears now."""

    itself: vosk.KaldiRecognizer
    before_s: float = 0.0


class _Sound(Enum):
    """What became of the sound that was accepted."""

    OPEN = auto()  # some of it belongs to no segment yet
    CUT = auto()  # Kaldi put a segment's end behind it by itself, or there was none: it goes on
    FINAL = auto()  # a final result was asked for, behind which Kaldi begins anew


class Decoders:
    """A model's decoders. Any thread may open one."""

    def __init__(self, model: vosk.Model) -> None:
        self._model = model
        self._spare: dict[int, deque[_Kaldi]] = {}

    def open(self, rate: int, phrases: tuple[str, ...] | None, fits: Fits | None = None) -> Decoder:
        """`phrases` are a runtime grammar. With `fits` the decoder's readings are weighed by it."""
        if phrases is not None:
            grammar = json.dumps(phrases, ensure_ascii=False)
            return Decoder(_Kaldi(vosk.KaldiRecognizer(self._model, rate, grammar)), rate, fits, None)
        if fits is not None:  # of a model whose graph is complete: there is nothing to keep
            return Decoder(_Kaldi(vosk.KaldiRecognizer(self._model, rate)), rate, fits, None)
        spare = self._spare.setdefault(rate, deque(maxlen=_SPARE))
        try:
            kaldi = spare.pop()
        except IndexError:
            kaldi = _Kaldi(vosk.KaldiRecognizer(self._model, rate))
        return Decoder(kaldi, rate, fits, spare)


class Decoder:
    """One Kaldi decoder. Blocking; used by one thread at a time."""

    def __init__(self, kaldi: _Kaldi, rate: int, fits: Fits | None, spare: deque[_Kaldi] | None) -> None:
        """Made by `Decoders.open`; when it has finished, its Kaldi goes to the `spare` ones, if any."""
        self._kaldi = kaldi.itself
        self._kaldi.SetWords(True)
        self._fits = fits
        if fits is not None:
            self._kaldi.SetMaxAlternatives(_ALTERNATIVES)
        self._own = kaldi
        self._spare = spare
        self._rate = rate
        self._samples = 0
        self._sound = _Sound.CUT
        self._segments: list[_Heard] = []

    def accept(self, data: bytes) -> None:
        """Decodes s16le."""
        self._samples += len(data) // SAMPLE_BYTES
        self._sound = _Sound.OPEN
        if self._kaldi.AcceptWaveform(data):
            self._sound = _Sound.CUT
            self._segments.append(self._decided(self._kaldi.Result()))

    def text(self) -> str:
        """The text so far. Plain partials: with word times they stay empty for short answers."""
        partial = _Heard.model_validate_json(self._kaldi.PartialResult()).partial
        return " ".join(text for text in (self._said, partial) if text)

    def settle(self) -> str:
        """Decide on all that was accepted; what follows is a segment of its own."""
        self._segments.append(self._decided(self._kaldi.FinalResult()))
        if self._sound is _Sound.OPEN:  # where there was nothing to decide on, Kaldi does not begin anew
            self._sound = _Sound.FINAL
        return self.text()

    def finish(self) -> list[HeardWord]:
        """All words; their times count from the first sample. Nothing can be decoded behind it."""
        if self._sound is not _Sound.FINAL:
            self.settle()
        before_s = self._own.before_s
        if self._spare is not None and self._sound is _Sound.FINAL:
            heard_s = before_s + self._samples / self._rate
            if heard_s < _WORN_S:
                self._spare.append(_Kaldi(self._kaldi, heard_s))
        return [word.later(-before_s) for segment in self._segments for word in segment.result]

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
