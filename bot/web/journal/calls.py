"""The journal of calls.

GET /calls            the newest first; filters, see `filters`; `before` and `after` are the pages' places
GET /calls?sample=20  so many of them at random; `seed` picks the same ones again
GET /calls/export     the filtered calls as a file: `format`, and `personal` where they may be told
"""

from __future__ import annotations

import asyncio
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from aiohttp import web

from bot.accounts.audit import LOOK
from bot.accounts.roles import TAKERS
from bot.core.endings import Disposition
from bot.core.errors import BadInput
from bot.core.intents import Topic
from bot.reports import journal
from bot.reports.export.writing import Format, Wanted, export, spreadsheet_delimiter
from bot.reports.journal import JournalPage, Line
from bot.reports.journal_names import names
from bot.reports.wording import end_pair, topic_pair
from bot.store.transcripts import Question, excerpt
from bot.web.journal.filters import SCORES, Filters
from bot.web.journal.shown import JOURNAL_READERS, customer, length, moment, number_of
from bot.web.masking import sees_numbers
from bot.web.parts import parts_of
from bot.web.rendering import render
from bot.web.who import account_of, allowed, noted
from bot.words import words

routes = web.RouteTableDef()

SAMPLE = 20
CHUNK = 256 * 2**10


@dataclass(frozen=True, slots=True)
class ShownLine:
    """One row as the page has it. `number` is as this account may see it."""

    call_id: str
    at: str
    iso: str
    customer: str
    number: str
    line: Line
    end: tuple[str, str]
    codes: tuple[tuple[str, str, bool], ...]
    topics: tuple[tuple[str, str], ...]
    length: str
    excerpt: tuple[tuple[str, bool], ...]


@routes.get("/calls")
@allowed(*JOURNAL_READERS)
async def calls(request: web.Request) -> web.StreamResponse:
    parts, role = parts_of(request), account_of(request).role
    filters = Filters.of(request.query, numbers=sees_numbers(role))
    sampled, seed = request.query.get("sample", ""), request.query.get("seed", "")[:64]
    if sampled and not seed:  # the address is to bring the same calls again
        raise web.HTTPSeeOther(filters.address("/calls", sample=sampled, seed=secrets.token_hex(4)))
    found, problem, asked = JournalPage(), None, None
    try:
        wanted = filters.journal(parts.settings.timezone)
        asked = wanted.asked
        if sampled:
            found = await journal.sample(parts.db, wanted, size=_size(sampled), seed=seed)
        else:
            before, after = (request.query.get(name, "") for name in ("before", "after"))
            found = await journal.page(parts.db, wanted, before=before, after=after)
    except BadInput as error:
        problem = error
    if found.lines:
        await noted(request, LOOK, "calls", "", filters=filters.told, calls=len(found.lines))
    zone = ZoneInfo(parts.settings.timezone)
    values = {
        "filters": filters,
        "names": await names(parts.db),
        "topics": {topic.value: topic_pair(topic) for topic in Topic},
        "ends": {end.value: end_pair(end) for end in Disposition},
        "scores": SCORES,
        "zone": zone.key,
        "problem": problem,
        "sampled": sampled,
        "seed": seed,
        "sample_size": sampled or SAMPLE,
        "most_sampled": journal.MOST_SAMPLED,
        "numbers": sees_numbers(role),
        "may_personal": role in TAKERS,
        "lines": [_shown(line, zone, asked, numbers=sees_numbers(role)) for line in found.lines],
        "newer": filters.address("/calls", after=found.newer) if found.newer else "",
        "older": filters.address("/calls", before=found.older) if found.older else "",
    }
    return render(request, "journal/calls.html", values, status=400 if problem else 200)


def _size(written: str) -> int:
    try:
        return int(written)
    except ValueError as error:
        raise BadInput(words(f"«{written}» не число", f"«{written}» is no number"), hint="20") from error


def _shown(line: Line, zone: ZoneInfo, asked: Question | None, *, numbers: bool) -> ShownLine:
    attempt = line.attempt
    return ShownLine(
        call_id=attempt.call_id or "",
        at=moment(attempt.created_at, zone),
        iso=attempt.created_at.isoformat(),
        customer=customer(line.contact),
        number=number_of(attempt, whole=numbers),
        line=line,
        end=end_pair(attempt.disposition),
        codes=tuple((_kind(each.kind), f"{each.number:g}", each.corrected) for each in line.codes),
        topics=tuple(topic_pair(topic) for topic in line.topics),
        length=length(attempt.duration_s),
        excerpt=excerpt(line.said, asked) if asked is not None and line.said else (),
    )


def _kind(kind: str) -> str:
    return kind.upper() if kind in ("nps", "csat", "ces") else ""


@routes.get("/calls/export")
@allowed(*JOURNAL_READERS)
async def exported(request: web.Request) -> web.StreamResponse:
    """The file is written whole before the first byte goes out: it is never half of one. Raises BadInput."""
    parts, role = parts_of(request), account_of(request).role
    filters = Filters.of(request.query, numbers=sees_numbers(role))
    wanted = await journal.looked_up(parts.db, filters.journal(parts.settings.timezone))
    asked_for = request.query.get("format", Format.CSV.value)
    if asked_for not in set(Format):
        raise BadInput(
            words(f"вида файла «{asked_for}» нет", f"there is no format «{asked_for}»"),
            hint=", ".join(Format),
        )
    form = Format(asked_for)
    personal = role in TAKERS and request.query.get("personal") == "1"
    with TemporaryDirectory(prefix="otklik-export-") as folder:
        file = Path(folder) / f"calls.{form}"
        done = await export(parts.db, wanted, Wanted(form, file, personal, spreadsheet_delimiter()))
        await noted(
            request,
            "export",
            "calls",
            "",
            filters=filters.told,
            format=form.value,
            personal=personal,
            calls=done.calls,
        )
        name = f"otklik-calls-{parts.clock.now():%Y-%m-%d}.{form}"
        return await _sent(request, file, name, form.media_type)


async def _sent(request: web.Request, file: Path, name: str, kind: str) -> web.StreamResponse:
    """Chunk by chunk: the file is gone once the request is."""
    response = web.StreamResponse(
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Content-Type": kind}
    )
    with await asyncio.to_thread(file.open, "rb") as opened:
        response.content_length = os.fstat(opened.fileno()).st_size
        await response.prepare(request)
        while chunk := await asyncio.to_thread(opened.read, CHUNK):
            await response.write(chunk)
    await response.write_eof()
    return response
