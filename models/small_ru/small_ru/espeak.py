"""eSpeak NG with more voices than it has: variants of its Russian whose throats are invented.

The engine is GPL-3; only a process of the synthesis loads it.
"""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import espeakng_loader

from bot.speech.espeak import Espeak
from small_ru.voices import Manner, Samples, invented_name

_RATE, _PITCH = 1, 3
"""Parameters of its voice, by their numbers in speak_lib.h."""
_OWN_RATE, _OWN_PITCH = 160, 50
_FORMANTS = 9


class EspeakEngine:
    """eSpeak NG over a folder of data that `lay_data` made."""

    def __init__(self, data: Path) -> None:
        """Raises SynthesiserUnavailable."""
        self._engine = Espeak(data)

    def speak(self, text: str, voice: str, manner: Manner) -> tuple[Samples, int]:
        self._engine.manner = {
            _RATE: round(_OWN_RATE * manner.rate),
            _PITCH: min(max(round(_OWN_PITCH * manner.pitch), 0), 99),
        }
        return self._engine.speak(text, voice=voice, language="ru", rate=0)


def lay_data(folder: Path, count: int, seed: int) -> None:
    """eSpeak's own data with so many invented variants beside those that it has."""
    own = Path(espeakng_loader.get_data_path())
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for path in own.iterdir():
        if path.name == "voices":
            shutil.copytree(path, folder / "voices")
        else:
            (folder / path.name).symlink_to(path)
    rng = random.Random(seed)
    for index in range(count):
        text = invented(rng, invented_name(index))
        (folder / "voices" / "!v" / invented_name(index)).write_text(text, encoding="utf-8")


def invented(rng: random.Random, name: str) -> str:
    """A variant, as eSpeak NG's docs/voices.md describes them: a throat of another length, formants that
    stand somewhat apart from it, another pitch, melody and breath."""
    throat = rng.uniform(0.8, 1.28)
    low = rng.uniform(65, 130) * throat**2
    lines = ["language variant", f"name {name}", f"pitch {low:.0f} {low * rng.uniform(1.25, 1.9):.0f}"]
    for number in range(_FORMANTS):
        at = 100 * throat * rng.uniform(0.93, 1.07)
        lines.append(f"formant {number} {at:.0f} {rng.uniform(70, 130):.0f} {rng.uniform(80, 140):.0f}")
    lines += [
        f"roughness {rng.randint(0, 4)}",
        f"voicing {rng.randint(70, 150)}",
        f"consonants {rng.randint(70, 140)} {rng.randint(70, 140)}",
        f"flutter {rng.randint(0, 6)}",
        f"tone 600 {rng.randint(150, 255)} 1200 {rng.randint(80, 200)} 2400 {rng.randint(40, 180)}",
    ]
    if rng.random() < 0.4:
        lines.append("breath 0 " + " ".join(str(rng.randint(1, 4)) for _ in range(7)))
    return "\n".join(lines) + "\n"
