"""RHVoice, where somebody has installed it: its program `RHVoice-test`, one run a text.

The engine is LGPL and GPL, so it stays a program of its own; a run takes some tens of milliseconds, and only
prompts are made with it. Where a distribution has no package, https://rhvoice.org tells how it is built.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import soundfile

from bot.core.errors import SynthesiserUnavailable
from bot.speech.sound import Samples
from bot.words import words

PROGRAM = "RHVoice-test"
DEFAULT_VOICE = "elena"
_RUN_S = 30.0
_STRESS_MARK = re.compile(r"\+(?=[аеёиоуыэюя])", re.IGNORECASE)
"""Marks for Silero. RHVoice puts stress by its own dictionary, and reads this sign as a word."""


class RhVoice:
    """The installed RHVoice."""

    name = "rhvoice"

    def __init__(self) -> None:
        """Raises SynthesiserUnavailable where the program is not installed."""
        found = shutil.which(PROGRAM)
        if found is None:
            raise SynthesiserUnavailable(
                words(
                    f"RHVoice не установлен: нет программы {PROGRAM}",
                    f"RHVoice is not installed: no program {PROGRAM}",
                ),
                hint=words(
                    "поставьте RHVoice (docs/speech.md) или выберите speech.engine = espeak",
                    "install RHVoice (docs/speech.md), or set speech.engine to espeak",
                ),
            )
        self._program = found

    def speak(self, text: str, *, voice: str, language: str, rate: int) -> tuple[Samples, int]:
        """Sound and its rate, which is the voice's. Blocking. Raises SynthesiserUnavailable."""
        speaker = voice or DEFAULT_VOICE
        hint = words(f"установлен ли голос {speaker!r}?", f"is the voice {speaker!r} installed?")
        with tempfile.TemporaryDirectory(prefix="otklik-") as folder:
            output = Path(folder) / "said.wav"
            try:
                done = subprocess.run(
                    [self._program, "-p", speaker, "-o", str(output)],
                    input=_STRESS_MARK.sub("", text).encode(),
                    capture_output=True,
                    timeout=_RUN_S,
                    check=False,
                )
                if done.returncode:
                    said = done.stderr.decode(errors="replace").strip()
                    raise SynthesiserUnavailable(
                        words(
                            f"RHVoice не справился ({done.returncode}): {said}",
                            f"RHVoice failed with status {done.returncode}: {said}",
                        ),
                        hint=hint,
                    )
                samples, made_at = soundfile.read(output, dtype="float32")
            except (OSError, subprocess.TimeoutExpired, soundfile.SoundFileError) as exc:
                raise SynthesiserUnavailable(
                    words(f"RHVoice ничего не произнёс: {exc}", f"RHVoice said nothing: {exc}"), hint=hint
                ) from exc
        return samples, int(made_at)
