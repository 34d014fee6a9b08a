"""Prompts that are ready to be played: WAV files on disk, the ones in use in memory.

A file's name is the SHA-256 of what shapes its sound, so a changed text, voice or engine is
another file and nothing has ever to be thrown away by hand. Files appear by one rename.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import struct
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import structlog

from bot.core.audio import Pcm
from bot.core.ports import Synthesiser
from bot.speech.files import write_kept
from bot.speech.settings import PromptSettings

log = structlog.get_logger(__name__)

_CHECK = b"sha2"
"""Id of the chunk behind the sound that holds its SHA-256; players skip chunks they do not know."""
_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")

Progress = Callable[[int, int, str], None]
"""Called with how many prompts are ready, of how many, and the text of the last one."""


class PromptCache:
    """`ports.Prompts` over a synthesiser and a folder, which several processes may share."""

    def __init__(self, synthesiser: Synthesiser, settings: PromptSettings | None = None) -> None:
        self._synthesiser = synthesiser
        self._settings = settings or PromptSettings()
        self._memory: OrderedDict[str, Pcm] = OrderedDict()
        self._memory_bytes = 0
        self._under_way: dict[str, asyncio.Task[Pcm]] = {}

    async def prepare(
        self,
        texts: tuple[str, ...],
        *,
        voice: str,
        language: str,
        rate: int,
        progress: Progress | None = None,
    ) -> None:
        """Makes sure that each text is on disk and in memory.

        Raises SynthesiserUnavailable, DiskFull; what was made until then stays.
        """
        for done, text in enumerate(texts, 1):
            await self._ready(text, voice, language, rate)
            if progress is not None:
                progress(done, len(texts), text)

    async def get(self, text: str, *, voice: str, language: str, rate: int) -> Pcm:
        """The sound. Prepared here, it comes from memory at once; else it is a miss and is logged.

        Raises SynthesiserUnavailable, DiskFull.
        """
        key = self.key(text, voice=voice, language=language, rate=rate)
        pcm = self._recall(key)
        if pcm is not None:
            return pcm
        return await self._ready(text, voice, language, rate, waited_for=True)

    def key(self, text: str, *, voice: str, language: str, rate: int) -> str:
        parts = {
            "text": text,
            "voice": voice,
            "language": language,
            "engine": self._synthesiser.name,
            "rate": rate,
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def path(self, key: str) -> Path:
        return self._settings.folder / key[:2] / f"{key}.wav"

    async def _ready(
        self, text: str, voice: str, language: str, rate: int, *, waited_for: bool = False
    ) -> Pcm:
        key = self.key(text, voice=voice, language=language, rate=rate)
        pcm = self._recall(key)
        if pcm is not None:
            return pcm
        task = self._under_way.get(key)
        if task is None:
            task = asyncio.create_task(self._make(key, text, voice, language, rate, waited_for))
            self._under_way[key] = task
            task.add_done_callback(lambda done: self._finish(key, done))
        # Shielded: one caller's hang-up must not take the prompt from the others who wait for it.
        return await asyncio.shield(task)

    def _finish(self, key: str, task: asyncio.Task[Pcm]) -> None:
        del self._under_way[key]
        if not task.cancelled() and task.exception() is not None:
            log.info("prompt not made", key=key[:12], reason=str(task.exception()))

    async def _make(self, key: str, text: str, voice: str, language: str, rate: int, waited_for: bool) -> Pcm:
        path = self.path(key)
        pcm = await asyncio.to_thread(_read, path)
        if pcm is None:
            if waited_for:
                log.warning("prompt synthesised while somebody waits", key=key[:12], letters=len(text))
            pcm = await self._synthesiser.speak(text, voice=voice, language=language, rate=rate)
            await asyncio.to_thread(write_kept, path, encode(pcm))
        self._remember(key, pcm)
        return pcm

    def _recall(self, key: str) -> Pcm | None:
        pcm = self._memory.get(key)
        if pcm is not None:
            self._memory.move_to_end(key)
        return pcm

    def _remember(self, key: str, pcm: Pcm) -> None:
        self._memory[key] = pcm
        self._memory_bytes += len(pcm.data)
        while self._memory_bytes > self._settings.memory_mb * 1_000_000 and len(self._memory) > 1:
            _, oldest = self._memory.popitem(last=False)
            self._memory_bytes -= len(oldest.data)


def encode(pcm: Pcm) -> bytes:
    """A mono 16-bit WAV with the SHA-256 of its sound in a chunk of its own."""
    size = len(pcm.data)
    check = hashlib.sha256(pcm.data).digest()
    rest = 4 + 8 + 16 + 8 + size + 8 + len(check)
    header = _HEADER.pack(
        *(b"RIFF", rest, b"WAVE"),
        *(b"fmt ", 16, 1, 1, pcm.rate, pcm.rate * 2, 2, 16),
        *(b"data", size),
    )
    return header + pcm.data + struct.pack("<4sI", _CHECK, len(check)) + check


def decode(content: bytes) -> Pcm | None:
    """The sound of what `encode` wrote; None if a single bit of it differs."""
    if len(content) < _HEADER.size:
        return None
    fields = _HEADER.unpack_from(content)
    rate, size = fields[7], fields[12]
    pcm = Pcm(content[_HEADER.size : _HEADER.size + size], rate)
    return pcm if 0 < rate <= 48000 and encode(pcm) == content else None


def _read(path: Path) -> Pcm | None:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    pcm = decode(content)
    if pcm is None:
        log.warning("prompt file is damaged and made anew", file=path.name)
    return pcm
