"""Static files: ours and those from npm, under an address that changes with their content.

All files share one digest in their path (`/static/DIGEST/…`), so that a script may import its
neighbour by a relative name, and a browser keeps everything for a year: another content has another
address.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from bot.core.errors import Unavailable
from bot.web.settings import MODULES
from bot.words import words

OWN = Path(__file__).resolve().parent / "static"
FROM_NPM = {
    "vendor/htmx.js": "htmx.org/dist/htmx.min.js",
    "vendor/htmx-sse.js": "htmx-ext-sse/sse.js",
    "vendor/alpine.js": "@alpinejs/csp/dist/cdn.min.js",
    "vendor/pico.css": "@picocss/pico/css/pico.min.css",
    "vendor/uplot.js": "uplot/dist/uPlot.iife.min.js",
    "vendor/uplot.css": "uplot/dist/uPlot.min.css",
}
"""Our name of a file -> where it lies in `node_modules`."""

ROOT = "/static"
FOR_EVER = "public, max-age=31536000, immutable"
"""A year: the longest that RFC 9111 caches are asked to keep anything; RFC 8246 for `immutable`."""
WORTH_PACKING = 1024
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".png": "image/png"}


@dataclass(frozen=True, slots=True)
class Asset:
    content: bytes
    packed: bytes | None
    type: str


class Assets:
    """Everything is read at the start. Raises Unavailable where a file from npm is not installed."""

    def __init__(self, modules: Path = MODULES, own: Path = OWN) -> None:
        files = {str(file.relative_to(own)): file for file in sorted(own.rglob("*")) if file.is_file()}
        files |= {name: modules / place for name, place in FROM_NPM.items()}
        absent = [str(file.relative_to(modules)) for file in files.values() if not file.is_file()]
        if absent:
            raise Unavailable(
                words(f"нет файлов страниц: {', '.join(absent)}", f"the pages lack {', '.join(absent)}"),
                hint="make setup",
            )
        self._files = {name: _read(file) for name, file in files.items()}
        total = hashlib.sha256()
        for name, asset in sorted(self._files.items()):
            total.update(name.encode() + b"\0" + hashlib.sha256(asset.content).digest())
        self.digest = total.hexdigest()[:16]

    def address(self, name: str) -> str:
        """Where a page finds a file. A name that is not there is a mistake of the page: KeyError."""
        self._files[name]
        return f"{ROOT}/{self.digest}/{name}"

    async def serve(self, request: web.Request) -> web.Response:
        asset = self._files.get(request.match_info["name"])
        if asset is None or request.match_info["digest"] != self.digest:
            raise web.HTTPNotFound
        headers = {"Cache-Control": FOR_EVER, "Vary": "Accept-Encoding"}
        if asset.packed is not None and "gzip" in request.headers.get("Accept-Encoding", ""):
            headers["Content-Encoding"] = "gzip"
            return web.Response(body=asset.packed, content_type=asset.type, charset="utf-8", headers=headers)
        charset = "utf-8" if asset.type.startswith("text/") else None
        return web.Response(body=asset.content, content_type=asset.type, charset=charset, headers=headers)


def _read(file: Path) -> Asset:
    content = file.read_bytes()
    kind = TYPES.get(file.suffix) or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    packs = kind.startswith("text/") and len(content) >= WORTH_PACKING
    return Asset(content, gzip.compress(content, mtime=0) if packs else None, kind)
