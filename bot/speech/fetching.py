"""Models brought to this machine: from the publisher, a mirror or a file, verified, and put in place whole.

Only the command `otklik models fetch` comes here; whatever fails leaves what was there. Where the
manifest knows no SHA-256 (the publisher gives none) the first fetch pins what came: the sum is shown, kept
in `var/models/pins.json`, and every later fetch must agree with it.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.core.errors import BadInput, FetchFailed, ModelMissing, Place
from bot.core.files import write_whole
from bot.speech.download import Downloader, FreeBytes, Part, Progress
from bot.speech.licences import require_licence
from bot.speech.models import (
    WITH_WORDS,
    ModelEntry,
    disk_errors,
    find_entry,
    locked,
    model_path,
    pins_path,
    read_pins,
    sha256_of,
)
from bot.speech.settings import FetchSettings
from bot.speech.unpacking import unpack
from bot.words import words

_REQUIRED = ("am/final.mdl",)
"""What every Vosk model that the recogniser loads has."""
UNPACKED_TIMES = 3
"""Room that is asked for before an archive is fetched, as a multiple of its size: itself and its files."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """`pinned` where its sum was not known before, and is from now on."""

    path: Path
    source: str
    sha256: str
    pinned: bool


def free_bytes(folder: Path) -> int:
    """Of the disk under a folder that need not exist yet."""
    there = next(each for each in (folder, *folder.parents) if each.exists())
    return shutil.disk_usage(there).free


def sources(entry: ModelEntry, settings: FetchSettings) -> Iterator[str]:
    """Where a model may come from, in order: the company's own mirrors, the publisher, his mirrors."""
    for base in settings.mirrors:
        yield f"{base.rstrip('/')}/{entry.file}"
    yield entry.source
    yield from entry.mirrors


async def fetch_model(
    name: str,
    models_dir: Path,
    var_dir: Path,
    settings: FetchSettings,
    *,
    file: Path | None = None,
    new_pin: bool = False,
    progress: Progress = lambda done, total: None,
    free: FreeBytes = free_bytes,
    unpacking: Callable[[], None] = lambda: None,
) -> Fetched:
    """A model from where the manifest says, or from a `file` that was got in another way.

    `new_pin` takes what differs from what was pinned here before. Raises ModelMissing (an unknown name, an
    archive that no model is), BadInput, LicenceUnanswered, FetchFailed, DiskFull.
    """
    entry = find_entry(name, models_dir)
    if entry.package or entry.shipped or name.endswith(WITH_WORDS):
        raise BadInput(
            words(f"{name} скачивать не нужно: модель уже есть", f"{name} is here already"),
            hint=entry.note,
        )
    require_licence(entry, var_dir, "fetch")
    with locked(entry, var_dir):
        known = entry.sha256 or ("" if new_pin else read_pins(var_dir).get(name, ""))
        if file is not None:
            size = _size_of(entry, file)
            progress(size, size)
            unpacking()
            return await _to_its_end(_install, entry, var_dir, file, str(file), known)
        part = Part(model_path(entry, var_dir).parent / f".{name}.part")
        room = 1 if entry.single_file else UNPACKED_TIMES
        downloader = Downloader(proxy=settings.proxy, progress=progress, free=free, room=room)
        source = await downloader.get(tuple(sources(entry, settings)), part, checked=bool(known))
        unpacking()
        try:
            return await _to_its_end(_install, entry, var_dir, part.path, source, known)
        finally:
            part.drop()


async def _to_its_end(install: Callable[..., Fetched], *args: object) -> Fetched:
    """In a thread, which an interruption waits for: what it reads and what it has locked stays until then."""
    running = asyncio.ensure_future(asyncio.to_thread(install, *args))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await running
        raise


def _size_of(entry: ModelEntry, file: Path) -> int:
    """Of a file that was got in another way. Raises BadInput where there is none."""
    if not file.is_file():
        raise BadInput(
            words("это папка, а не файл", "this is a folder and no file")
            if file.is_dir()
            else words("такого файла нет", "there is no such file"),
            hint=words(f"нужен {entry.file} из {entry.source}", f"{entry.file} of {entry.source} is wanted"),
            place=Place(str(file)),
        )
    return file.stat().st_size


def _install(entry: ModelEntry, var_dir: Path, file: Path, source: str, known: str) -> Fetched:
    found = sha256_of(file)
    if known and found != known:
        again = (
            "" if entry.sha256 else words("; новая версия издателя: --new-pin", "; a new version: --new-pin")
        )
        raise FetchFailed(
            words(
                f"{source}: не тот файл: SHA-256 {found}, а нужна {known}",
                f"{source} is another file: its SHA-256 is {found}, {known} was expected",
            ),
            hint=words("ничего не изменено; попробуйте другое зеркало", "nothing was changed; try a mirror")
            + again,
        )
    target = model_path(entry, var_dir)
    with disk_errors(target):
        if entry.single_file:
            _copy(file, target)
        else:
            unpack(file, target, found, source=source, required=_REQUIRED if entry.kind == "asr" else ())
        if not known:
            pins = {**read_pins(var_dir), entry.name: found}
            write_whole(pins_path(var_dir), json.dumps(pins, indent=1).encode())
    return Fetched(target, source, found, pinned=not known)


def _copy(file: Path, target: Path) -> None:
    """Silero's voices stay as they come: torch packages, which are zip archives."""
    if not zipfile.is_zipfile(file):
        raise ModelMissing(
            words(f"{file} не пакет torch", f"{file} is no torch package"),
            hint=words("похоже, это страница вместо файла", "it may be a page instead of the file"),
        )
    fresh = target.with_name(f".{target.name}.fresh")
    try:
        with file.open("rb") as source, fresh.open("wb") as copy:
            shutil.copyfileobj(source, copy)
            copy.flush()
            os.fsync(copy.fileno())
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)
