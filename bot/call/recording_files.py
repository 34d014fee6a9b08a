"""Recordings as they are read, encrypted or not, and who may take one away while another looks at it.

Whoever writes or removes a recording holds its file's lock with others (flock(2), LOCK_SH); whoever puts
another file in its place holds it alone. So a recording that goes on is not replaced, and one that is
removed does not come back.
"""

from __future__ import annotations

import errno
import fcntl
import io
import os
from pathlib import Path
from typing import BinaryIO, cast

from bot.call.recording_keys import KeyRing
from bot.call.sealed import BEGINS, SealedFile, damaged, key_id_in, no_link
from bot.core.errors import RecordingsLocked
from bot.words import words

_RIFF = b"RIFF"
_NO_LOCKS = frozenset({errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS})


def recording_at(folder: Path, name: str) -> Path | None:
    """The recording of this name; None where there is none. Names come from rows and from people: one that
    leads out of the folder is none, and neither is a link in it, wherever that leads.

    Blocks. Raises OSError.
    """
    folder = folder.resolve()
    try:
        file = folder / name
        # realpath(3) follows links; `Path.resolve` raises for one that leads to itself.
        if os.path.realpath(file) != str(file) or not file.is_relative_to(folder) or not file.is_file():
            return None
    except ValueError:  # NUL, or what no name of a file can hold
        return None
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        return None
    return file


def read_recording(file: Path, keys: Path | None) -> BinaryIO:
    """The sound, a WAV from its first byte on. `keys` is the file of keys, None where there is none.

    Blocks. Raises OSError, RecordingsLocked, RecordingDamaged; its reading as well.
    """
    descriptor = no_link(str(file), os.O_RDONLY)
    try:
        # Of the same open file: by its name another one may come, under another key.
        begins = os.pread(descriptor, BEGINS, 0)
        key_id = _key_id(begins, file)
        if key_id is None:
            return os.fdopen(descriptor, "rb")
        if keys is None:
            raise RecordingsLocked(
                words(f"запись {file.name} зашифрована", f"the recording {file.name} is encrypted"),
                hint=words(
                    "задайте privacy.recording_keys — файл с ключами",
                    "set privacy.recording_keys, the file of its keys",
                ),
            )
        sealed = SealedFile.open(file, descriptor, begins, KeyRing.read(keys).find(key_id))
    except BaseException:
        os.close(descriptor)
        raise
    return cast(BinaryIO, io.BufferedReader(_Reader(sealed), 64 * 1024))


def key_of(file: Path) -> str | None:
    """The id of the key that opens it; None for a sound that is not encrypted. Blocks. Raises OSError,
    RecordingDamaged: for what is neither, too."""
    with open(file, "rb", opener=no_link) as opened:
        return _key_id(opened.read(BEGINS), file)


def _key_id(begins: bytes, file: Path) -> str | None:
    key_id = key_id_in(begins, file)
    if key_id is None and not begins.startswith(_RIFF):
        raise damaged(file, words("это не звук", "it is no sound"))
    return key_id


class _Reader(io.RawIOBase):
    """A sealed file as Python reads files."""

    def __init__(self, sealed: SealedFile) -> None:
        self._sealed = sealed
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._sealed.length}[whence]
        self._place = max(0, base + offset)
        return self._place

    def tell(self) -> int:
        return self._place

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        data = self._sealed.read(len(buffer), self._place)
        buffer[: len(data)] = data
        self._place += len(data)
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._sealed.close()
        super().close()


def hold_with_others(descriptor: int) -> None:
    """Until it is closed; waits for whoever is putting another file in its place. Blocks."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
    except OSError as error:
        if error.errno not in _NO_LOCKS:  # without locks `hold_alone` refuses: nobody is to be kept off
            raise


def hold_alone(descriptor: int) -> bool:
    """Until it is closed; False where somebody writes or removes it. Blocks. Raises OSError also where this
    file system knows no locks: nothing is put in a file's place there."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
