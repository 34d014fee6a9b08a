"""The bot's voice at a desk: to the sound card where there is one, else into WAV files."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from bot.core.context import CallContext
from bot.published import recordings_dir
from bot.settings import Settings
from bot.settings_rooms import speech_settings
from bot.speech.prompts import PromptCache, encode
from bot.speech.recorded import RecordedVoices, keep_recordings
from bot.speech.synthesiser import spawned_synthesiser
from bot.surveys.prompts import voices
from bot.surveys.schema import Survey

RATE = 8000
"""As it is heard on a telephone."""

PLAYERS = (("aplay", "-q"), ("paplay",), ("pw-play",), ("afplay",))
"""Programs that play a WAV file: ALSA's, PulseAudio's, PipeWire's and that of macOS."""


class Voicing:
    """Speaks the texts of one survey. `folder` is where WAV files go, None as long as a card plays."""

    def __init__(
        self,
        prompts: PromptCache,
        survey: Survey,
        by_text: Mapping[str, str],
        folder: Path | None,
        fallback: Path,
    ) -> None:
        self._prompts = prompts
        self._survey = survey
        self._by_text = by_text
        self._fallback = fallback
        self._written = 0
        self.folder = folder

    async def speak(self, text: str) -> None:
        """Returns when the text was heard or written. Raises SynthesiserUnavailable, DiskFull."""
        voice, language = self._by_text.get(text, self._survey.voice), self._survey.language
        await self._prompts.prepare((text,), voice=voice, language=language, rate=RATE)
        pcm = await self._prompts.get(text, voice=voice, language=language, rate=RATE)
        sound = encode(pcm)
        if self.folder is None and not await _played(sound):
            self.folder = self._fallback
        if self.folder is not None:
            self._written += 1
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / f"{self._written:02}.wav").write_bytes(sound)


@asynccontextmanager
async def voicing(
    settings: Settings, survey: Survey, context: CallContext, beside: Path | None, folder: Path | None
) -> AsyncIterator[Voicing]:
    """`beside` is the folder of the survey's file, for its recordings; None for a published one."""
    speech = speech_settings(settings)
    with tempfile.TemporaryDirectory(prefix="otklik-") as temporary:
        kept = recordings_dir(settings)
        if beside is not None:
            kept = Path(temporary)
            keep_recordings(survey, beside, kept)
        async with spawned_synthesiser(speech) as synthesiser:
            cache = PromptCache(RecordedVoices(synthesiser, kept, speech.synthesiser), speech.prompts)
            fallback = settings.var_dir / "talk" / context.call_id
            yield Voicing(cache, survey, voices(survey, context), folder, fallback)


async def _played(sound: bytes) -> bool:
    """Whether the sound card took it: there may be no player, or no card."""
    for name, *options in PLAYERS:
        program = shutil.which(name)
        if program is None:
            continue
        with tempfile.NamedTemporaryFile(suffix=".wav") as file:
            file.write(sound)
            file.flush()
            player = await asyncio.create_subprocess_exec(
                program,
                *options,
                file.name,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
            )
            try:
                if await player.wait() == 0:
                    return True
            finally:
                if player.returncode is None:
                    player.terminate()
                    await player.wait()
    return False
