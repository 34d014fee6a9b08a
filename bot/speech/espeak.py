"""eSpeak NG through ctypes: robotic, but it needs nothing and works everywhere.

The engine is GPL-3. Only `synth_process` loads it, in a process of its own.
API: speak_lib.h of eSpeak NG 1.52.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import espeakng_loader
import numpy as np

from bot.core.errors import SynthesiserUnavailable
from bot.speech.sound import Samples
from bot.words import words

NAME = f"espeak-ng-loader-{version('espeakng-loader')}"

_AUDIO_OUTPUT_SYNCHRONOUS = 2
_INITIALIZE_DONT_EXIT = 0x8000
_CHARS_UTF8 = 1
_POS_CHARACTER = 1
_MANNER = {1: 150, 3: 42, 4: 60, 7: 1}
"""Parameters of its voice, by their numbers in speak_lib.h: 150 words a minute (175 is its own way; slower,
its Russian is understood better on a phone line), a pitch somewhat lower and a melody somewhat wider than its
own 50 of 100, 10 ms more between words."""
_STRESS_MARK = re.compile(r"\+(?=[аеёиоуыэюя])", re.IGNORECASE)
"""Marks for Silero. eSpeak's Russian heeds no mark (U+0301 neither), and reads this one as «плюс»."""

_PHONEMES_APART = 0x02 | ord("_") << 8
"""espeak_TextToPhonemes: IPA, with this character between the sounds."""

_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class Espeak:
    """The engine of this process. It has one state, so one thread at a time may use it.

    Its pitch flutters by a sequence that no function of the library resets, so a text said twice
    differs by some samples.
    """

    name = NAME

    def __init__(self, data: Path | None = None) -> None:
        """Without `data` its own. Raises SynthesiserUnavailable when it or the library cannot be loaded."""
        data = data or Path(espeakng_loader.get_data_path())
        self.manner: Mapping[int, int] = _MANNER
        try:
            self._lib = ctypes.CDLL(espeakng_loader.get_library_path())
        except OSError as exc:
            said = words(f"eSpeak NG не загружается: {exc}", f"cannot load eSpeak NG: {exc}")
            raise SynthesiserUnavailable(said, hint="make setup") from exc
        self._lib.espeak_Synth.argtypes = [
            ctypes.c_char_p,
            ctypes.c_size_t,
            ctypes.c_uint,
            ctypes.c_int,
            ctypes.c_uint,
            ctypes.c_uint,
            ctypes.c_void_p,
            ctypes.c_void_p,
        ]
        self._lib.espeak_TextToPhonemes.argtypes = [
            ctypes.POINTER(ctypes.c_char_p),
            ctypes.c_int,
            ctypes.c_int,
        ]
        self._lib.espeak_TextToPhonemes.restype = ctypes.c_char_p
        self._lib.espeak_Initialize.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_int]
        self._rate = int(
            self._lib.espeak_Initialize(
                _AUDIO_OUTPUT_SYNCHRONOUS, 0, str(data).encode(), _INITIALIZE_DONT_EXIT
            )
        )
        if self._rate <= 0:
            said = words(f"eSpeak NG не находит своих данных в {data}", f"eSpeak NG finds no data at {data}")
            raise SynthesiserUnavailable(said, hint="make setup")
        self._lib.espeak_ng_SetRandSeed(
            ctypes.c_long(1)
        )  # else the breath of a voice is other noise each time
        self._variants = frozenset(path.name for path in (data / "voices" / "!v").iterdir())
        self._chunks: list[bytes] = []
        self._callback = _Callback(self._take)  # kept: the library calls it as long as it lives
        self._lib.espeak_SetSynthCallback(self._callback)

    def speak(self, text: str, *, voice: str, language: str, rate: int) -> tuple[Samples, int]:
        """Sound and its rate, which is the engine's. Blocking. Raises SynthesiserUnavailable."""
        self._choose(voice or language)
        self._chunks.clear()
        spoken = _STRESS_MARK.sub("", text).encode()
        status = self._lib.espeak_Synth(
            spoken, len(spoken) + 1, 0, _POS_CHARACTER, 0, _CHARS_UTF8, None, None
        )
        if status != 0:
            said = words(f"eSpeak NG не справился ({status})", f"eSpeak NG failed with status {status}")
            raise SynthesiserUnavailable(said)
        samples = np.frombuffer(b"".join(self._chunks), dtype=np.int16).astype(np.float32) / 32768.0
        return samples, self._rate

    def phonemes(self, text: str, *, language: str) -> list[str]:
        """The sounds of a text in IPA, stress marks on their vowels. Raises SynthesiserUnavailable."""
        self._choose(language)
        rest = ctypes.c_char_p(_STRESS_MARK.sub("", text).encode())
        sounds: list[str] = []
        while rest.value:  # a clause at each call; the pointer moves on, and is null at the end
            clause = self._lib.espeak_TextToPhonemes(ctypes.byref(rest), _CHARS_UTF8, _PHONEMES_APART)
            sounds += [
                sound for word in (clause or b"").decode().split() for sound in word.split("_") if sound
            ]
        return sounds

    def _choose(self, voice: str) -> None:
        _, _, variant = voice.partition("+")
        # The library takes an unknown variant for no variant: tell instead.
        unknown = variant and variant not in self._variants
        if unknown or self._lib.espeak_SetVoiceByName(voice.encode()) != 0:
            raise SynthesiserUnavailable(
                words(f"у eSpeak NG нет голоса {voice!r}", f"eSpeak NG has no voice {voice!r}"),
                hint=words(
                    "назовите язык или язык+вариант, например ru+f3",
                    "name a language, or language+variant, e.g. ru+f3",
                ),
            )
        for parameter, value in self.manner.items():
            self._lib.espeak_SetParameter(parameter, value, 0)

    def _take(self, samples: ctypes._Pointer[ctypes.c_short] | None, count: int, _events: int | None) -> int:
        if samples and count > 0:
            self._chunks.append(ctypes.string_at(samples, count * 2))
        return 0
