"""What the synthesiser's client and server say to each other over a unix socket.

A message is the length of its header (4 bytes, big-endian), the header (a JSON object) and, when
the header says so in `size`, that many bytes of sound.
"""

from __future__ import annotations

import asyncio
import struct
from typing import Literal

from pydantic import BaseModel, ConfigDict

_LENGTH = struct.Struct(">I")
_MAX_HEADER = 1 << 20
_MAX_SOUND = 1 << 28


class SpeakRequest(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    kind: Literal["speak"] = "speak"
    text: str
    voice: str
    language: str
    rate: int


class SpeakReply(BaseModel):
    """Either sound of `size` bytes, or an `error`: its code, message and hint."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: int = 0
    error: str = ""
    message: str = ""
    hint: str = ""


async def read_header(reader: asyncio.StreamReader) -> bytes:
    """Raises IncompleteReadError at the end of the stream, ValueError for what is no message."""
    (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
    if length > _MAX_HEADER:
        raise ValueError(f"a header of {length} bytes")
    return await reader.readexactly(length)


async def read_sound(reader: asyncio.StreamReader, size: int) -> bytes:
    if not 0 <= size <= _MAX_SOUND:
        raise ValueError(f"a sound of {size} bytes")
    return await reader.readexactly(size)


async def write_message(writer: asyncio.StreamWriter, header: BaseModel, sound: bytes = b"") -> None:
    content = header.model_dump_json().encode()
    writer.write(_LENGTH.pack(len(content)) + content + sound)
    await writer.drain()
