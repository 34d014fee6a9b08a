"""Speech models: the manifest that names them, and their place on this machine.

A shipped model is an archive in `models/`; it is unpacked into `var/models/<name>` once, verified
by SHA-256, and put in place by one rename, so that a half-unpacked model is never seen.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
import tarfile
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from bot.core.errors import DiskFull, ModelMissing, Place, SettingsInvalid

_RECEIPT = ".otklik-model.json"


class ModelEntry(BaseModel):
    """One entry of `models/manifest.toml`; the fields are explained there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    kind: Literal["asr", "tts", "vad"]
    language: str
    file: str
    shipped: bool
    package: str = ""
    source: str
    licence: str
    size: int
    sha256: str
    note: str = ""


class _Receipt(BaseModel):
    """What an unpacked model came from, and its files with their sizes and SHA-256."""

    sha256: str
    files: dict[str, tuple[int, str]]


def read_manifest(models_dir: Path) -> dict[str, ModelEntry]:
    """The models by name. Raises ModelMissing (no manifest), SettingsInvalid (a broken one)."""
    path = models_dir / "manifest.toml"
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        entries = [ModelEntry.model_validate(entry) for entry in table.get("model", [])]
    except FileNotFoundError as exc:
        raise ModelMissing(f"no model manifest at {path}", hint="run from the project's folder") from exc
    except (tomllib.TOMLDecodeError, ValidationError) as exc:
        raise SettingsInvalid(f"cannot read the model manifest: {exc}", place=Place(str(path))) from exc
    return {entry.name: entry for entry in entries}


def find_entry(name: str, models_dir: Path) -> ModelEntry:
    """Raises ModelMissing for a name that the manifest does not know."""
    entries = read_manifest(models_dir)
    if name not in entries:
        raise ModelMissing(f"unknown model {name!r}", hint=f"known models: {', '.join(sorted(entries))}")
    return entries[name]


def ensure_model(name: str, models_dir: Path, var_dir: Path) -> Path:
    """The folder (or, for a single-file model, the file) of a model, unpacked if it has to be.

    Safe to call from several processes at once. Raises ModelMissing, with a hint on how to get
    the model, and DiskFull.
    """
    entry = find_entry(name, models_dir)
    if entry.package:
        raise ModelMissing(f"{name} is part of the Python package {entry.package}", hint="it has no file")
    target = model_path(entry, var_dir)
    if not entry.shipped:
        if not target.exists():
            raise ModelMissing(
                f"the model {name} is not installed", hint=f"get {entry.source} and put it at {target}"
            )
        return target
    if _in_place(target, entry):
        return target
    archive = models_dir / entry.file
    with _disk_errors(target), _locked(target.parent / f".{name}.lock"):
        if not _in_place(target, entry):
            _check_archive(archive, entry)
            _unpack(archive, target, entry)
    return target


def model_path(entry: ModelEntry, var_dir: Path) -> Path:
    """Where a model lives once it is installed: a folder, or a file for Silero's packages."""
    suffix = ".pt" if entry.file.endswith(".pt") else ""
    return (var_dir / "models" / f"{entry.name}{suffix}").absolute()


def verify_model(name: str, models_dir: Path, var_dir: Path) -> str:
    """Reads every byte of a model and compares it with what is known; says what was verified.

    Raises ModelMissing where something is missing or differs.
    """
    entry = find_entry(name, models_dir)
    if entry.package:
        return f"part of the Python package {entry.package}"
    if entry.shipped:
        _check_archive(models_dir / entry.file, entry)
        target = ensure_model(name, models_dir, var_dir)
        for file, (_, known) in _read_receipt(target).files.items():
            if _sha256(target / file) != known:
                raise ModelMissing(
                    f"{target / file} is damaged", hint=f"remove {target}; it is unpacked again at next use"
                )
        return "archive and unpacked files"
    target = ensure_model(name, models_dir, var_dir)
    if target.is_file() and entry.sha256:
        if _sha256(target) != entry.sha256:
            raise ModelMissing(f"{target} is damaged", hint=f"get it again from {entry.source}")
        return "file"
    return "present; its SHA-256 is not pinned yet"


def _in_place(target: Path, entry: ModelEntry) -> bool:
    try:
        receipt = _read_receipt(target)
        sizes = all((target / file).stat().st_size == size for file, (size, _) in receipt.files.items())
    except (FileNotFoundError, NotADirectoryError, ValidationError):
        return False
    return sizes and receipt.sha256 == entry.sha256


def _read_receipt(target: Path) -> _Receipt:
    return _Receipt.model_validate_json((target / _RECEIPT).read_bytes())


def _check_archive(archive: Path, entry: ModelEntry) -> None:
    restore = f"restore {archive} from the repository"
    if not archive.is_file():
        raise ModelMissing(f"the archive of {entry.name} is missing", hint=restore)
    found = _sha256(archive)
    if found != entry.sha256:
        raise ModelMissing(
            f"{archive} is damaged: its SHA-256 is {found}, {entry.sha256} was expected", hint=restore
        )


def _unpack(archive: Path, target: Path, entry: ModelEntry) -> None:
    fresh = Path(tempfile.mkdtemp(prefix=f".{entry.name}.", dir=target.parent))
    try:
        files: dict[str, tuple[int, str]] = {}
        with tarfile.open(archive) as tar:
            for member in tar:
                inner = _inner_path(member, archive)
                if inner is None:
                    continue
                stream = tar.extractfile(member)
                assert stream is not None  # a regular file, by _inner_path
                content = stream.read()
                _write_durably(fresh / inner, content)
                files[str(inner)] = (len(content), hashlib.sha256(content).hexdigest())
        receipt = _Receipt(sha256=entry.sha256, files=files)
        _write_durably(fresh / _RECEIPT, json.dumps(receipt.model_dump(), indent=1).encode())
        fresh.chmod(0o755)
        if target.exists():
            shutil.rmtree(target)
        fresh.rename(target)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise


def _inner_path(member: tarfile.TarInfo, archive: Path) -> PurePosixPath | None:
    """The path below the archive's one top folder; None for folders. Refuses all that is not plain."""
    path = PurePosixPath(member.name)
    if member.isdir():
        return None
    if path.is_absolute() or ".." in path.parts or len(path.parts) < 2 or not member.isreg():
        raise ModelMissing(
            f"{archive} holds {member.name!r}, which no model archive may hold",
            hint="an archive has one top folder with plain files",
        )
    return PurePosixPath(*path.parts[1:])


def _write_durably(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # released with the file
        yield


@contextmanager
def _disk_errors(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        if exc.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(
                f"no space to unpack {target.name}", hint=f"free space at {target.parent}"
            ) from exc
        raise
