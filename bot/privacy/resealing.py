"""Recordings put under the newest key, one after another: each is whole under its old key or its new one.

Whoever is stopped half-way goes on where he was, for what is done already is passed over.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from bot.call.recording_files import hold_alone, read_recording
from bot.call.recording_keys import KeyRing
from bot.call.sealed import PIECE, SealedFile, sealed_with
from bot.core.errors import BadInput, OtklikError, RecordingDamaged, RecordingsLocked
from bot.words import words

_COPIED = 32 * PIECE
PASSING = ".resealed"
"""How a file ends that is being made. It begins with a dot, as what a backup leaves out."""

LOCK = ".resealing"

Progress = Callable[[int, int], None]
"""How many were looked at, of how many."""


def passing_file(file: Path) -> Path:
    """Where a recording is put under its new key. Of one who was killed it is there until the next one, or
    until the recording is removed."""
    return file.with_name(f".{file.name}{PASSING}")


def recordings_in(folder: Path) -> list[Path]:
    """A link is none, for it may lead out of the folder. Blocks."""
    return sorted(
        file
        for file in folder.rglob("*.wav")
        if file.is_file() and not file.is_symlink() and not file.name.startswith(".")
    )


def keys_in_use(folder: Path) -> Counter[str]:
    """How many recordings each key opens; "" for those that are not encrypted. Blocks."""
    counts: Counter[str] = Counter()
    for file in recordings_in(folder):
        try:
            counts[sealed_with(file) or ""] += 1
        except FileNotFoundError:  # removed meanwhile
            continue
    return counts


def reseal(
    folder: Path, ring: KeyRing, progress: Progress
) -> tuple[Counter[str], list[tuple[Path, OtklikError]]]:
    """How many were `done`, were under the newest key already (`kept`), or are `written` by a call; and
    those that cannot be opened, with why: they stay as they are. Blocks. Raises OSError, RecordingsLocked,
    and BadInput where another one is at it.
    """
    newest = ring.newest.id
    with (folder / LOCK).open("a") as lock:
        if not hold_alone(lock.fileno()):
            raise BadInput(
                words("записи уже перешифровывают", "recordings are being put under a key already")
            )
        return _each(folder, ring, newest, progress)


def _each(
    folder: Path, ring: KeyRing, newest: str, progress: Progress
) -> tuple[Counter[str], list[tuple[Path, OtklikError]]]:
    counts: Counter[str] = Counter()
    failed: list[tuple[Path, OtklikError]] = []
    files = recordings_in(folder)
    _sweep(folder)
    for number, file in enumerate(files, 1):
        try:
            if sealed_with(file) == newest:
                counts["kept"] += 1
            else:
                counts["done" if _reseal_one(file, ring) else "written"] += 1
        except FileNotFoundError:  # removed meanwhile
            counts["gone"] += 1
        except (RecordingDamaged, RecordingsLocked) as error:
            failed.append((file, error))
        progress(number, len(files))
    return counts, failed


def _sweep(folder: Path) -> None:
    """What one left who was killed."""
    for left in folder.rglob(f".*{PASSING}"):
        left.unlink(missing_ok=True)


def _reseal_one(file: Path, ring: KeyRing) -> bool:
    """False where a call is writing it."""
    passing = passing_file(file)
    with file.open("rb") as held:
        if not hold_alone(held.fileno()):
            return False
        was = os.fstat(held.fileno())
        if not was.st_nlink:  # removed before we held it
            raise FileNotFoundError(file)
        try:
            sealed = SealedFile.create(passing, ring.newest, name=file.name)
            try:
                place = 0
                for piece in _pieces(file, ring):
                    sealed.write(piece, place)
                    place += len(piece)
                sealed.settle()
                sealed.sync()
            finally:
                sealed.close()
            os.utime(passing, ns=(was.st_atime_ns, was.st_mtime_ns))  # by which its age is known
            passing.replace(file)
        except BaseException:
            passing.unlink(missing_ok=True)
            raise
    return True


def _pieces(file: Path, ring: KeyRing) -> Iterator[bytes]:
    with read_recording(file, ring.file) as sound:
        while piece := sound.read(_COPIED):
            yield piece
