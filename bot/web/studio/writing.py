"""A draft while it is written: saved, linted, replaced by a file, thrown away.

POST /surveys/ID/save     {"text", "revision"} -> {"revision", "saved_at"}; 409 tells whose text is there now.
                          A form does the same without a script. Revision 0: there is no draft (any more).
POST /surveys/ID/lint     {"text"} -> {"problems", "survey"}
POST /surveys/ID/upload   a file in place of the draft
POST /surveys/ID/discard  the draft is thrown away
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web

from bot.accounts.roles import OPERATORS
from bot.core.errors import BadInput
from bot.store import drafts
from bot.store.account_tables import AuditRow
from bot.store.drafts import Saved
from bot.store.tables_drafts import DraftRow
from bot.web.language import tr
from bot.web.parts import parts_of
from bot.web.reading import json_of, text_of
from bot.web.studio.common import LAST_REVISION, SUBJECT, Shown, revision_of, survey_of, to
from bot.web.studio.lines import differing
from bot.web.studio.listing import text_of_file
from bot.web.studio.sheet import sheet_page
from bot.web.who import account_of, allowed, entry

routes = web.RouteTableDef()

SITTING = timedelta(minutes=10)
"""Savings of one person with less between them are one row of the audit log."""


@routes.post("/surveys/{survey_id}/save")
@allowed(*OPERATORS)
async def save(request: web.Request) -> web.StreamResponse:
    survey = await survey_of(request)
    if request.content_type != "application/json":
        return await _saved_by_a_form(request, survey)
    given = await json_of(request)
    text, revision = text_of(given, "text"), given.get("revision")
    if not isinstance(revision, int) or isinstance(revision, bool) or not 0 <= revision <= LAST_REVISION:
        raise BadInput("revision: a number from 0 on is needed")
    saved = await _save(request, survey, text, revision)
    if saved.draft is None or not saved.done:
        return web.json_response({"theirs": _as_json(request, saved.draft, text)}, status=409)
    return web.json_response(
        {"revision": saved.draft.revision, "saved_at": _clock(request, saved.draft.edited_at)}
    )


async def _save(request: web.Request, survey: Shown, text: str, revision: int, *more: AuditRow) -> Saved:
    """With a line of the audit log for each sitting, and what `more` is to stand there."""
    parts, login, before = parts_of(request), account_of(request).login, survey.draft
    now = parts.clock.now()
    new_sitting = before is None or before.edited_by != login or now - before.edited_at > SITTING
    edit = [entry(request, "edit", SUBJECT, survey.id, revision=revision + 1)] if new_sitting else []
    about: Any = {"login": login, "now": now, "audit": [*edit, *more]}
    if revision == 0:
        current = survey.current.row.hash if survey.current else ""
        saved = await drafts.begin(parts.db, survey.id, text, started_from=current, **about)
    else:
        saved = await drafts.save(parts.db, survey.id, text, revision=revision, **about)
    return saved


async def _saved_by_a_form(request: web.Request, survey: Shown) -> web.StreamResponse:
    form = await request.post()
    text = form.get("text")
    if not isinstance(text, str):
        raise web.HTTPBadRequest
    mine = text.replace("\r\n", "\n")
    saved = await _save(request, survey, mine, revision_of(form))
    if saved.done:
        return to(f"/surveys/{survey.id}")
    return await _in_conflict(request, saved.draft, mine)


async def _in_conflict(request: web.Request, theirs: DraftRow | None, mine: str) -> web.Response:
    if theirs is None:
        problem = tr(
            request,
            "Черновика больше нет: его опубликовали или удалили. Ваш текст — ниже; сохраните его снова, "
            "и он станет новым черновиком.",
            "The draft is gone: it was published or thrown away. Your text is below; save it again, and it "
            "becomes a new draft.",
        )
    else:
        problem = tr(
            request,
            f"Пока вы писали, черновик сохранил {theirs.edited_by}. Ваш текст — ниже, чужие отличия под ним. "
            "Перенесите нужное и сохраните снова.",
            f"While you wrote, {theirs.edited_by} saved the draft. Your text is below, and under it what "
            "differs. Take over what you need, and save again.",
        )
    survey = await survey_of(request)
    lines = differing(mine, theirs.text) if theirs else None
    return await sheet_page(request, survey, problem=problem, theirs=lines, mine=mine, status=409)


def _as_json(request: web.Request, draft: DraftRow | None, mine: str) -> dict[str, object] | None:
    if draft is None:
        return None
    return {
        "revision": draft.revision,
        "by": draft.edited_by,
        "at": _clock(request, draft.edited_at),
        "text": draft.text,
        "lines": differing(mine, draft.text),
    }


def _clock(request: web.Request, moment: datetime) -> str:
    zone = ZoneInfo(parts_of(request).settings.timezone)
    return moment.astimezone(zone).strftime("%H:%M:%S")


@routes.post("/surveys/{survey_id}/lint")
@allowed(*OPERATORS)
async def lint(request: web.Request) -> web.StreamResponse:
    """What lint says of a text that need not be saved yet."""
    text = text_of(await json_of(request), "text")
    found = await parts_of(request).control("survey_check", text=text)
    survey = found["survey"]
    if survey is not None:
        survey = {name: value for name, value in survey.items() if name != "json"}
    return web.json_response({"problems": found["problems"], "survey": survey})


@routes.post("/surveys/{survey_id}/upload")
@allowed(*OPERATORS)
async def upload(request: web.Request) -> web.StreamResponse:
    survey, form = await survey_of(request), await request.post()
    try:
        text = text_of_file(request, form.get("file"))
    except web.HTTPUnprocessableEntity as refused:
        return await sheet_page(request, survey, problem=str(refused.text), status=422)
    if not text:
        problem = tr(request, "Выберите файл.", "Choose a file.")
        return await sheet_page(request, survey, problem=problem, status=422)
    row = entry(request, "upload", SUBJECT, survey.id)
    saved = await _save(request, survey, text, revision_of(form), row)
    if not saved.done:
        return await _in_conflict(request, saved.draft, text)
    return to(f"/surveys/{survey.id}")


@routes.post("/surveys/{survey_id}/discard")
@allowed(*OPERATORS)
async def discard(request: web.Request) -> web.StreamResponse:
    """Only what he saw: not what somebody wrote meanwhile."""
    survey, revision = await survey_of(request), revision_of(await request.post())
    row = entry(request, "discard", SUBJECT, survey.id, revision=revision)
    if not await drafts.throw_away(parts_of(request).db, survey.id, revision, audit=row):
        problem = tr(
            request,
            "Черновик с тех пор изменили. Посмотрите на него и решите снова.",
            "The draft was changed since. Look at it and decide again.",
        )
        return await sheet_page(request, await survey_of(request), problem=problem, status=409)
    return to(f"/surveys/{survey.id}" if survey.versions else "/surveys")
