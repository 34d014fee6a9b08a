"""Speech models: the manifest that names them, and their place on this machine.

A shipped model is an archive in `models/`; it is unpacked into `var/models/<name>` once, verified
by SHA-256, and put in place by one rename, so that a half-unpacked model is never seen. The others are
fetched by `otklik models fetch` (bot/speech/fetching.py) and by nothing else: what is missing here is
told, never downloaded.
"""

from __future__ import annotations

import fcntl
import hashlib
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from bot.core.errors import DiskFull, ModelMissing, Place, SettingsInvalid
from bot.core.files import disk_fault
from bot.speech.unpacking import RECEIPT, read_receipt, unpack
from bot.words import words


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
    mirrors: tuple[str, ...] = ()
    licence: str
    commercial: bool = True
    size: int
    about_mb: int = 0
    sha256: str
    voice: str = ""
    note: str = ""

    @property
    def single_file(self) -> bool:
        """Whether it is kept as it comes (Silero's torch packages), not as a folder."""
        return self.file.endswith(".pt")


def read_manifest(models_dir: Path) -> dict[str, ModelEntry]:
    """The models by name. Raises ModelMissing (no manifest), SettingsInvalid (a broken one)."""
    path = models_dir / "manifest.toml"
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        entries = [ModelEntry.model_validate(entry) for entry in table.get("model", [])]
    except FileNotFoundError as exc:
        raise ModelMissing(
            words(f"нет списка моделей {path}", f"no model manifest at {path}"),
            hint=words("запустите из папки проекта", "run from the project's folder"),
        ) from exc
    except (tomllib.TOMLDecodeError, ValidationError) as exc:
        said = words(f"список моделей не читается: {exc}", f"cannot read the model manifest: {exc}")
        raise SettingsInvalid(said, place=Place(str(path))) from exc
    return {entry.name: entry for entry in entries}


WITH_WORDS = "+words"
"""What the name of a model ends in that `otklik models words add` made of another one."""


def find_entry(name: str, models_dir: Path) -> ModelEntry:
    """Raises ModelMissing for a name that the manifest does not know."""
    entries = read_manifest(models_dir)
    base = entries.get(name.removesuffix(WITH_WORDS))
    if name.endswith(WITH_WORDS) and base is not None:
        own = {"name": name, "shipped": False, "sha256": "", "size": 0, "source": "otklik models words add"}
        return base.model_copy(update=own)
    if name not in entries:
        raise ModelMissing(
            words(f"модели {name!r} нет в списке", f"unknown model {name!r}"),
            hint=words("известны: ", "known models: ") + ", ".join(sorted(entries)),
        )
    return entries[name]


def known_models(models_dir: Path, var_dir: Path) -> dict[str, ModelEntry]:
    """Those of the manifest, and those that were given more words here."""
    entries = read_manifest(models_dir)
    own = [find_entry(f"{name}{WITH_WORDS}", models_dir) for name in entries]
    return entries | {entry.name: entry for entry in own if model_path(entry, var_dir).exists()}


def ensure_model(name: str, models_dir: Path, var_dir: Path) -> Path:
    """The folder (or, for a single-file model, the file) of a model, unpacked if it has to be.

    Safe to call from several processes at once. Raises ModelMissing, with a hint on how to get
    the model, and DiskFull.
    """
    entry = require_model(name, models_dir, var_dir)
    target = model_path(entry, var_dir)
    if not entry.shipped or _in_place(target, entry):
        return target
    archive = models_dir / entry.file
    with disk_errors(target), locked(entry, var_dir):
        if not _in_place(target, entry):
            _check_archive(archive, entry)
            unpack(archive, target, entry.sha256, source=entry.file)
    return target


def require_model(name: str, models_dir: Path, var_dir: Path) -> ModelEntry:
    """One that is installed, or ships and is unpacked when it is needed. Raises ModelMissing, with a hint on
    how to get it."""
    entry = find_entry(name, models_dir)
    if entry.package:
        raise ModelMissing(_in_package(entry), hint=words("своего файла у неё нет", "it has no file"))
    if not entry.shipped and not model_path(entry, var_dir).exists():
        raise ModelMissing(
            words(f"модель {name} не установлена", f"the model {name} is not installed"),
            hint=entry.source
            if name.endswith(WITH_WORDS)
            else words(
                f"otklik models fetch {name} (из {entry.source})",
                f"otklik models fetch {name} (from {entry.source})",
            ),
        )
    return entry


def model_path(entry: ModelEntry, var_dir: Path) -> Path:
    """Where a model lives once it is installed: a folder, or a file for Silero's packages."""
    suffix = ".pt" if entry.single_file else ""
    return (var_dir / "models" / f"{entry.name}{suffix}").absolute()


def verify_model(name: str, models_dir: Path, var_dir: Path) -> str:
    """Reads every byte of a model and compares it with what is known; says what was verified.

    Raises ModelMissing where something is missing or differs.
    """
    entry = find_entry(name, models_dir)
    if entry.package:
        return _in_package(entry)
    if entry.shipped:
        _check_archive(models_dir / entry.file, entry)
        target = ensure_model(name, models_dir, var_dir)
        again = words("распакуется при следующем запуске", "it is unpacked again at next use")
        _check_files(target, hint=words("удалите ", "remove ") + f"{target}: {again}")
        return words("архив и распакованные файлы", "archive and unpacked files")
    target = ensure_model(name, models_dir, var_dir)
    known = entry.sha256 or read_pins(var_dir).get(name, "")
    get_again = entry.source if name.endswith(WITH_WORDS) else f"otklik models fetch {name}"
    unpinned = words(
        "на месте; положена руками, её SHA-256 не закреплена",
        "present; put there by hand, its SHA-256 is not pinned",
    )
    if target.is_file():
        if known and sha256_of(target) != known:
            raise _damaged(target, get_again)
        return words("файл", "file") if known else unpinned
    if not (target / RECEIPT).exists():
        return unpinned
    _check_files(target, hint=get_again)
    return words("распакованные файлы", "unpacked files")


def is_installed(entry: ModelEntry, models_dir: Path, var_dir: Path) -> bool:
    """Whether a model can be used as it is, or after it was unpacked. Changes nothing."""
    if entry.package:
        return True
    return model_path(entry, var_dir).exists() or (entry.shipped and (models_dir / entry.file).is_file())


def read_pins(var_dir: Path) -> dict[str, str]:
    """The SHA-256 that each model's file had when it was first fetched here. Raises SettingsInvalid."""
    path = pins_path(var_dir)
    try:
        return TypeAdapter(dict[str, str]).validate_json(path.read_bytes())
    except FileNotFoundError:
        return {}
    except ValidationError as exc:
        said = words(f"закреплённые суммы не читаются: {exc}", f"cannot read the pinned sums: {exc}")
        raise SettingsInvalid(said, place=Place(str(path))) from exc


def pins_path(var_dir: Path) -> Path:
    return var_dir / "models" / "pins.json"


def _check_files(target: Path, *, hint: str) -> None:
    for file, (_, known) in read_receipt(target).files.items():
        if not (target / file).is_file() or sha256_of(target / file) != known:
            raise _damaged(target / file, hint)


def _damaged(file: Path, hint: str) -> ModelMissing:
    return ModelMissing(words(f"{file} испорчен", f"{file} is damaged"), hint=hint)


def _in_package(entry: ModelEntry) -> str:
    return words(f"входит в пакет Python {entry.package}", f"part of the Python package {entry.package}")


def _in_place(target: Path, entry: ModelEntry) -> bool:
    try:
        receipt = read_receipt(target)
        sizes = all((target / file).stat().st_size == size for file, (size, _) in receipt.files.items())
    except (FileNotFoundError, NotADirectoryError, ValidationError):
        return False
    return sizes and receipt.sha256 == entry.sha256


def _check_archive(archive: Path, entry: ModelEntry) -> None:
    restore = words(f"верните {archive} из репозитория", f"restore {archive} from the repository")
    if not archive.is_file():
        missing = words(f"нет архива модели {entry.name}", f"the archive of {entry.name} is missing")
        raise ModelMissing(missing, hint=restore)
    found = sha256_of(archive)
    if found != entry.sha256:
        raise ModelMissing(
            words(
                f"{archive} испорчен: его SHA-256 {found}, а нужна {entry.sha256}",
                f"{archive} is damaged: its SHA-256 is {found}, {entry.sha256} was expected",
            ),
            hint=restore,
        )


def sha256_of(path: Path) -> str:
    """Blocking."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def locked(entry: ModelEntry, var_dir: Path) -> Iterator[None]:
    """As long as the block lasts no other process changes this model's files."""
    folder = model_path(entry, var_dir).parent
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f".{entry.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # released with the file
        yield


@contextmanager
def disk_errors(target: Path) -> Iterator[None]:
    """A disk that is full while `target` is written becomes DiskFull."""
    try:
        yield
    except OSError as exc:
        if not isinstance(disk_fault(exc), DiskFull):
            raise
        raise DiskFull(
            words(f"для {target.name} не хватило места", f"no space to unpack {target.name}"),
            hint=words(f"освободите место в {target.parent}", f"free space at {target.parent}"),
        ) from exc
