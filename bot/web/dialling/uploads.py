"""Files that were sent to be imported: kept until they are, and at most for a day.

A file is streamed to the disk as it comes; what it holds is nobody's but its sender's, so its folder is ours
alone (0700) and goes when the upload is forgotten.
"""

from __future__ import annotations

import asyncio
import secrets
import shutil
import tempfile
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

import structlog
from aiohttp import BodyPartReader, web

from bot.campaigns.importing.columns import Meaning
from bot.campaigns.importing.importer import Summary
from bot.campaigns.importing.numbers import NumbersTaken
from bot.campaigns.importing.sheet import Sheet
from bot.core.errors import BadInput, DiskFull, OtklikError
from bot.web.parts import parts_of
from bot.web.reading import BROKEN, require_kept
from bot.web.security import CSRF_HEADER, check_token
from bot.web.who import signed_in
from bot.words import words

log = structlog.get_logger()

KEPT = timedelta(days=1)
MOST = 20
"""Uploads at once; the oldest that is not worked on makes room."""
_CHUNK = 256 * 1024
_FIELD = 10_000
"""Bytes of a field beside the file."""

Kind = Literal["contacts", "numbers"]


class State(StrEnum):
    READY = "ready"  # opened: its columns wait for a word
    WAITING = "waiting"  # another import goes first
    CHECKING = "checking"
    IMPORTING = "importing"
    CHECKED = "checked"
    DONE = "done"
    FAILED = "failed"


@dataclass(eq=False)
class Upload:
    """`said` is what somebody said of its columns; `done` how many rows are worked through; `problem` why it
    failed. `by` is who sent it, `list_name` the do-not-call list that it is for."""

    id: str
    kind: Kind
    file: Path
    sheet: Sheet
    by: str
    at: datetime
    list_name: str = ""
    said: Mapping[str, Meaning] = field(default_factory=dict)
    keep: bool = False
    state: State = State.READY
    done: int = 0
    summary: Summary | NumbersTaken | None = None
    problem: str = ""

    @property
    def busy(self) -> bool:
        return self.state in (State.WAITING, State.CHECKING, State.IMPORTING)

    @property
    def report(self) -> Path | None:
        """The rows that were refused."""
        return self.summary.report if self.summary is not None else None


class Uploads:
    """`folder` None: one that goes with the process."""

    def __init__(self, folder: Path | None) -> None:
        self._given = folder
        self._made: Path | None = None
        self._all: dict[str, Upload] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Lock()

    def open(self) -> None:
        """Make room, before anything is sent: with what a process that was killed left behind gone."""
        if self._given is None:
            self._made = Path(tempfile.mkdtemp(prefix="otklik-"))
        else:
            shutil.rmtree(self._given, ignore_errors=True)
            self._given.mkdir(parents=True, mode=0o700)
            self._made = self._given

    @property
    def folder(self) -> Path:
        assert self._made is not None, "not open"
        return self._made

    def place(self, name: str) -> Path:
        """Where a file of this name may be written: in a folder of its own."""
        folder = self.folder / secrets.token_hex(8)
        folder.mkdir(mode=0o700)
        return folder / safe_name(name)

    def add(self, upload: Upload, now: datetime) -> None:
        idle = [each for each in self._all.values() if not each.busy]
        beyond = max(0, len(self._all) + 1 - MOST)
        for each in [each for each in idle if each.at < now - KEPT] or idle[:beyond]:
            self.forget(each)
        self._all[upload.id] = upload

    def find(self, upload_id: str, kind: Kind) -> Upload:
        """Raises HTTPNotFound."""
        upload = self._all.get(upload_id)
        if upload is None or upload.kind != kind:
            raise web.HTTPNotFound
        return upload

    def all(self, kind: Kind) -> list[Upload]:
        """The newest first."""
        return [each for each in reversed(self._all.values()) if each.kind == kind]

    def forget(self, upload: Upload) -> None:
        self._all.pop(upload.id, None)
        shutil.rmtree(upload.file.parent, ignore_errors=True)

    def work_on(self, upload: Upload, state: State, work: Coroutine[Any, Any, None]) -> None:
        """In the background, one at a time; `state` while it goes on. Raises BadInput where it is in work."""
        if upload.busy:
            work.close()
            raise BadInput(words("этот файл уже в работе", "this file is being worked on already"))
        upload.state, upload.done, upload.summary, upload.problem = State.WAITING, 0, None, ""
        task = asyncio.create_task(self._work(upload, state, work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work(self, upload: Upload, state: State, work: Coroutine[Any, Any, None]) -> None:
        try:
            async with self._turn:
                upload.state = state
                await work
            upload.state = State.CHECKED if state is State.CHECKING else State.DONE
        except OtklikError as error:
            upload.state, upload.problem = State.FAILED, told(error, upload.file)
        except Exception:
            # The border of a background task: its page says so, and the log says what.
            log.exception("import failed")
            upload.state, upload.problem = State.FAILED, words("что-то сломалось", "something broke")
        finally:
            work.close()

    async def settled(self) -> None:
        """When nothing is worked on any more."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def close(self) -> None:
        """What is in stays in; the same file goes on from there."""
        for task in tuple(self._tasks):
            task.cancel()
        await self.settled()
        shutil.rmtree(self.folder, ignore_errors=True)


UPLOADS = web.AppKey("uploads", Uploads)


def told(error: OtklikError, file: Path) -> str:
    """What is wrong, without where we keep the file."""
    return str(error).replace(f"{file.parent}/", "")


def safe_name(name: str) -> str:
    """A file's name as its sender calls it, fit to be one here."""
    last = name.replace("\\", "/").rpartition("/")[2]
    kept = "".join(letter for letter in last if letter.isprintable()).strip(". ")
    stem, dot, ending = kept.rpartition(".")
    return (f"{stem[:60]}.{ending[:8]}" if dot and stem else kept[:60]) or "upload.csv"


async def receive(request: web.Request) -> tuple[Path | None, dict[str, str]]:
    """The file of a form with parts, on the disk, and the form's fields that stand before it; None where no
    file was chosen. Raises HTTPForbidden for a form without the session's token before the file,
    HTTPRequestEntityTooLarge, BadInput, DiskFull."""
    uploads, found = request.config_dict[UPLOADS], signed_in(request)
    assert found is not None, "the handler is not marked as allowed to anyone"
    most = parts_of(request).settings.largest_upload
    if request.content_length is not None and request.content_length > most:
        raise web.HTTPRequestEntityTooLarge(most, request.content_length)
    if request.content_type != "multipart/form-data":
        raise BadInput(words("нужна форма с файлом", "a form with a file is needed"))
    fields: dict[str, str] = {}
    file: Path | None = None
    try:
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader) or not part.name:
                raise BadInput(words("форма не разобрана", "the form makes no sense"))
            if part.filename is None:
                fields[part.name] = (await _read(part, _FIELD)).decode("utf-8", "replace")
                require_kept((part.name, fields[part.name]))
                continue
            check_token(request, found.session_id, request.headers.get(CSRF_HEADER) or fields.get("csrf"))
            if part.filename and file is None:
                file = uploads.place(part.filename)
                await _keep(part, file, most)
    except BaseException as error:
        if file is not None:
            shutil.rmtree(file.parent, ignore_errors=True)
        if isinstance(error, BROKEN):
            raise BadInput(words("форма не разобрана", "the form makes no sense")) from error
        raise
    check_token(request, found.session_id, request.headers.get(CSRF_HEADER) or fields.get("csrf"))
    return file, fields


async def _keep(part: BodyPartReader, file: Path, most: int) -> None:
    size = 0
    try:
        with file.open("xb") as sink:
            while chunk := await part.read_chunk(_CHUNK):
                size += len(chunk)
                if size > most:
                    raise web.HTTPRequestEntityTooLarge(most, size)
                sink.write(chunk)
    except OSError as error:
        raise DiskFull(
            words(f"файл не записать: {error.strerror}", f"the file cannot be kept: {error.strerror}")
        ) from error


async def _read(part: BodyPartReader, most: int) -> bytes:
    read = b""
    while chunk := await part.read_chunk(_CHUNK):
        read += chunk
        if len(read) > most:
            raise web.HTTPRequestEntityTooLarge(most, len(read))
    return read
