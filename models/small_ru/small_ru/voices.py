"""Who speaks: the engines that are installed, their voices, and which of them teach, tune or only test.

Never here: RHVoice's Elena and festival's nsh. They are the voices of tests/data/audio/ru, by which the
project measures every recogniser, and so they enter neither training nor tuning.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from small_ru.plan import Plan

Samples = npt.NDArray[np.float32]
"""Sound in -1..1."""


ENGINES = ("espeak", "rutts", "rhvoice")


class Role(StrEnum):
    TRAIN = "train"
    TUNE = "tune"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice of an engine. `person` is who is left out at once: one person's voices sound alike."""

    engine: str
    name: str
    person: str
    role: Role


@dataclass(frozen=True, slots=True)
class Manner:
    """How something is said: both are factors of the voice's own."""

    rate: float = 1.0
    pitch: float = 1.0


class Engine(Protocol):
    """Speaks with one of its voices. The text has a plus before each stressed vowel."""

    def speak(self, text: str, voice: str, manner: Manner) -> tuple[Samples, int]:
        """Sound and its rate in Hz; blocking."""
        ...


_RHVOICE = (
    ("Aleksandr", "aleksandr", Role.TRAIN), ("Aleksandr-hq", "aleksandr", Role.TRAIN),
    ("Anna", "anna", Role.TRAIN), ("Irina", "irina", Role.TRAIN),
    *((name, name.lower(), Role.TEST) for name in
      ("Arina", "Artemiy", "Evgeniy-rus", "Mikhail", "Pavel", "Tatiana", "Victoria", "Vitaliy", "Yuriy")),
)  # fmt: skip
"""Those whose licence lets them teach (LGPL-2.1, CC BY-SA 4.0). The others forbid derivatives or commerce
(CC BY-NC-ND 4.0): where they are installed they are listened to once the model is made, and nothing more."""
_RU_TTS = (("man", "ru_tts man", Role.TRAIN), ("woman", "ru_tts woman", Role.TRAIN))
_ESPEAK_MEN = ("m1", "m3", "m4", "m6", "m8", "Andy", "Alex", "Lee", "edward", "john", "max", "quincy")
_ESPEAK_WOMEN = ("f1", "f3", "f4", "Annie", "Alicia", "anika", "linda", "belinda", "steph", "shelby")
_ESPEAK_TUNE = ("m5", "f5")
_ESPEAK_TEST = ("m7", "f2")
"""Those of tests/data/speech."""


def known_voices(engines: Sequence[str], plan: Plan) -> tuple[Voice, ...]:
    """All voices of these engines; of eSpeak as many variants as the plan has, half of them invented."""
    found: list[Voice] = []
    if "rhvoice" in engines:
        from small_ru.rhvoice import installed_voices

        there = installed_voices()
        found += [Voice("rhvoice", *about) for about in _RHVOICE if about[0].lower() in there]
    if "rutts" in engines:
        found += [Voice("rutts", name, person, role) for name, person, role in _RU_TTS]
    if "espeak" in engines:
        half = plan.espeak_variants // 2
        plain = [pair for both in zip(_men(), _women(), strict=False) for pair in both][:half]
        found += [Voice("espeak", f"ru+{name}", person, Role.TRAIN) for name, person in plain]
        found += [
            Voice("espeak", f"ru+{invented_name(index)}", "espeak invented", Role.TRAIN)
            for index in range(plan.espeak_variants - half)
        ]
        found += [Voice("espeak", f"ru+{name}", f"espeak {name}", Role.TUNE) for name in _ESPEAK_TUNE]
        found += [Voice("espeak", f"ru+{name}", f"espeak {name}", Role.TEST) for name in _ESPEAK_TEST]
    return tuple(found)


def invented_name(index: int) -> str:
    return f"invented{index:02d}"


def installed_engines(plan: Plan) -> dict[str, str]:
    """The engines that can speak here, and a word on each that cannot."""
    from small_ru import rhvoice, rutts

    found = {"espeak": ""}
    found["rutts"] = "" if rutts.library() else "the package retro-ru-tts has no library for this machine"
    found["rhvoice"] = "" if rhvoice.library() else rhvoice.INSTALL
    return {name: why for name, why in found.items() if not plan.voices or name in plan.voices}


def open_engine(name: str, work: Path) -> Engine:
    """Loads an engine into this process."""
    if name == "espeak":
        from small_ru.espeak import EspeakEngine

        return EspeakEngine(work / "espeak-data")
    if name == "rutts":
        from small_ru.rutts import RuTts

        return RuTts()
    from small_ru.rhvoice import RhVoice

    return RhVoice()


def _men() -> list[tuple[str, str]]:
    return [(name, "espeak men") for name in _ESPEAK_MEN]


def _women() -> list[tuple[str, str]]:
    return [(name, "espeak women") for name in _ESPEAK_WOMEN]
