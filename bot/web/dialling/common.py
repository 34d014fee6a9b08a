"""What the pages of contacts and campaigns have in common."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Callable, Iterable
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from aiohttp import web
from itsdangerous import BadSignature, URLSafeTimedSerializer

from bot.accounts.roles import OPERATORS, READERS
from bot.campaigns.contacts import shown_phone
from bot.core.cells import harmless
from bot.core.errors import BadInput
from bot.store import agents
from bot.surveys.schema import Survey
from bot.web.masking import sees_numbers, shown_number
from bot.web.parts import Parts, parts_of
from bot.web.who import account_of
from bot.words import words

LONGEST = 2000
"""Letters in one field of a form."""
SAID_S = 60
_FLUSH = 64 * 1024


def zone_of(request: web.Request) -> ZoneInfo:
    """The company's: what these pages write times by."""
    return ZoneInfo(parts_of(request).settings.timezone)


def operates(request: web.Request) -> bool:
    """Whether this account may change contacts and campaigns."""
    return account_of(request).role in OPERATORS


def reads_calls(request: web.Request) -> bool:
    return account_of(request).role in READERS


def phone_for(request: web.Request, key: str) -> str:
    """A number (a `phones.phone_key`, perhaps with an extension) as this account may see it."""
    whole = sees_numbers(account_of(request).role)
    return shown_phone(key) if whole else shown_number(key.partition(";")[0], whole=False)


def surveys_of(parts: Parts) -> Callable[[str], tuple[str, Survey]]:
    """The survey that a campaign names, as this node runs it."""

    def find(name: str) -> tuple[str, Survey]:
        return parts.published.named(name) if "@" in name else parts.published.by_id(name)

    return find


async def form_of(request: web.Request) -> dict[str, str]:
    """The texts of a form. Raises BadInput for one that is too long."""
    form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    for name, value in form.items():
        if len(value) > LONGEST and name not in ("yaml", "phones"):
            raise BadInput(
                words(f"{name}: длиннее {LONGEST} знаков", f"{name}: longer than {LONGEST} letters"),
                hint=words("сократите", "make it shorter"),
            )
    return form


def needed(form: dict[str, str], name: str, russian: str, english: str) -> str:
    """A field that may not be left empty. Raises BadInput."""
    value = form.get(name, "").strip()
    if not value:
        raise BadInput(words(f"не заполнено: {russian}", f"missing: {english}"))
    return value


def see(request: web.Request, where: str, said: str = "", *, problem: bool = False) -> web.Response:
    """After a change: the page anew. What it is to say stands in its address, signed, so that nobody else
    puts words into our pages, and not for long, so that a page that is kept does not say it again."""
    told = {"wrong" if problem else "done": _signer(request).dumps(said)} if said else {}
    return web.Response(status=303, headers={"Location": where + (f"?{urlencode(told)}" if told else "")})


def said_to(request: web.Request, name: str = "done") -> str:
    """What `see` gave to say: what was done, or what is `wrong`."""
    try:
        return str(_signer(request).loads(request.query.get(name, ""), max_age=SAID_S))
    except BadSignature:
        return ""


def _signer(request: web.Request) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(parts_of(request).settings.secret, salt="said")


async def names_of(request: web.Request) -> tuple[dict[str, str], dict[str, str]]:
    """Agents and departments by id, as people call them."""
    staff = await agents.staff(parts_of(request).db)
    return (
        {row.id: row.name or row.id for row in staff.agents},
        {row.id: row.name or row.id for row in staff.departments},
    )


async def send_csv(
    request: web.Request, name: str, head: Iterable[str], rows: AsyncIterator[Iterable[str]]
) -> web.StreamResponse:
    """A table as spreadsheets open it, row by row; no cell is taken for a formula."""
    response = web.StreamResponse(headers={"Content-Disposition": attachment(name)})
    response.content_type, response.charset = "text/csv", "utf-8"
    await response.prepare(request)
    text = io.StringIO()
    table = csv.writer(text, delimiter=";")
    text.write("\ufeff")
    table.writerow([harmless(cell) for cell in head])
    async for row in rows:
        table.writerow([harmless(cell) for cell in row])
        if text.tell() >= _FLUSH:
            await response.write(text.getvalue().encode())
            text.seek(0)
            text.truncate()
    await response.write(text.getvalue().encode())
    await response.write_eof()
    return response


def attachment(name: str) -> str:
    """The header of a file to be kept, whatever its name (RFC 6266, 4.3)."""
    return f"attachment; filename*=UTF-8''{quote(name)}"
