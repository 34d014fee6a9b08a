"""The audit log: who did what, and who looked at whose data.

GET /admin/audit            filtered by its address: who, action, subject, id, first, last; page by page
GET /admin/audit/export.csv the same rows, all of them, as they stream from the database
"""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from bot.accounts.audit_log import Place, Wanted, choices, every, page
from bot.accounts.roles import Role
from bot.core.cells import harmless
from bot.core.errors import BadInput
from bot.core.texts import can_be_kept
from bot.core.years import is_meant
from bot.reports.periods import after, first_moment
from bot.store.account_tables import AuditRow
from bot.web.admin.clock import zone_of
from bot.web.admin.forms import problem_of
from bot.web.parts import parts_of
from bot.web.rendering import render
from bot.web.who import allowed, noted
from bot.words import words

routes = web.RouteTableDef()

PATH = "/admin/audit"
ROWS = 100
FIELDS = ("who", "action", "subject", "id", "first", "last")
"""The filters, as they stand in the address."""

COLUMNS = ("at", "login", "role", "address", "action", "subject", "subject_id", "details")


@dataclass(frozen=True, slots=True)
class Shown:
    """A row of the page: `details` as «key: value» pairs."""

    row: AuditRow
    details: str


@routes.get(PATH)
@allowed(Role.ADMIN, Role.AUDITOR)
async def log(request: web.Request) -> web.StreamResponse:
    parts, filters = parts_of(request), _filters(request)
    problem, rows, older = "", [], None
    try:
        wanted = _wanted(request, filters)
        found = await page(parts.db, wanted, ROWS, _place(request.query.get("after", "")))
        rows = [Shown(row, _details(row.details)) for row in found.rows]
        older = found.older
    except BadInput as error:
        problem = problem_of(error)
    actions, subjects = await choices(parts.db)
    values = {
        "rows": rows,
        "filters": filters,
        "actions": actions,
        "subjects": subjects,
        "problem": problem,
        "said": "",
        "begun": f"{PATH}?{_address(filters)}" if request.query.get("after") else "",
        "older": f"{PATH}?{_address({**filters, 'after': _written(older)})}" if older else "",
        "export": f"{PATH}/export.csv?{_address(filters)}",
        "zone": zone_of(request),
    }
    return render(request, "admin/audit.html", values, status=400 if problem else 200)


@routes.get(PATH + "/export.csv")
@allowed(Role.ADMIN, Role.AUDITOR)
async def export(request: web.Request) -> web.StreamResponse:
    """Moments in ISO 8601, UTC; texts that no spreadsheet takes for formulas. Raises BadInput."""
    filters = _filters(request)
    wanted = _wanted(request, filters)
    await noted(request, "export", "audit", "", only=filters)
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/csv; charset=utf-8",
            "Content-Disposition": 'attachment; filename="audit.csv"',
        }
    )
    await response.prepare(request)
    await response.write(b"\xef\xbb\xbf" + _csv([COLUMNS]))
    async for rows in every(parts_of(request).db, wanted):
        await response.write(_csv([_cells(row) for row in rows]))
    await response.write_eof()
    return response


def _filters(request: web.Request) -> dict[str, str]:
    """Those that are set."""
    return {name: value for name in FIELDS if (value := request.query.get(name, "").strip())}


def _wanted(request: web.Request, filters: Mapping[str, str]) -> Wanted:
    """Raises BadInput for a day that is none."""
    zone = zone_of(request)
    return Wanted(
        login=filters.get("who", "").casefold(),
        action=filters.get("action", ""),
        subject=filters.get("subject", ""),
        subject_id=filters.get("id", ""),
        since=first_moment(filters.get("first", ""), zone),
        until=after(filters.get("last", ""), zone),
    )


def _address(filters: Mapping[str, str]) -> str:
    return urlencode(filters)


def _written(place: Place | None) -> str:
    """A place in the log for an address."""
    assert place is not None
    return base64.urlsafe_b64encode(f"{place.at.isoformat()} {place.id}".encode()).decode().rstrip("=")


def _place(written: str) -> Place | None:
    """Raises BadInput for what was not written by us."""
    if not written:
        return None
    try:
        text = base64.urlsafe_b64decode(written + "=" * (-len(written) % 4)).decode()
        moment, _, row_id = text.partition(" ")
        at = datetime.fromisoformat(moment)
        if at.tzinfo is None or not is_meant(at.year) or not can_be_kept(row_id):
            raise ValueError(text)
    except ValueError as error:
        raise BadInput(
            words("такой страницы журнала нет", "there is no such page of the log"),
            hint=words("начните с первой", "begin with the first one"),
        ) from error
    return Place(at, row_id)


def _details(details: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{key}: {_flat(value)}" for key, value in details.items() if value not in ("", None, [], {})
    )


def _flat(value: Any) -> str:
    if isinstance(value, bool):
        return words("да", "yes") if value else words("нет", "no")
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return _details(value) if isinstance(value, dict) else str(value)


def _cells(row: AuditRow) -> list[str]:
    texts = (row.login, row.role, row.address, row.action, row.subject, row.subject_id)
    return [row.at.isoformat(), *map(harmless, texts), json.dumps(row.details, ensure_ascii=False)]


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
