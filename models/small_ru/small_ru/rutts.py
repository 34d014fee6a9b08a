"""ru_tts, a Russian synthesiser of 1990 with a man's and a woman's voice (MIT; PyPI: retro-ru-tts).

The functions of its library are called themselves (ru_tts.h): the package's own wrapper fails under
Python 3.10 and newer («PY_SSIZE_T_CLEAN macro must be defined»).
"""

from __future__ import annotations

import ctypes
import importlib.util

import numpy as np

from bot.core.errors import SynthesiserUnavailable
from small_ru.voices import Manner, Samples

RATE = 10_000
_FLAGS = {"man": 0, "woman": 4}
_BUFFER = 8192
_FIELDS = (
    "speech_rate", "voice_pitch", "intonation", "general_gap", "comma_gap", "dot_gap", "semicolon_gap",
    "colon_gap", "question_gap", "exclamation_gap", "intonational_gap", "flags",
)  # fmt: skip


class _Settings(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int) for name in _FIELDS]


_Consumer = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p)


def library() -> str:
    """Where it lies; empty where the package is not installed."""
    found = importlib.util.find_spec("_ru_tts_native")
    return (found and found.origin) or ""


class RuTts:
    """The library in this process."""

    def __init__(self) -> None:
        """Raises SynthesiserUnavailable where the package is not installed."""
        if not library():
            raise SynthesiserUnavailable("ru_tts is not installed", hint="the package retro-ru-tts has it")
        self._lib = ctypes.CDLL(library())
        self._lib.ru_tts_config_init.argtypes = [ctypes.POINTER(_Settings)]
        self._lib.ru_tts_transfer.argtypes = [
            ctypes.POINTER(_Settings), ctypes.c_char_p, ctypes.c_void_p, ctypes.c_size_t, _Consumer,
            ctypes.c_void_p,
        ]  # fmt: skip
        self._chunks: list[bytes] = []
        self._consumer = _Consumer(self._take)  # kept: the library calls it

    def speak(self, text: str, voice: str, manner: Manner) -> tuple[Samples, int]:
        settings = _Settings()
        self._lib.ru_tts_config_init(ctypes.byref(settings))
        settings.speech_rate = round(100 * manner.rate)
        settings.voice_pitch = round(100 * manner.pitch)
        settings.flags = _FLAGS[voice]
        self._chunks.clear()
        spoken = stress_behind(text).encode("koi8-r")
        buffer = ctypes.create_string_buffer(_BUFFER)
        self._lib.ru_tts_transfer(ctypes.byref(settings), spoken, buffer, _BUFFER, self._consumer, None)
        samples = np.frombuffer(b"".join(self._chunks), np.int8).astype(np.float32)
        return samples / np.float32(128), RATE

    def _take(self, buffer: int, size: int, _data: int | None) -> int:
        self._chunks.append(ctypes.string_at(buffer, size))
        return 0


def stress_behind(text: str) -> str:
    """ru_tts takes its mark behind the stressed vowel."""
    letters: list[str] = []
    waiting = False
    for letter in text:
        if letter == "+":
            waiting = True
            continue
        letters.append(letter)
        if waiting:
            letters.append("+")
            waiting = False
    return "".join(letters)
