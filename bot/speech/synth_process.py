"""The synthesiser's process: `python -m bot.speech.synth_process --socket PATH`.

It is a process of its own because an engine may be GPL-3 (eSpeak NG) or heavy (torch), and
because synthesis must never take time from the process that moves sound. It serves requests one
after another and tells on its standard output, by the line `ready`, when it does.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Protocol

import structlog
from pydantic import ValidationError

from bot.core.audio import Pcm
from bot.core.errors import OtklikError, PortInUse, SynthesiserUnavailable
from bot.logs import configure_logs
from bot.speech import sound
from bot.speech.licences import require_licence
from bot.speech.models import find_entry, model_path
from bot.speech.normalise import RUSSIAN, normalise, spoken_pieces
from bot.speech.settings import SynthesiserSettings
from bot.speech.wire import SpeakReply, SpeakRequest, read_header, write_message
from bot.words import words

log = structlog.get_logger(__name__)

_MAX_PATH = 107
"""Bytes of a unix socket's path that Linux allows (unix(7), sun_path)."""


class Engine(Protocol):
    """What turns normalised text into sound; blocking, one thread at a time."""

    @property
    def name(self) -> str: ...

    def speak(self, text: str, *, voice: str, language: str, rate: int) -> tuple[sound.Samples, int]: ...


def make_engine(settings: SynthesiserSettings, models_dir: Path, var_dir: Path) -> Engine:
    """Raises ModelMissing, LicenceUnanswered, SynthesiserUnavailable."""
    if settings.engine == "espeak":
        return _espeak()
    if settings.engine == "rhvoice":
        from bot.speech.rhvoice import RhVoice

        return WithForeign(RhVoice(), {})
    foreign = {
        language: partial(_silero, name, models_dir, var_dir) for language, name in settings.foreign_models
    }
    return WithForeign(_silero(settings.silero_model, models_dir, var_dir), foreign)


def _espeak() -> Engine:
    from bot.speech.espeak import Espeak

    return Espeak()


def _silero(name: str, models_dir: Path, var_dir: Path) -> Engine:
    from bot.speech.silero import Silero

    entry = find_entry(name, models_dir)
    require_licence(entry, var_dir)
    return Silero(model_path(entry, var_dir), entry.voice)


class WithForeign:
    """A Russian engine; what is in another language is spoken by the engine of that language, or by eSpeak
    NG. Each is made when it is first needed."""

    def __init__(self, russian: Engine, foreign: Mapping[str, Callable[[], Engine]]) -> None:
        self._russian = russian
        self._foreign = foreign
        self._made: dict[str, Engine] = {}

    @property
    def name(self) -> str:
        return self._russian.name

    def speak(self, text: str, *, voice: str, language: str, rate: int) -> tuple[sound.Samples, int]:
        """Raises SynthesiserUnavailable, ModelMissing, LicenceUnanswered."""
        if language == RUSSIAN:
            return self._russian.speak(text, voice=voice, language=language, rate=rate)
        key = language if language in self._foreign else ""
        if key not in self._made:
            self._made[key] = self._foreign[key]() if key else _espeak()
        return self._made[key].speak(text, voice=voice, language=language, rate=rate)


def synthesise(engine: Engine, request: SpeakRequest, settings: SynthesiserSettings) -> Pcm:
    """Normalised, spoken, at the line's rate and loudness, its pauses exact, without silence around it.

    The normaliser and the voice of the settings are for Russian: English is spoken as it is written.
    """
    voice = request.voice or (settings.voice if request.language == RUSSIAN else "")
    parts = []
    for piece in spoken_pieces(request.text, request.language):
        samples, rate = engine.speak(piece.text, voice=voice, language=request.language, rate=request.rate)
        parts.append(sound.Part(samples, rate, piece.silence_s))
    return sound.joined(parts, request.rate, edge_s=settings.edge_s, lufs=settings.loudness_lufs)


class SynthesiserServer:
    """Answers `SpeakRequest`s on a unix socket that only this user may use."""

    def __init__(self, engine: Engine, settings: SynthesiserSettings) -> None:
        self._engine = engine
        self._settings = settings
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="synthesis")
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Raises PortInUse, SynthesiserUnavailable."""
        path = self._settings.socket
        if len(os.fsencode(path)) > _MAX_PATH:
            raise SynthesiserUnavailable(
                words(
                    f"путь сокета {path} длиннее {_MAX_PATH} байт",
                    f"the socket path {path} is longer than {_MAX_PATH} bytes",
                ),
                hint=words("задайте папку var с путём короче", "choose a shorter var folder"),
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        if _answers(path):
            raise PortInUse(
                words(f"на {path} отвечает другой синтезатор", f"another synthesiser answers at {path}"),
                hint=words("завершите его или задайте другую папку var", "end it, or choose another socket"),
            )
        path.unlink(missing_ok=True)
        old = os.umask(0o177)
        try:
            self._server = await asyncio.start_unix_server(self._accept, path)
        finally:
            os.umask(old)
        log.info("synthesiser ready", engine=self._engine.name, socket=str(path))

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._settings.socket.unlink(missing_ok=True)
        for task in tuple(self._clients):
            task.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._clients.add(task)
        task.add_done_callback(self._clients.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                request = SpeakRequest.model_validate_json(await read_header(reader))
                reply, content = await self._answer(request)
                await write_message(writer, reply, content)
        except asyncio.IncompleteReadError:
            log.debug("client left")
        except (ConnectionError, ValueError, ValidationError) as exc:
            log.warning("client dropped", reason=str(exc))
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _answer(self, request: SpeakRequest) -> tuple[SpeakReply, bytes]:
        loop = asyncio.get_running_loop()
        try:
            pcm = await loop.run_in_executor(self._pool, synthesise, self._engine, request, self._settings)
        except OtklikError as exc:
            return SpeakReply(error=exc.code, message=exc.message, hint=exc.hint), b""
        except Exception as exc:  # one text must not end the service for all
            log.exception("synthesis failed")
            return SpeakReply(error="error", message=f"synthesis failed: {exc}"), b""
        return SpeakReply(size=len(pcm.data)), pcm.data


def _answers(path: Path) -> bool:
    """Whether somebody listens there; a socket that a killed process left behind does not answer."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(os.fsencode(path))
        except OSError:
            return False
    return True


async def serve(settings: SynthesiserSettings, models_dir: Path, var_dir: Path) -> None:
    """Serves until SIGTERM or SIGINT."""
    server = SynthesiserServer(make_engine(settings, models_dir, var_dir), settings)
    asked_to_stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked_to_stop.set)
    # The first text pays for the normaliser's dictionaries (~1 s): let it be this one.
    await asyncio.to_thread(normalise, "Отклик, 1")
    await server.start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    try:
        await asked_to_stop.wait()
    finally:
        await server.stop()


def _pairs(given: Sequence[str]) -> Iterator[tuple[str, str]]:
    for pair in given:
        language, _, name = pair.partition("=")
        yield language, name


def main(arguments: list[str] | None = None) -> int:
    defaults = SynthesiserSettings()
    parser = argparse.ArgumentParser(prog="python -m bot.speech.synth_process", description=__doc__)
    parser.add_argument("--socket", type=Path, required=True)
    parser.add_argument("--engine", choices=("espeak", "silero", "rhvoice"), default=defaults.engine)
    parser.add_argument("--silero-model", default=defaults.silero_model)
    parser.add_argument("--foreign-model", action="append", default=[], metavar="LANGUAGE=NAME")
    parser.add_argument("--voice", default=defaults.voice)
    parser.add_argument("--loudness-lufs", type=float, default=defaults.loudness_lufs)
    parser.add_argument("--edge-s", type=float, default=defaults.edge_s)
    parser.add_argument("--models-dir", type=Path, default=Path("models"))
    parser.add_argument("--var-dir", type=Path, default=Path("var"))
    given = parser.parse_args(arguments)
    configure_logs()
    settings = SynthesiserSettings(
        engine=given.engine,
        silero_model=given.silero_model,
        foreign_models=tuple(_pairs(given.foreign_model)),
        voice=given.voice,
        socket=given.socket,
        loudness_lufs=given.loudness_lufs,
        edge_s=given.edge_s,
    )
    try:
        asyncio.run(serve(settings, given.models_dir, given.var_dir))
    except OtklikError as exc:
        log.error("synthesiser cannot start", code=exc.code, reason=exc.message, hint=exc.hint)
        return exc.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main())
