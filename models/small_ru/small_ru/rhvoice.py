"""RHVoice where it is installed, by its C library (RHVoice.h of 1.8): one process speaks thousands of texts.

The engine is LGPL and GPL; only a process of the synthesis loads it. `RHVOICE_LIBRARY` and `RHVOICE_DATA`
name the library and the data of one that lies elsewhere.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import os
from pathlib import Path

import numpy as np

from bot.core.errors import SynthesiserUnavailable
from small_ru.voices import Manner, Samples

INSTALL = "Debian: apt-get install librhvoice5 rhvoice-russian, from its section non-free"
_TEXT = 0
_CALLBACKS = (
    "set_sample_rate", "play_speech", "process_mark", "word_starts", "word_ends", "sentence_starts",
    "sentence_ends", "play_audio", "done",
)  # fmt: skip
_RateCallback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_void_p)
_SpeechCallback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_uint, ctypes.c_void_p
)


class _Start(ctypes.Structure):
    """RHVoice_init_params, its callbacks written out."""

    _fields_ = [
        ("data_path", ctypes.c_char_p),
        ("config_path", ctypes.c_char_p),
        ("resource_paths", ctypes.c_void_p),
        *((name, ctypes.c_void_p) for name in _CALLBACKS),
        ("options", ctypes.c_uint),
    ]


class _Speech(ctypes.Structure):
    """RHVoice_synth_params. Absolute values are from -1 to 1, relative ones factors."""

    _fields_ = [
        ("voice_profile", ctypes.c_char_p),
        *((f"absolute_{name}", ctypes.c_double) for name in ("rate", "pitch", "volume")),
        *((f"relative_{name}", ctypes.c_double) for name in ("rate", "pitch", "volume")),
        ("punctuation_mode", ctypes.c_int),
        ("punctuation_list", ctypes.c_char_p),
        ("capitals_mode", ctypes.c_int),
        ("flags", ctypes.c_int),
    ]


def library() -> str:
    """The name of its library; empty where it is not installed."""
    return os.environ.get("RHVOICE_LIBRARY") or ctypes.util.find_library("RHVoice") or ""


class RhVoice:
    """The library in this process."""

    def __init__(self) -> None:
        """Raises SynthesiserUnavailable where it is not installed, or finds no voices."""
        if not library():
            raise SynthesiserUnavailable("RHVoice is not installed", hint=INSTALL)
        self._lib = ctypes.CDLL(library())
        self._lib.RHVoice_new_tts_engine.restype = ctypes.c_void_p
        self._lib.RHVoice_new_message.restype = ctypes.c_void_p
        self._lib.RHVoice_new_message.argtypes = [
            ctypes.c_void_p, ctypes.c_char_p, ctypes.c_uint, ctypes.c_int, ctypes.POINTER(_Speech),
            ctypes.c_void_p,
        ]  # fmt: skip
        self._lib.RHVoice_speak.argtypes = [ctypes.c_void_p]
        self._lib.RHVoice_delete_message.argtypes = [ctypes.c_void_p]
        self._rate = 24_000
        self._chunks: list[Samples] = []
        self._callbacks = (_RateCallback(self._take_rate), _SpeechCallback(self._take_speech))  # kept
        start = _Start(data_path=str(_data()).encode())
        start.set_sample_rate = ctypes.cast(self._callbacks[0], ctypes.c_void_p)
        start.play_speech = ctypes.cast(self._callbacks[1], ctypes.c_void_p)
        start.config_path = b"/etc/RHVoice"
        self._engine = self._lib.RHVoice_new_tts_engine(ctypes.byref(start))
        if not self._engine:
            raise SynthesiserUnavailable("RHVoice finds no voices", hint=INSTALL)

    def speak(self, text: str, voice: str, manner: Manner) -> tuple[Samples, int]:
        """Raises SynthesiserUnavailable for a voice that is not installed."""
        speech = _Speech(voice_profile=voice.encode(), relative_volume=1.0)
        speech.relative_rate, speech.relative_pitch = manner.rate, manner.pitch
        spoken = text.replace("+", "").encode()
        self._chunks.clear()
        message = self._lib.RHVoice_new_message(
            self._engine, spoken, len(spoken), _TEXT, ctypes.byref(speech), None
        )
        if not message:
            raise SynthesiserUnavailable(f"RHVoice has no voice {voice!r}", hint=INSTALL)
        self._lib.RHVoice_speak(message)
        self._lib.RHVoice_delete_message(message)
        return np.concatenate([*self._chunks, np.zeros(0, np.float32)]), self._rate

    def _take_rate(self, rate: int, _data: int | None) -> int:
        self._rate = rate
        return 1

    def _take_speech(self, samples: ctypes._Pointer[ctypes.c_short], count: int, _data: int | None) -> int:
        sound = np.ctypeslib.as_array(samples, (count,)).astype(np.float32) / np.float32(32768)
        self._chunks.append(sound)
        return 1


def installed_voices() -> frozenset[str]:
    """Names of its voices, in small letters."""
    return frozenset(path.name for path in (_data() / "voices").glob("*") if path.is_dir())


def _data() -> Path:
    return Path(os.environ.get("RHVOICE_DATA", "/usr/share/RHVoice"))
