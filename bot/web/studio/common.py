"""What the pages of surveys have in common: which survey it is, its versions, and how moments are shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web

from bot.accounts.roles import OPERATORS
from bot.store import drafts
from bot.store.tables import SurveyRow
from bot.store.tables_drafts import DraftRow, ReleaseRow
from bot.surveys.canonical import SHORT_HASH
from bot.web.language import tr
from bot.web.parts import Parts, parts_of
from bot.web.studio.lines import ID, value_of
from bot.web.who import account_of

SUBJECT = "survey"
"""Of the rows in the audit log."""

LAST_REVISION = 10**9 - 1
"""What a column of integers takes; nobody saves as often."""


@dataclass(frozen=True, slots=True)
class Version:
    """One published version. `released` is when it was let run last and by whom; None where that was before
    it was noted. `source` says whether its file was kept."""

    row: SurveyRow
    current: bool
    source: bool
    released: ReleaseRow | None

    @property
    def name(self) -> str:
        return f"v{self.row.version} · {self.row.hash[:SHORT_HASH]}"


@dataclass(frozen=True, slots=True)
class Shown:
    """A survey with all that is written of it; at least one version or a draft."""

    id: str
    title: str
    versions: Sequence[Version]
    draft: DraftRow | None

    @property
    def current(self) -> Version | None:
        return next((each for each in self.versions if each.current), None)

    @property
    def next_version(self) -> int:
        return max((int(each.row.version) for each in self.versions), default=0) + 1

    def version(self, digest: str) -> Version | None:
        return next((each for each in self.versions if each.row.hash == digest), None)


async def shown(parts: Parts, survey_id: str = "") -> list[Shown]:
    """One survey or all, by id."""
    current = parts.published.current()
    rows = await drafts.versions(parts.db, survey_id)
    releases = await drafts.releases(parts.db, survey_id)
    sourced = await drafts.sourced(parts.db, [row.hash for row in rows])
    found = [await drafts.find(parts.db, survey_id)] if survey_id else await drafts.all_drafts(parts.db)
    written = {draft.survey_id: draft for draft in found if draft is not None}
    versions: dict[str, list[Version]] = {}
    for row in rows:
        last = next((each for each in releases if each.hash == row.hash), None)
        version = Version(row, current.get(row.id) == row.hash, row.hash in sourced, last)
        versions.setdefault(row.id, []).append(version)
    return [_shown(each, versions.get(each, []), written.get(each)) for each in sorted({*versions, *written})]


def _shown(survey_id: str, versions: list[Version], draft: DraftRow | None) -> Shown:
    title = next((each.row.title for each in versions if each.current), "")
    if not title and versions:
        title = versions[0].row.title
    if not title and draft is not None:
        title = value_of(draft.text, "title")
    return Shown(survey_id, title, versions, draft)


async def survey_of(request: web.Request) -> Shown:
    """The one that the address names. Raises HTTPNotFound."""
    survey_id = request.match_info["survey_id"]
    found = await shown(parts_of(request), survey_id) if ID.fullmatch(survey_id) else []
    if not found:
        raise web.HTTPNotFound
    return found[0]


def may_change(request: web.Request) -> bool:
    return account_of(request).role in OPERATORS


def helpers(request: web.Request) -> dict[str, Any]:
    """For templates: `moment(at)`, `released_by(release)`, `may_change`."""
    zone = ZoneInfo(parts_of(request).settings.timezone)

    def moment(at: datetime | None) -> str:
        return at.astimezone(zone).strftime("%d.%m.%Y %H:%M") if at is not None else ""

    def released_by(release: ReleaseRow | None) -> str:
        if release is None:
            return ""
        return release.login or tr(request, "из файла", "from a file")

    return {"moment": moment, "released_by": released_by, "may_change": may_change(request)}


def text_field(form: Any, name: str, *, longest: int = 200) -> str:
    """A field of a form, without what stands around it. Raises HTTPBadRequest for a file or a novel."""
    value = form.get(name, "")
    if not isinstance(value, str) or len(value) > longest:
        raise web.HTTPBadRequest
    return value.strip()


def revision_of(form: Any) -> int:
    """Raises HTTPBadRequest."""
    value = text_field(form, "revision", longest=len(str(LAST_REVISION)))
    if not value.isdecimal():
        raise web.HTTPBadRequest
    return int(value)


def to(path: str) -> web.Response:
    """On to another page after a form was taken."""
    return web.Response(status=303, headers={"Location": path})
