"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.core.errors import DiskFull, Unavailable

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)


def disk_fault(error: OSError) -> Unavailable | None:
    """What an error of writing means to a person; None for one that is not of the disk."""
    where = error.filename or "диск"
    if error.errno in _FULL:
        return DiskFull(f"{where}: на диске нет места", hint="освободите место или задайте другую папку var")
    if error.errno in _FORBIDDEN and error.filename is not None:
        return Unavailable(
            f"{where}: писать или читать здесь нельзя: {error.strerror}",
            hint="дайте этому пользователю права или задайте другую папку var",
        )
    return None


@contextmanager
def fresh_file(path: Path, *, durable: bool = True, mode: int = 0o600) -> Iterator[Path]:
    """An empty file beside `path` to be filled, which takes its place at the end of the block.

    An error or an interruption leaves what was there, and nothing half. With `durable` the content and
    then its name are on disk afterwards (POSIX fsync(2): a file's fsync says nothing of its directory's
    entry). Without it the file outlives this process, not a loss of power. Raises OSError.
    """
    handle, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=path.parent)
    os.close(handle)
    fresh = Path(name)
    try:
        yield fresh
        fresh.chmod(mode)
        if durable:
            _sync(fresh)
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    if durable:
        _sync(path.parent)


def write_whole(path: Path, content: bytes, *, durable: bool = True, mode: int = 0o600) -> None:
    """Write beside `path` and rename, so that a reader never sees half of a file; as `fresh_file`."""
    with fresh_file(path, durable=durable, mode=mode) as fresh:
        fresh.write_bytes(content)


def write_at(descriptor: int, data: bytes, place: int) -> None:
    """All of it, from `place` on: pwrite(2) may take a part. Raises OSError."""
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, place)
        view, place = view[written:], place + written


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
