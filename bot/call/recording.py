"""A call's sound on disk: two channels, the caller left and the bot (or the agent) right.

The file is WAV (RIFF, 16-bit PCM), written by position on the line's media time. The bot's sound
is known only when it was heard, so it comes seconds after the caller's sound of the same moment
and is put beside what stands there already; a FLAC stream cannot be written twice, and neither can
one be read that lost its end. The header tells the true length after every flush, so a crash
leaves a sound file that any player opens, short by half a second at most.

With a key its content is encrypted as it is written (`sealed.py`), in the same thread as the writing.
"""

from __future__ import annotations

import asyncio
import errno
import os
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import structlog

from bot.call.recording_files import hold_with_others
from bot.call.recording_keys import KeyRing
from bot.call.sealed import Key, SealedFile
from bot.core.audio import SAMPLE_BYTES, Frame, Pcm
from bot.core.errors import DiskFull, OtklikError, RecordingDamaged, StoreUnavailable
from bot.core.files import write_at

log = structlog.get_logger(__name__)

FLUSH_S = 0.5
"""Seconds of the caller's sound that are written at once."""

_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
_CHANNELS = 2
_FRAME = _CHANNELS * SAMPLE_BYTES
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def _header(rate: int, data_bytes: int) -> bytes:
    """The RIFF header of 16-bit PCM (Multimedia Programming Interface 1.0, 1991, chapter 3)."""
    return _HEADER.pack(
        b"RIFF", _HEADER.size - 8 + data_bytes, b"WAVE",
        b"fmt ", 16, 1, _CHANNELS, rate, rate * _FRAME, _FRAME, 8 * SAMPLE_BYTES,
        b"data", data_bytes,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of one channel (0 left, 1 right) at a place counted in samples from the start."""

    channel: Literal[0, 1]
    at: int
    samples: np.ndarray[tuple[int], np.dtype[np.int16]]


class _File(Protocol):
    """Where the sound lies, by places in its content: plain (`_PlainFile`) or sealed."""

    @property
    def descriptor(self) -> int: ...

    def read(self, size: int, at: int) -> bytes: ...

    def write(self, data: bytes, at: int) -> None: ...

    def settle(self) -> None: ...

    def cut(self, length: int) -> None: ...

    def sync(self) -> None: ...

    def close(self) -> None: ...


class _PlainFile:
    """A file as it is. A gap before what is written reads back as zeros: it is a hole, which is silence."""

    def __init__(self, path: Path) -> None:
        self.descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)

    def read(self, size: int, at: int) -> bytes:
        return os.pread(self.descriptor, size, at)

    def write(self, data: bytes, at: int) -> None:
        write_at(self.descriptor, data, at)

    def settle(self) -> None:
        """What was written can be read at once."""

    def cut(self, length: int) -> None:
        os.ftruncate(self.descriptor, length)

    def sync(self) -> None:
        os.fdatasync(self.descriptor)

    def close(self) -> None:
        os.close(self.descriptor)


class _TwoTracks:
    """The sound in its file. Its methods block and raise OSError."""

    def __init__(self, path: Path, rate: int, key: Key | None) -> None:
        self._rate = rate
        self._file: _File = _PlainFile(path) if key is None else SealedFile.create(path, key)
        self.length = 0
        try:
            hold_with_others(self._file.descriptor)
            self._tell()
        except OSError:
            self._file.close()
            path.unlink()
            raise

    def write(self, pieces: list[_Piece]) -> None:
        """Put the pieces in their places and make the header true."""
        for piece in pieces:
            self._write_piece(piece)
        self._tell()

    def cut(self) -> None:
        """Drop what a failed write left behind the last whole piece; overwriting needs no room."""
        self._file.cut(_HEADER.size + self.length * _FRAME)
        self._tell()

    def close(self) -> None:
        try:
            self._file.sync()
        finally:
            self._file.close()

    def _write_piece(self, piece: _Piece) -> None:
        place = _HEADER.size + piece.at * _FRAME
        there = self._file.read(len(piece.samples) * _FRAME, place)
        both = np.zeros((len(piece.samples), _CHANNELS), np.int16)
        old = np.frombuffer(there[: len(there) - len(there) % _FRAME], np.int16).reshape(-1, _CHANNELS)
        both[: len(old)] = old
        mixed = both[:, piece.channel].astype(np.int32) + piece.samples
        both[:, piece.channel] = np.clip(mixed, -32768, 32767)
        self._file.write(both.tobytes(), place)
        self.length = max(self.length, piece.at + len(piece.samples))

    def _tell(self) -> None:
        """The file's own length before the header's: no reader ever finds less than the header says."""
        self._file.settle()
        self._file.write(_header(self._rate, self.length * _FRAME), 0)
        if not self.length:
            self._file.settle()


class Recording:
    """One call's recording, from `open` to `close`. All methods belong to one event loop.

    It begins at the media time of the first frame that is written: sound from before, such as the
    end of the consent sentence, is cut off. The writing methods never wait and never raise: when
    the disk fails, that is told once (`on_failure`), what was flushed stays, and the rest of the
    call is not recorded.
    """

    def __init__(
        self, path: Path, tracks: _TwoTracks, rate: int, on_failure: Callable[[OtklikError], None] | None
    ) -> None:
        self.path = path
        self.rate = rate
        self.failure: OtklikError | None = None
        self._tracks = tracks
        self._on_failure = on_failure
        self._start: float | None = None
        self._waiting: list[_Piece] = []
        self._waiting_caller = 0
        self._flusher: asyncio.Task[None] | None = None
        self._closed = False

    @classmethod
    async def open(
        cls,
        path: Path,
        rate: int,
        *,
        keys: Path | None = None,
        on_failure: Callable[[OtklikError], None] | None = None,
    ) -> Recording:
        """Create the file at `rate` samples a second, encrypted with the newest of `keys` where there are
        any. Raises DiskFull, RecordingsLocked, StoreUnavailable."""

        def create() -> _TwoTracks:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            return _TwoTracks(path, rate, KeyRing.read(keys).newest if keys is not None else None)

        try:
            return cls(path, await asyncio.to_thread(create), rate, on_failure)
        except OSError as error:
            raise _unwritable(error, path) from error

    def write_caller(self, frame: Frame) -> None:
        """The caller's next frame, in its place on media time."""
        self._add(0, frame.data, frame.rate, frame.at)
        if self._waiting_caller >= FLUSH_S * self.rate:
            self._flush_soon()

    def write_bot(self, pcm: Pcm, at: float) -> None:
        """Sound that the caller heard from media time `at` on; what overlaps is mixed."""
        self._add(1, pcm.data, pcm.rate, at)

    async def flush(self) -> None:
        """Returns when everything that was written so far is in the file."""
        if self._flusher is not None:
            await self._flusher
        await self._flush()

    async def close(self) -> float:
        """Write the rest; seconds that are on disk. Idempotent."""
        if not self._closed:
            self._closed = True
            await self.flush()
            try:
                await asyncio.to_thread(self._tracks.close)
            except OSError as error:
                self._fail(error)
        return self._tracks.length / self.rate

    async def erase(self) -> None:
        """Close it and delete its file. Raises StoreUnavailable where that fails."""
        await self.close()
        try:
            await asyncio.to_thread(self.path.unlink, missing_ok=True)
        except OSError as error:
            raise StoreUnavailable(f"запись {self.path} не удаляется: {error}") from error

    def _add(self, channel: Literal[0, 1], data: bytes, rate: int, at: float) -> None:
        if rate != self.rate:
            raise ValueError(f"sound at {rate} in a recording at {self.rate}")
        if self._closed or self.failure is not None:
            return
        if self._start is None:
            self._start = at
        samples = np.frombuffer(data, np.int16)
        place = round((at - self._start) * self.rate)
        if place < 0:
            samples, place = samples[-place:], 0
        if len(samples):
            self._waiting.append(_Piece(channel, place, samples))
            self._waiting_caller += len(samples) * (channel == 0)

    def _flush_soon(self) -> None:
        if self._flusher is None:
            self._flusher = asyncio.create_task(self._flush())

    async def _flush(self) -> None:
        pieces, self._waiting = _joined(self._waiting), []
        self._waiting_caller = 0
        try:
            if pieces:
                await asyncio.to_thread(self._tracks.write, pieces)
        except (OSError, RecordingDamaged) as error:
            self._fail(error)
            with suppress(OSError):  # the failure is told; the header of the last flush still stands
                await asyncio.to_thread(self._tracks.cut)
        finally:
            self._flusher = None

    def _fail(self, error: OSError | RecordingDamaged) -> None:
        if self.failure is not None:
            return
        self.failure = _unwritable(error, self.path) if isinstance(error, OSError) else error
        self._waiting.clear()
        log.error("recording stopped", file=self.path.name, reason=self.failure.code)
        if self._on_failure is not None:
            self._on_failure(self.failure)


def _joined(pieces: list[_Piece]) -> list[_Piece]:
    """The same sound in few pieces: frames that follow one another become one."""
    joined: list[list[_Piece]] = []
    for piece in sorted(pieces, key=lambda piece: piece.channel):
        last = joined[-1][-1] if joined else None
        if last and last.channel == piece.channel and last.at + len(last.samples) == piece.at:
            joined[-1].append(piece)
        else:
            joined.append([piece])
    return [_Piece(run[0].channel, run[0].at, np.concatenate([p.samples for p in run])) for run in joined]


def _unwritable(error: OSError, path: Path) -> OtklikError:
    if error.errno in _FULL:
        return DiskFull(
            f"the disk is full: {path} stopped", hint="free some space there; the call goes on unrecorded"
        )
    return StoreUnavailable(
        f"{path} cannot be written: {error.strerror}", hint="check the disk and the rights on this folder"
    )
