"""A model's archive made into its folder: plain files of one top folder, and nothing else.

Archives come from elsewhere. A name that leads out of the folder, a link, a device, more files or bytes
than any model has: the archive is refused whole, and what was there stays. The folder is made beside its
place and put there by renames, so nobody ever sees half of it.
"""

from __future__ import annotations

import glob
import hashlib
import json
import os
import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from pydantic import BaseModel

from bot.core.errors import DiskFull, ModelMissing
from bot.words import words

RECEIPT = ".otklik-model.json"

MOST_FILES = 1000
"""The official models have fewer than forty."""
MOST_TIMES = 10
SLACK_BYTES = 64_000_000
"""An archive may unpack to ten times its size and this: sound models shrink to half at most."""
_CHUNK = 1 << 20


class Receipt(BaseModel):
    """What an unpacked model came from (the SHA-256 of its archive), and its files with their sizes and
    SHA-256."""

    sha256: str
    files: dict[str, tuple[int, str]]
    source: str = ""


@dataclass(frozen=True, slots=True)
class _Member:
    name: str
    size: int
    plain: bool
    stream: IO[bytes] | None


def unpack(
    archive: Path, target: Path, sha256: str, *, source: str = "", required: tuple[str, ...] = ()
) -> Receipt:
    """Puts the archive's files in place of `target`, with a receipt. `required` are files that must be there.

    Blocking, under the model's lock. Raises ModelMissing for an archive that cannot be read or holds what no
    model holds, DiskFull before anything is written where it plainly does not fit, and OSError.
    """
    _clear(target)
    _require_space(archive, target)
    fresh = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        files = dict(_written(archive, fresh))
        for path in required:
            if path not in files:
                raise ModelMissing(
                    words(
                        f"в {archive} нет {path}: это не модель", f"{archive} has no {path}: it is no model"
                    ),
                    hint=words("ничего не изменено", "nothing was changed"),
                )
        receipt = Receipt(sha256=sha256, files=files, source=source)
        content = json.dumps(receipt.model_dump(), indent=1).encode()
        with (fresh / RECEIPT).open("wb") as file:
            file.write(content)
            _sync(file)
        fresh.chmod(0o755)
        put_in_place(fresh, target)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    return receipt


def _clear(target: Path) -> None:
    """Folders that an unpacking left which was killed: there is no other, under the model's lock."""
    name = glob.escape(target.name)
    for made in ("", "old."):
        for left in target.parent.glob(f".{name}.{made}????????/"):  # as tempfile names them
            shutil.rmtree(left, ignore_errors=True)


def put_in_place(fresh: Path, target: Path) -> None:
    """Renames a folder to where it belongs; what was there goes only when it has been replaced."""
    aside = Path(tempfile.mkdtemp(prefix=f".{target.name}.old.", dir=target.parent))
    was = target.exists()
    try:
        if was:
            target.rename(aside / "was")
        try:
            fresh.rename(target)
        except OSError:
            if was:
                (aside / "was").rename(target)
            raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def read_receipt(target: Path) -> Receipt:
    """Raises FileNotFoundError, NotADirectoryError, pydantic's ValidationError."""
    return Receipt.model_validate_json((target / RECEIPT).read_bytes())


def _require_space(archive: Path, target: Path) -> None:
    needed = 0
    for number, member in enumerate(_members(archive, opened=False), 1):
        if number > MOST_FILES:
            raise _refused(archive, f"{MOST_FILES}+")
        needed += max(member.size, 0)
        _require_bound(archive, needed)
    require_space(needed, target)


def require_space(needed: int, target: Path) -> None:
    """Raises DiskFull where so many bytes have no room beside `target`."""
    free = shutil.disk_usage(target.parent).free
    if needed > free:
        raise DiskFull(
            words(
                f"{target.name} займёт {needed / 1e6:.0f} МБ, а свободно {free / 1e6:.0f} МБ",
                f"{target.name} takes {needed / 1e6:.0f} MB and {free / 1e6:.0f} MB are free",
            ),
            hint=words(f"освободите место в {target.parent}", f"free space at {target.parent}"),
        )


def _written(archive: Path, fresh: Path) -> Iterator[tuple[str, tuple[int, str]]]:
    total, seen = 0, set[PurePosixPath]()
    for member in _members(archive, opened=True):
        inner = _inner_path(member, archive)
        if str(inner) == RECEIPT:  # somebody packed a folder of another machine: it gets a receipt of its own
            continue
        if inner in seen:
            raise _refused(archive, repr(member.name))
        seen.add(inner)
        assert member.stream is not None  # a plain file, by _inner_path
        path = fresh / inner
        path.parent.mkdir(parents=True, exist_ok=True)
        digest, size = hashlib.sha256(), 0
        with path.open("xb") as file:
            while content := member.stream.read(_CHUNK):
                size += len(content)
                _require_bound(archive, total + size)  # what it says of its sizes need not be true
                digest.update(content)
                file.write(content)
            _sync(file)
        total += size
        yield str(inner), (size, digest.hexdigest())


def _members(archive: Path, *, opened: bool) -> Iterator[_Member]:
    """Everything but folders, in the archive's order."""
    try:
        if zipfile.is_zipfile(archive):
            yield from _zipped(archive, opened=opened)
        elif tarfile.is_tarfile(archive):
            yield from _tarred(archive, opened=opened)
        else:
            raise tarfile.ReadError(
                words("это не zip и не tar, или не весь", "no zip and no tar, or not all of it")
            )
    except (
        tarfile.TarError,
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
    ) as exc:
        # NotImplementedError: a compression that zipfile has not; RuntimeError: an encrypted member
        raise ModelMissing(
            words(f"{archive} не распаковать: {exc}", f"{archive} cannot be unpacked: {exc}"),
            hint=words("скачайте архив заново", "get the archive again"),
        ) from exc


def _zipped(archive: Path, *, opened: bool) -> Iterator[_Member]:
    with zipfile.ZipFile(archive) as whole:
        for info in whole.infolist():
            if info.is_dir():
                continue
            kind = stat.S_IFMT(info.external_attr >> 16)  # 0 where the archive was not made on Unix
            plain = kind in (0, stat.S_IFREG)
            if not opened or not plain:
                yield _Member(info.filename, info.file_size, plain, None)
                continue
            with whole.open(info) as stream:
                yield _Member(info.filename, info.file_size, plain, stream)


def _tarred(archive: Path, *, opened: bool) -> Iterator[_Member]:
    with tarfile.open(archive) as whole:
        for info in whole:
            if info.isdir():
                continue
            stream = whole.extractfile(info) if opened and info.isreg() else None
            yield _Member(info.name, info.size, info.isreg(), stream)


def _inner_path(member: _Member, archive: Path) -> PurePosixPath:
    """The path below the archive's one top folder. Refuses all that is not plain."""
    path = PurePosixPath(member.name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or len(path.parts) < 2 or not member.plain:
        raise _refused(archive, repr(member.name))
    return PurePosixPath(*path.parts[1:])


def _require_bound(archive: Path, size: int) -> None:
    if size > MOST_TIMES * archive.stat().st_size + SLACK_BYTES:
        raise _refused(archive, f"{size / 1e6:.0f}+ MB")


def _refused(archive: Path, held: str) -> ModelMissing:
    return ModelMissing(
        words(
            f"в {archive} лежит {held}, чего в архиве модели быть не может",
            f"{archive} holds {held}, which no model archive may hold",
        ),
        hint=words(
            "в нём одна папка с обычными файлами; ничего не изменено",
            "it has one top folder with plain files; nothing was changed",
        ),
    )


def _sync(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())
