"""Lines of standard input, as they come, for an event loop."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Iterator

LINE_BYTES = 1 << 20
"""A longer line is cut off here; its rest is read and dropped."""

_CHUNK = 1 << 16


async def read_lines(descriptor: int) -> AsyncIterator[str]:
    """Each line without its end, decoded as UTF-8; what is none becomes U+FFFD.

    The reading thread waits where nobody takes its lines. It reads the descriptor itself: a thread
    that holds the lock of `sys.stdin` would keep the process from ending at Ctrl-C.
    """
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[list[str] | OSError | None] = asyncio.Queue(maxsize=1)

    def put(item: list[str] | OSError | None) -> None:
        asyncio.run_coroutine_threadsafe(queue.put(item), loop).result()

    def read() -> None:
        try:
            for lines in _chunks(descriptor):
                put(lines)
            put(None)
        except OSError as error:
            put(error)
        except RuntimeError:
            return  # the loop was closed: nobody listens any more

    threading.Thread(target=read, name="stdin", daemon=True).start()
    while (item := await queue.get()) is not None:
        if isinstance(item, OSError):
            raise item
        for line in item:
            yield line


def _chunks(descriptor: int) -> Iterator[list[str]]:
    """Whole lines, as many as one read brought."""
    begun = b""
    while chunk := os.read(descriptor, _CHUNK):
        *ended, rest = chunk.split(b"\n")
        lines = []
        for part in ended:
            lines.append(_text(begun + part))
            begun = b""
        begun = (begun + rest)[:LINE_BYTES]
        yield lines
    if begun:
        yield [_text(begun)]


def _text(line: bytes) -> str:
    return line[:LINE_BYTES].removesuffix(b"\r").decode("utf-8", errors="replace")
