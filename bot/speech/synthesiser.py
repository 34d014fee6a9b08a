"""The synthesiser as the rest of the bot sees it: a client of the process that holds the engine."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import version
from pathlib import Path

import structlog

from bot.core.audio import Pcm
from bot.core.errors import ModelMissing, SynthesiserUnavailable
from bot.logs import why_it_stopped
from bot.speech.normalise import NORMALISER
from bot.speech.settings import SpeechSettings, SynthesiserSettings
from bot.speech.wire import SpeakReply, SpeakRequest, read_header, read_sound, write_message
from bot.words import words

log = structlog.get_logger(__name__)

_SOUND_RULES = 2
"""Part of every prompt's key: raise it when bands, trimming, loudness, fades or an engine's manner change."""


@cache
def engine_name(settings: SynthesiserSettings) -> str:
    """Engine, version, and all that shapes its sound: known without asking the process.

    Part of every prompt's key: to look a package's version up takes a millisecond, in which no line moves.
    """
    if settings.engine == "silero":
        engine = f"silero-{settings.silero_model}"
    elif settings.engine == "rhvoice":
        engine = "rhvoice"
    else:
        engine = f"espeak-ng-loader-{version('espeakng-loader')}"
    shaping = (settings.voice, settings.foreign_models, settings.loudness_lufs, settings.edge_s, _SOUND_RULES)
    digest = hashlib.sha256(repr(shaping).encode()).hexdigest()[:8]
    return f"{engine}/{NORMALISER}/{digest}"


def synthesiser_command(settings: SpeechSettings) -> list[str]:
    """The command line of the synthesiser's process, for whoever supervises it."""
    engine = settings.synthesiser
    return [
        sys.executable,
        "-m",
        "bot.speech.synth_process",
        *("--socket", str(engine.socket)),
        *("--engine", engine.engine),
        *("--silero-model", engine.silero_model),
        *(f"--foreign-model={language}={name}" for language, name in engine.foreign_models),
        *("--voice", engine.voice),
        *("--loudness-lufs", str(engine.loudness_lufs)),
        *("--edge-s", str(engine.edge_s)),
        *("--models-dir", str(settings.models_dir)),
        *("--var-dir", str(settings.var_dir)),
    ]


@dataclass(slots=True)
class _Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class SynthesiserClient:
    """`ports.Synthesiser` over the process's socket: one connection, one request at a time.

    When the process was restarted in between, the connection is made anew and the text asked for
    once more. Synthesis has no effect but its sound, so asking twice is harmless.
    """

    def __init__(self, settings: SynthesiserSettings) -> None:
        self._settings = settings
        self._lock = asyncio.Lock()
        self._connection: _Connection | None = None

    @property
    def name(self) -> str:
        return engine_name(self._settings)

    async def speak(self, text: str, *, voice: str = "", language: str = "ru", rate: int = 8000) -> Pcm:
        """Sound of a text. `voice` "" is the settings' voice. Raises SynthesiserUnavailable, ModelMissing."""
        request = SpeakRequest(text=text, voice=voice, language=language, rate=rate)
        async with self._lock:
            reply, data = await self._ask(request)
        if reply.error:
            kind = ModelMissing if reply.error == ModelMissing.code else SynthesiserUnavailable
            raise kind(reply.message, hint=reply.hint)
        return Pcm(data, rate)

    async def close(self) -> None:
        async with self._lock:
            self._drop()

    async def _ask(self, request: SpeakRequest) -> tuple[SpeakReply, bytes]:
        fresh = self._connection is None
        try:
            return await self._exchange(request)
        except (OSError, asyncio.IncompleteReadError) as exc:
            if fresh:
                raise self._unavailable(exc) from exc
            log.info("synthesiser connection lost, trying anew", reason=str(exc))
        try:
            return await self._exchange(request)
        except (OSError, asyncio.IncompleteReadError) as exc:
            raise self._unavailable(exc) from exc

    async def _exchange(self, request: SpeakRequest) -> tuple[SpeakReply, bytes]:
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                if self._connection is None:
                    self._connection = _Connection(*await asyncio.open_unix_connection(self._settings.socket))
                await write_message(self._connection.writer, request)
                reply = SpeakReply.model_validate_json(await read_header(self._connection.reader))
                return reply, await read_sound(self._connection.reader, reply.size)
        except TimeoutError as exc:
            self._drop()
            raise SynthesiserUnavailable(
                words(
                    f"синтезатор не ответил за {self._settings.timeout_s:g} с",
                    f"the synthesiser did not answer within {self._settings.timeout_s:g} s",
                ),
                hint=words(
                    "не перегружена ли машина? зависший процесс узел запускает заново",
                    "is the machine overloaded? the node restarts the process when it hangs",
                ),
            ) from exc
        except BaseException:  # cancelled, too: half a reply must not be taken for the next one
            self._drop()
            raise

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.writer.close()

    def _unavailable(self, exc: Exception) -> SynthesiserUnavailable:
        return SynthesiserUnavailable(
            words(
                f"на {self._settings.socket} синтезатор не отвечает ({exc})",
                f"no synthesiser answers at {self._settings.socket} ({exc})",
            ),
            hint=words(
                "его запускает otklik serve; отдельно: python -m bot.speech.synth_process --socket PATH",
                "`otklik serve` starts one; alone: python -m bot.speech.synth_process --socket PATH",
            ),
        )


def _not_started(status: int, said: str) -> SynthesiserUnavailable:
    """Why, in the process's own words where it left any; else all that it said."""
    reason, *hints = why_it_stopped(said.rpartition("\n")[2]) or [
        words(f"он завершился ({status})", f"it ended with status {status}"),
        said,
    ]
    return SynthesiserUnavailable(
        words(f"синтезатор не запускается: {reason}", f"the synthesiser does not start: {reason}"),
        hint="\n  ".join(hints),
    )


@contextlib.asynccontextmanager
async def spawned_synthesiser(settings: SpeechSettings) -> AsyncIterator[SynthesiserClient]:
    """A synthesiser of one's own, on a socket of its own, for as long as the block lasts.

    Raises SynthesiserUnavailable with what the process said, when it does not start.
    """
    with tempfile.TemporaryDirectory(prefix="otklik-") as folder:
        own = replace(settings.synthesiser, socket=Path(folder) / "s.sock")
        process = await asyncio.create_subprocess_exec(
            *synthesiser_command(replace(settings, synthesiser=own)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        assert process.stderr is not None
        client = SynthesiserClient(own)
        said = asyncio.create_task(process.stderr.read())
        try:
            if await process.stdout.readline() != b"ready\n":
                raise _not_started(await process.wait(), (await said).decode(errors="replace").strip())
            yield client
        finally:
            await client.close()
            if process.returncode is None:
                process.terminate()
            await process.wait()
            await said
