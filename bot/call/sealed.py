"""A file that is encrypted in pieces, so that any part of it can be read, written and replaced by itself.

    header    magic, 8 bytes · the key's id, 8 · the file's own id, 16
    length    nonce, 12 · 8 bytes, encrypted · tag, 16
    pieces    each nonce, 12 · PIECE bytes, encrypted · tag, 16; zeros behind the end

AES-256-GCM (NIST SP 800-38D), with a key for each file alone (HKDF, RFC 5869, of the ring's key and the
file's id). A nonce is random and new with each writing; a file has at most some hundred thousand of
them, far below the 2^32 that a key may have. What is authenticated beside a piece is the header, the
file's name and the piece's place: a piece that was changed, or moved within its file or to another,
does not open, and neither does a file that was cut or renamed. What this cannot tell is an old copy
of the whole file, or of one piece, in its own place.

Pieces are written before the length: a writer that is killed leaves a file up to its last `settle`.
"""

from __future__ import annotations

import os
import secrets
import struct
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bot.core.errors import RecordingDamaged
from bot.core.files import write_at
from bot.words import words

MAGIC = b"OTKREC\x01\n"
PIECE = 8192
"""Bytes of content in a piece: a quarter of a second of a call at 8 kHz."""

_HEADER = struct.Struct("<8s8s16s")
BEGINS = _HEADER.size
"""Bytes by which a file tells what it is."""

_LENGTH = struct.Struct("<Q")
_NONCE, _TAG = 12, 16
_SLOT = _NONCE + PIECE + _TAG
_LENGTH_AT = _HEADER.size
_FIRST_AT = _LENGTH_AT + _NONCE + _LENGTH.size + _TAG
_TRIES = 2
"""Readings of one piece: a call that is being recorded may be writing it at the first."""


@dataclass(frozen=True, slots=True)
class Key:
    """`id` is 16 hex digits, which stand in the header of each file; `secret` 32 bytes."""

    id: str
    secret: bytes

    def __repr__(self) -> str:
        return f"Key({self.id})"


def no_link(path: str, flags: int) -> int:
    """An `opener` for a recording: a name that was made a link since it was looked at is not followed. Raises
    OSError (ELOOP)."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC)


def sealed_with(file: Path) -> str | None:
    """The id of the key that opens the file; None for one that is not encrypted. Raises OSError."""
    with open(file, "rb", opener=no_link) as opened:
        return key_id_in(opened.read(BEGINS), file)


def key_id_in(begins: bytes, file: Path) -> str | None:
    """`sealed_with`, by the first BEGINS bytes of the file."""
    if not begins.startswith(MAGIC):
        return None
    if len(begins) < _HEADER.size:
        raise damaged(file, words("нет начала", "its beginning is missing"))
    return str(_HEADER.unpack(begins)[1].hex())


class SealedFile:
    """An open one, by places in its content. Its methods block and raise OSError and RecordingDamaged."""

    def __init__(self, path: Path, descriptor: int, header: bytes, key: Key, name: str) -> None:
        self.path = path
        self.length = 0
        self._file = descriptor
        self._beside = header + name.encode() + b"\0"
        file_id: bytes = _HEADER.unpack(header)[2]
        derived = HKDF(SHA256(), length=32, salt=file_id, info=b"otklik recording").derive(key.secret)
        self._cipher = AESGCM(derived)

    @classmethod
    def create(cls, path: Path, key: Key, *, name: str = "") -> SealedFile:
        """A new one, to read and write. `name` is the one that it will have, where that is another."""
        header = _HEADER.pack(MAGIC, bytes.fromhex(key.id), secrets.token_bytes(16))
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        file = cls(path, descriptor, header, key, name or path.name)
        try:
            write_at(descriptor, header, 0)
            file.settle()
        except OSError:
            os.close(descriptor)
            path.unlink()
            raise
        return file

    @classmethod
    def open(cls, path: Path, descriptor: int, begins: bytes, key: Key) -> SealedFile:
        """An old one, to read; `begins` are its first BEGINS bytes. Where this raises, the descriptor stays
        the caller's."""
        file = cls(path, descriptor, begins, key, path.name)
        file.length = file._settled()
        return file

    @property
    def descriptor(self) -> int:
        return self._file

    def read(self, size: int, at: int) -> bytes:
        """Up to `size` bytes from place `at` on; fewer at the end."""
        end = min(at + size, self.length)
        if at >= end:
            return b""
        first = at // PIECE
        content = b"".join(self._piece(number) for number in range(first, (end - 1) // PIECE + 1))
        return content[at - first * PIECE : end - first * PIECE]

    def write(self, data: bytes, at: int) -> None:
        """Put it there; what lies between the end and `at` becomes zeros. Told to readers by `settle`."""
        if at > self.length:
            data, at = bytes(at - self.length) + data, self.length
        end = at + len(data)
        for number in range(at // PIECE, -(-end // PIECE)):
            start = number * PIECE
            given = data[max(0, start - at) : start + PIECE - at]
            if len(given) < PIECE:
                piece = bytearray(self._piece(number) if start < self.length else PIECE)
                piece[max(0, at - start) : max(0, at - start) + len(given)] = given
                given = bytes(piece)
            self._seal(given, _FIRST_AT + number * _SLOT, b"piece" + struct.pack("<Q", number))
        self.length = max(self.length, end)

    def settle(self) -> None:
        """From now on a reader finds everything that was written."""
        self._seal(_LENGTH.pack(self.length), _LENGTH_AT, b"length")

    def cut(self, length: int) -> None:
        """Drop what lies behind `length`; overwriting needs no room."""
        self.length = length
        self.settle()
        os.ftruncate(self._file, _FIRST_AT + -(-length // PIECE) * _SLOT)

    def sync(self) -> None:
        os.fdatasync(self._file)

    def close(self) -> None:
        os.close(self._file)

    def _piece(self, number: int) -> bytes:
        place, beside = _FIRST_AT + number * _SLOT, b"piece" + struct.pack("<Q", number)
        return self._opened(place, PIECE, beside)

    def _settled(self) -> int:
        length: int = _LENGTH.unpack(self._opened(_LENGTH_AT, _LENGTH.size, b"length"))[0]
        return length

    def _seal(self, content: bytes, at: int, beside: bytes) -> None:
        nonce = secrets.token_bytes(_NONCE)
        write_at(self._file, nonce + self._cipher.encrypt(nonce, content, self._beside + beside), at)

    def _opened(self, at: int, size: int, beside: bytes) -> bytes:
        for left in reversed(range(_TRIES)):
            sealed = os.pread(self._file, _NONCE + size + _TAG, at)
            try:
                return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], self._beside + beside)
            except (InvalidTag, ValueError) as error:  # ValueError: too short for a nonce
                if not left:
                    what = words("она изменена или обрезана", "it was changed or cut")
                    raise damaged(self.path, what) from error
        raise AssertionError("every try ends above")


def damaged(file: Path, what: str) -> RecordingDamaged:
    return RecordingDamaged(
        words(f"запись {file.name} повреждена: {what}", f"the recording {file.name} is damaged: {what}"),
        hint=words("верните её из резервной копии", "bring it back from a backup"),
    )
