"""The file of a backup: a gzipped tar of tables as JSON lines and of files as they are, its manifest last.

The manifest names every member with its SHA-256, so that a backup which lost a byte, a member or its end is
known before anything of it is used.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from bot.core.errors import BadInput
from bot.words import words

FORMAT = 1
MANIFEST = "manifest.json"
TABLES = "tables"

_CHUNK = 1024 * 1024
_LEVEL = 1
"""Of gzip: sound hardly shrinks, tables do at any level."""
_LARGEST_MANIFEST = 512 * 1024 * 1024
"""Bytes: some 150 a recording. It is read whole, and a gzipped one of zeros is a thousand times as large."""


class Manifest(BaseModel):
    """`otklik` is the version that made it, `schema_` the revision of its tables, `rows` those of each table,
    `files` the SHA-256 of every other member."""

    model_config = ConfigDict(extra="forbid")

    format: int = FORMAT
    otklik: str
    schema_: str
    made_at: AwareDatetime
    database: str
    rows: dict[str, int] = {}
    files: dict[str, str] = {}


class ArchiveWriter:
    """Adds members and notes their hashes."""

    def __init__(self, tar: tarfile.TarFile, manifest: Manifest) -> None:
        self._tar = tar
        self.manifest = manifest

    def add(self, name: str, path: Path) -> bool:
        """A file as long as it is at this moment; False for one that is gone. Raises OSError."""
        try:
            file = path.open("rb")
        except FileNotFoundError:
            return False
        with file:
            state = os.fstat(file.fileno())
            self._add(name, file, state.st_size, int(state.st_mtime))
        return True

    def finish(self) -> None:
        text = self.manifest.model_dump_json(indent=2).encode()
        info = tarfile.TarInfo(MANIFEST)
        info.size, info.mode = len(text), 0o600
        self._tar.addfile(info, io.BytesIO(text))

    def _add(self, name: str, file: IO[bytes], size: int, mtime: int) -> None:
        info = tarfile.TarInfo(name)
        info.size, info.mtime, info.mode = size, mtime, 0o600
        hashed = _Hashed(file)
        self._tar.addfile(info, hashed)
        self.manifest.files[name] = hashed.digest.hexdigest()


class _Hashed(io.RawIOBase):
    """Hashes what is read through it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        piece = self._file.read(size)
        self.digest.update(piece)
        return piece


@contextmanager
def writing(path: Path, manifest: Manifest) -> Iterator[ArchiveWriter]:
    """Raises OSError."""
    with tarfile.open(path, "w:gz", compresslevel=_LEVEL, format=tarfile.PAX_FORMAT) as tar:
        writer = ArchiveWriter(tar, manifest)
        yield writer
        writer.finish()


def verified(path: Path, told: Callable[[int], None] = lambda members: None) -> Manifest:
    """Read from end to end: every member is there, and is what was written. Raises BadInput, OSError."""
    found: dict[str, str] = {}
    manifest: Manifest | None = None
    try:
        with tarfile.open(path, "r|gz") as tar:
            for member in tar:
                content = tar.extractfile(member)
                if content is None or _leads_out(member.name):
                    raise _damaged(path, member.name)
                if member.name == MANIFEST:
                    if member.size > _LARGEST_MANIFEST:
                        raise _damaged(path, MANIFEST)
                    manifest = Manifest.model_validate_json(content.read())
                    continue
                digest = hashlib.sha256()
                while piece := content.read(_CHUNK):
                    digest.update(piece)
                found[member.name] = digest.hexdigest()
                told(len(found))
    except FileNotFoundError:
        raise BadInput(words(f"файла {path} нет", f"there is no {path}")) from None
    except (tarfile.TarError, EOFError, ValidationError, OSError, ValueError) as error:
        raise _damaged(path, str(error).partition("\n")[0]) from error
    if manifest is None:
        raise _damaged(path, words("нет описи", "it has no manifest"))
    for name in sorted(found.keys() ^ manifest.files.keys()):
        raise _damaged(path, name)
    for name, digest_of in sorted(found.items()):
        if manifest.files[name] != digest_of:
            raise _damaged(path, name)
    return manifest


def members(path: Path) -> Iterator[tuple[PurePosixPath, IO[bytes], float]]:
    """Name, content and time of each but the manifest, in their order. Of a backup that was verified."""
    with tarfile.open(path, "r|gz") as tar:
        for member in tar:
            content = tar.extractfile(member)
            if content is None or _leads_out(member.name):
                raise _damaged(path, member.name)
            if member.name != MANIFEST:
                yield PurePosixPath(member.name), content, float(member.mtime)


def _leads_out(name: str) -> bool:
    path = PurePosixPath(name)
    return path.is_absolute() or ".." in path.parts


def json_line(row: dict[str, object]) -> bytes:
    return json.dumps(row, ensure_ascii=False, default=_iso, separators=(",", ":")).encode() + b"\n"


def _iso(value: object) -> str:
    """Moments and days."""
    written: str = value.isoformat()  # type: ignore[attr-defined]
    return written


def _damaged(path: Path, what: str) -> BadInput:
    return BadInput(
        words(
            f"{path}: копия повреждена или это не копия Отклика: {what}", f"{path} is no whole backup: {what}"
        ),
        hint=words("возьмите другую копию; ничего не изменено", "take another one; nothing was changed"),
    )
