"""A table to a browser: row by row where its format allows, else as a whole file."""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

from aiohttp import web

from bot.reports.export.figures import Figures
from bot.reports.export.writing import Format, flow, spreadsheet_delimiter, write_rows
from bot.reports.periods import Period
from bot.reports.slices import Scope
from bot.web.parts import parts_of
from bot.web.results.jobs import Job


def file_name(table: str, period: Period, form: Format) -> str:
    return f"otklik-{table}-{period.first.isoformat()}-{period.last.isoformat()}.{form}"


def _headers(form: Format, name: str) -> dict[str, str]:
    return {"Content-Type": form.media_type, "Content-Disposition": f'attachment; filename="{name}"'}


async def figures(found: Figures, form: Format, name: str) -> web.Response:
    with TemporaryDirectory(prefix="otklik-figures-") as folder:
        file = Path(folder) / name
        args = (found.columns, found.rows, form, file, found.title[:31], spreadsheet_delimiter())
        await asyncio.to_thread(write_rows, *args)
        content = await asyncio.to_thread(file.read_bytes)
    return web.Response(body=content, headers=_headers(form, name))


def whole(job: Job) -> web.Response:
    """The file of a job that is ready; it is read as it is sent."""
    return web.Response(body=job.open(), headers=_headers(job.form, job.name))


async def flowing(
    request: web.Request, scope: Scope, form: Format, name: str, *, personal: bool
) -> web.StreamResponse:
    pieces = flow(parts_of(request).db, scope, form, personal=personal, delimiter=spreadsheet_delimiter())
    response = web.StreamResponse(headers=_headers(form, name))
    try:
        first = await anext(pieces)  # what fails at once is told on a page
        await response.prepare(request)
        await response.write(first)
        async for piece in pieces:
            await response.write(piece)
        await response.write_eof()
    except ConnectionResetError:
        pass  # he closed the page: nobody is there to be told
    except BaseException:
        # The answer has begun: only a broken connection tells that the rest is missing.
        if response.prepared and request.transport is not None:
            request.transport.abort()
        raise
    finally:
        await pieces.aclose()
    return response
