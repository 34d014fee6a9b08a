"""A call's sound for its page: where it lies, how it is drawn, and how it is sent, encrypted or not."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import BinaryIO

import structlog
from aiohttp import web

from bot.call.recording_files import key_of, read_recording, recording_at
from bot.core.errors import RecordingDamaged, RecordingsLocked
from bot.store.tables import Attempt
from bot.web.journal.waveform import Waveform, waveform
from bot.web.parts import Parts

log = structlog.get_logger()

PIECE = 256 * 1024
"""Bytes that are sent at a time."""

_HEADERS = {"Content-Type": "audio/wav"}


def sound_of(parts: Parts, attempt: Attempt) -> Path | None:
    """The call's file; None where there is none. Blocks."""
    return recording_at(parts.settings.recordings, attempt.recording)


def drawn(
    parts: Parts, attempt: Attempt
) -> tuple[Waveform | None, RecordingsLocked | RecordingDamaged | None]:
    """The picture of the sound, or why there is a recording and none can be had. Blocks."""
    file = sound_of(parts, attempt)
    if file is None:
        return None, None
    try:
        with read_recording(file, parts.settings.recording_keys) as sound:
            return waveform(sound), None
    except FileNotFoundError:  # deleted meanwhile, as he wished who was recorded
        return None, None
    except (RecordingsLocked, RecordingDamaged) as error:
        log.warning("recording not shown", call_id=attempt.call_id, code=error.code)
        return None, error


async def sound_answer(request: web.Request, file: Path, keys: Path | None) -> web.StreamResponse:
    """The sound, or the part of it that is asked for (Range, RFC 9110, 14). What is encrypted is opened whole
    before a byte of it is sent: nothing that was tampered with is played.

    Raises RecordingsLocked, RecordingDamaged, HTTPNotFound.
    """
    try:
        if await asyncio.to_thread(key_of, file) is None:
            return web.FileResponse(file, headers=_HEADERS)
        sound = await asyncio.to_thread(read_recording, file, keys)
    except FileNotFoundError as error:
        raise web.HTTPNotFound from error
    try:
        length = await asyncio.to_thread(_length, sound)
        try:
            part = _asked(request, length)
        except ValueError:
            return web.Response(status=416, headers={"Content-Range": f"bytes */{length}"})
        await asyncio.to_thread(_try, sound, part)
        return await _send(request, sound, part, length)
    finally:
        await asyncio.to_thread(sound.close)


def _asked(request: web.Request, length: int) -> range | None:
    """The bytes that are asked for; None for all of them. Raises ValueError for none that there are."""
    if "If-Range" in request.headers:  # of an answer that said what it is the same as, as ours does not
        return None
    asked = request.http_range
    if asked.start is None and asked.stop is None:
        return None
    part = range(length)[asked]
    if not part:
        raise ValueError("the range is behind the end")
    return part


def _length(sound: BinaryIO) -> int:
    return sound.seek(0, 2)


def _try(sound: BinaryIO, part: range | None) -> None:
    """Raises RecordingDamaged."""
    sound.seek(part.start if part else 0)
    left = len(part) if part else -1
    while left and (piece := sound.read(min(PIECE, left) if part else PIECE)):
        left -= len(piece) if part else 0


async def _send(request: web.Request, sound: BinaryIO, part: range | None, length: int) -> web.StreamResponse:
    answer = web.StreamResponse(status=206 if part else 200, headers={**_HEADERS, "Accept-Ranges": "bytes"})
    sent = part or range(length)
    answer.content_length = len(sent)
    if part:
        answer.headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{length}"
    await answer.prepare(request)
    if request.method == "HEAD":
        return answer
    await asyncio.to_thread(sound.seek, sent.start)
    for start in range(sent.start, sent.stop, PIECE):
        await answer.write(await asyncio.to_thread(sound.read, min(PIECE, sent.stop - start)))
    await answer.write_eof()
    return answer
