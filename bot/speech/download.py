"""One file over HTTP, gone on with where it broke off.

What has come so far lies in a file beside a note of where it is from and of the server's mark of its
version (ETag, or the time of its last change). The rest is asked for by Range with If-Range (RFC 9110,
13.1.5 and 14.2): a server whose file has changed meanwhile sends it whole, and it is begun anew.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import aiohttp
from pydantic import BaseModel, ValidationError

from bot.core.errors import DiskFull, FetchFailed
from bot.core.files import disk_fault, write_whole
from bot.core.hosts import is_loopback
from bot.words import words

Progress = Callable[[int, int | None], None]
"""Called with the bytes that are here, and of how many; None where the server does not tell."""
FreeBytes = Callable[[Path], int]

CONNECT_S = 15.0
SILENT_S = 60.0
"""A server that sends nothing for so long is given up."""
_CHUNK = 1 << 18
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)")


class _Note(BaseModel):
    """Where the part of a file came from, and which version of it."""

    url: str
    version: str


class _Refused(Exception):
    """This source does not give the file; the next one may."""


class Part:
    """What has come of a file so far."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._note = path.with_name(f"{path.name}.json")

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    def version_of(self, url: str) -> str:
        """The mark of the version that a part from this address belongs to; "" where there is none."""
        try:
            note = _Note.model_validate_json(self._note.read_bytes())
        except (FileNotFoundError, ValidationError):
            return ""
        return note.version if note.url == url and self.size else ""

    def begin(self, url: str, version: str) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_bytes(b"")
        write_whole(self._note, _Note(url=url, version=version).model_dump_json().encode())

    def add(self, content: bytes) -> None:
        with self.path.open("ab") as file:
            file.write(content)

    def drop(self) -> None:
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)


class Downloader:
    """Gets files. `proxy` is an address, or "" for what the environment says (HTTPS_PROXY, NO_PROXY)."""

    def __init__(self, *, proxy: str, progress: Progress, free: FreeBytes, room: int = 1) -> None:
        """`room`: how many times its size a file needs on the disk before it is fetched."""
        self._room = room
        self._proxy = proxy
        self._progress = progress
        self._free = free

    async def get(self, urls: Sequence[str], part: Part, *, checked: bool) -> str:
        """The file, from the first of these addresses that gives it; says which.

        Unless it is `checked` by a known sum afterwards, only https is taken, or this machine itself.
        A connection that breaks is made anew as long as that brings the file on. Raises FetchFailed, and
        then keeps what has come for the next time; DiskFull.
        """
        said = []
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=SILENT_S)
        async with aiohttp.ClientSession(timeout=timeout, trust_env=not self._proxy) as http:
            for url in urls:
                try:
                    await self._whole(http, url, part, checked=checked)
                except _Refused as error:
                    said.append(f"{url}: {error}")
                except (aiohttp.ClientError, TimeoutError) as error:
                    said.append(f"{url}: {error or words('не отвечает', 'does not answer')}")
                else:
                    return url
        raise FetchFailed(
            words("не скачалось: ", "not fetched: ") + "; ".join(said),
            hint=words(
                "проверьте сеть и прокси (speech.proxy, HTTPS_PROXY); готовый файл берёт --from ФАЙЛ",
                "check the network and the proxy (speech.proxy, HTTPS_PROXY), or take a file by --from FILE",
            ),
        )

    async def _whole(self, http: aiohttp.ClientSession, url: str, part: Part, *, checked: bool) -> None:
        while True:
            before = part.size
            try:
                await self._rest(http, url, part, checked=checked)
            except (aiohttp.ClientError, TimeoutError):
                if part.size <= before:
                    raise
            except OSError as error:
                fault = disk_fault(error)
                if isinstance(fault, DiskFull):
                    part.drop()
                    raise fault from error
                raise
            else:
                return

    async def _rest(self, http: aiohttp.ClientSession, url: str, part: Part, *, checked: bool) -> None:
        version = part.version_of(url)
        headers = {"Accept-Encoding": "identity"}
        if version:
            headers |= {"Range": f"bytes={part.size}-", "If-Range": version}
        async with http.get(url, headers=headers, proxy=self._proxy or None) as reply:
            if not (checked or reply.url.scheme == "https" or is_loopback(reply.url.host or "")):
                raise _Refused(words("без https и без известной суммы SHA-256", "no https, no known SHA-256"))
            if version and reply.status == 416:  # it has grown shorter than our part
                part.drop()
                return await self._rest(http, url, part, checked=checked)
            total = self._begun(reply, url, part, resumed=bool(version))
            self._require_space(part, total)
            async for content in reply.content.iter_chunked(_CHUNK):
                await asyncio.to_thread(part.add, content)
                self._progress(part.size, total)
        if total is not None and part.size != total:
            raise aiohttp.ClientPayloadError(f"{part.size} of {total} bytes")
        return None

    def _begun(self, reply: aiohttp.ClientResponse, url: str, part: Part, *, resumed: bool) -> int | None:
        """How long the file is; its part is as long as what the reply goes on from."""
        if resumed and reply.status == 206:
            told = _RANGE.fullmatch(reply.headers.get("Content-Range", ""))
            if told is None or int(told[1]) != part.size:
                raise _Refused(words("отвечает не тем куском файла", "answers with another part of the file"))
            return int(told[2])
        if reply.status != 200:
            raise _Refused(f"HTTP {reply.status} {reply.reason}")
        strong = reply.headers.get("ETag", "")  # a weak mark is none of the same bytes
        version = strong if strong and not strong.startswith("W/") else reply.headers.get("Last-Modified", "")
        part.begin(url, version)
        return reply.content_length

    def _require_space(self, part: Part, total: int | None) -> None:
        needed = (total or 0) * self._room - part.size
        free = self._free(part.path.parent)
        if needed > free:
            raise DiskFull(
                words(
                    f"нужно {needed / 1e6:.0f} МБ, а свободно {free / 1e6:.0f} МБ",
                    f"{needed / 1e6:.0f} MB are needed and {free / 1e6:.0f} MB are free",
                ),
                hint=words(f"освободите место в {part.path.parent}", f"free space at {part.path.parent}"),
            )
