"""Recorded voices: a synthesiser that plays what people recorded, and asks another one for the rest.

A recording is a voice by the name of its content (`recorded:<SHA-256>`), so the cache of prompts
keeps it apart from every other sound of the same text and has nothing to learn of it. Loudness and
silence at the edges are made those of synthesised prompts: both are heard in one call.
"""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

from bot.core.audio import Pcm
from bot.core.errors import AudioInvalid, Place, SynthesiserUnavailable
from bot.core.ports import Synthesiser
from bot.speech.files import read_audio, write_kept
from bot.speech.settings import SynthesiserSettings
from bot.speech.sound import for_the_line, to_samples, trim
from bot.surveys.prompts import RECORDED, recordings
from bot.surveys.schema import Survey
from bot.words import words

MAX_SECONDS = 60.0
"""Nobody listens longer to a question."""


class RecordedVoices:
    """`ports.Synthesiser` over another one and a folder that `keep_recordings` filled."""

    def __init__(self, synthesiser: Synthesiser, folder: Path, settings: SynthesiserSettings) -> None:
        self._synthesiser = synthesiser
        self._folder = folder
        self._settings = settings

    @property
    def name(self) -> str:
        return self._synthesiser.name

    async def speak(self, text: str, *, voice: str, language: str, rate: int) -> Pcm:
        """Raises SynthesiserUnavailable, also for a recording that is gone or is not what it was."""
        if not voice.startswith(RECORDED):
            return await self._synthesiser.speak(text, voice=voice, language=language, rate=rate)
        return await asyncio.to_thread(self._recording, voice.removeprefix(RECORDED), rate)

    def _recording(self, digest: str, rate: int) -> Pcm:
        path = _path(self._folder, digest)
        try:
            if hashlib.sha256(path.read_bytes()).hexdigest() != digest:
                other = words("в нём не то, что публиковали", "its content is not what was published")
                raise AudioInvalid(other, place=Place(str(path)))
            sound = _checked(path)
        except (OSError, AudioInvalid) as error:
            raise SynthesiserUnavailable(
                words(
                    f"запись {digest[:12]} не сыграть: {error}",
                    f"recording {digest[:12]} cannot be played: {error}",
                ),
                hint=words("опубликуйте опрос заново", "publish its survey again"),
            ) from error
        edge_s, lufs = self._settings.edge_s, self._settings.loudness_lufs
        return for_the_line(to_samples(sound), sound.rate, rate, edge_s=edge_s, lufs=lufs)


def keep_recordings(survey: Survey, beside: Path, folder: Path) -> int:
    """Copy a survey's recordings from `beside`, where its file lies, into `folder`; how many there are.

    Raises AudioInvalid for one that is no sound, is silent, too long or has changed since the survey
    was read, and DiskFull.
    """
    wanted = recordings(survey)
    for recorded in wanted:
        source, target = beside / recorded.file, _path(folder, recorded.sha256)
        if target.exists():
            continue
        _checked(source)
        content = source.read_bytes()
        if hashlib.sha256(content).hexdigest() != recorded.sha256:
            changed = words("изменился, пока опрос публиковали", "changed while its survey was published")
            raise AudioInvalid(changed, place=Place(str(source)))
        write_kept(target, content)
    return len(wanted)


def _path(folder: Path, digest: str) -> Path:
    return folder / digest[:2] / digest


def _checked(path: Path) -> Pcm:
    sound = read_audio(path)
    if sound.seconds > MAX_SECONDS:
        raise AudioInvalid(
            words(
                f"длится {sound.seconds:.0f} с, дольше {MAX_SECONDS:.0f} с",
                f"lasts {sound.seconds:.0f} s, longer than {MAX_SECONDS:.0f} s",
            ),
            place=Place(str(path)),
        )
    if not len(trim(to_samples(sound), sound.rate, 0.0)):
        raise AudioInvalid(words("в нём тишина", "is silent"), place=Place(str(path)))
    return sound
