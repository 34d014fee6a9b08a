"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import tempfile
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


def write_whole(path: Path, content: bytes, *, durable: bool = True, mode: int = 0o600) -> None:
    """Write beside `path` and rename, so that a reader never sees half of a file.

    With `durable` the content and then its name are on disk when this returns (POSIX fsync(2): a
    file's fsync says nothing of its directory's entry). Without it the file outlives this process,
    not a loss of power. Raises OSError, and then leaves what was there.
    """
    handle, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=path.parent)
    fresh = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            os.fchmod(file.fileno(), mode)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    if durable:
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
