"""Silero voices: a torch package that is loaded where torch and the model file are installed.

`v5_cis_base_nostress` (MIT) puts no stress by itself; silero-stress does, by `+` before the vowel.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np

from bot.core.errors import ModelMissing, SynthesiserUnavailable
from bot.speech.sound import Samples
from bot.words import words

_RATES = (8000, 24000, 48000)
_DEFAULT_SPEAKER = "ru_zhadyra"


class Silero:
    """A loaded Silero model. One thread at a time."""

    def __init__(self, model_path: Path, speaker: str = _DEFAULT_SPEAKER) -> None:
        """`speaker` speaks where no other is asked for.

        Raises ModelMissing where torch, silero-stress or the model is missing or unusable."""
        self.name = f"silero-{model_path.stem}"
        self._speaker = speaker
        torch: Any = _need("torch", "torch")
        if not model_path.is_file():
            raise ModelMissing(
                words(f"нет голоса Silero {model_path}", f"no Silero model at {model_path}"),
                hint="otklik models list",
            )
        self._accent: Any = None
        if "nostress" in model_path.stem:
            self._accent = _need("silero_stress", "silero-stress").load_accentor()
        torch.set_num_threads(1)
        try:
            package = importlib.import_module("torch.package").PackageImporter(str(model_path))
            self._model: Any = package.load_pickle("tts_models", "model")
        except Exception as exc:  # torch names no errors of its own here
            raise ModelMissing(
                words(f"{model_path} не голос Silero: {exc}", f"{model_path} is not a Silero voice: {exc}"),
                hint=words("удалите файл и скачайте заново", "remove the file and get it again"),
            ) from exc

    def speak(self, text: str, *, voice: str, language: str, rate: int) -> tuple[Samples, int]:
        """Sound and its rate. Blocking. Raises SynthesiserUnavailable."""
        made_at = rate if rate in _RATES else _RATES[1]
        stressed = self._accent(text) if self._accent else text
        try:
            sound = self._model.apply_tts(text=stressed, speaker=voice or self._speaker, sample_rate=made_at)
        except Exception as exc:  # the package raises bare Exception and ValueError for voice and text
            raise SynthesiserUnavailable(
                words(f"Silero этого не произносит: {exc}", f"Silero cannot speak this: {exc}"),
                hint=words(
                    f"есть ли у модели голос {voice or self._speaker!r}?",
                    f"is {voice or self._speaker!r} one of its speakers?",
                ),
            ) from exc
        return np.asarray(sound, dtype=np.float32), made_at


def _need(module: str, package: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as exc:
        raise ModelMissing(
            words(
                f"голосам Silero нужен пакет Python {package}",
                f"Silero voices need the Python package {package}",
            ),
            hint=words(
                "поставьте extra silero (docs/speech.md) или выберите speech.engine = espeak",
                "install the extra silero (docs/speech.md), or set speech.engine to espeak",
            ),
        ) from exc
