"""All surveys: the list, and how a new one begins.

GET  /surveys              what calls run, what is being written
GET  /surveys/new          a form: from a survey that ships, from a file, or with nothing
POST /surveys/new          begins its draft
GET  /surveys/schema.json  the schema that the editor completes by
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from aiohttp import web

from bot.accounts.roles import OBSERVERS, OPERATORS
from bot.core.texts import can_be_kept
from bot.settings import PROJECT
from bot.store import drafts
from bot.surveys.json_schema import json_schema
from bot.surveys.source import MAX_BYTES
from bot.web.language import tr
from bot.web.parts import parts_of
from bot.web.rendering import render
from bot.web.studio.common import SUBJECT, helpers, shown, text_field, to
from bot.web.studio.lines import ID, value_of, with_value
from bot.web.who import account_of, allowed, entry

routes = web.RouteTableDef()

SHIPPED = PROJECT / "survey_defs"
RESERVED = frozenset({"new"})
"""What stands in an address at the place of an id."""

FOR_A_WHILE = "private, max-age=600"


@routes.get("/surveys")
@allowed(*OBSERVERS)
async def listed(request: web.Request) -> web.StreamResponse:
    found = await shown(parts_of(request))
    return render(request, "studio/list.html", {"surveys": found, **helpers(request)})


@routes.get("/surveys/schema.json")
@allowed(*OBSERVERS)
async def schema(request: web.Request) -> web.StreamResponse:
    response = web.json_response(_schema(), headers={"Cache-Control": FOR_A_WHILE})
    response.enable_compression()  # no secret stands beside it
    return response


@lru_cache(maxsize=1)
def _schema() -> dict[str, Any]:
    return json_schema()


@lru_cache(maxsize=1)
def templates() -> dict[str, str]:
    """The files of surveys that ship, by the id of each."""
    texts = [file.read_text("utf-8") for file in sorted(SHIPPED.glob("*.yaml"))]
    return {value_of(text, "id"): text for text in texts}


@routes.get("/surveys/new")
@allowed(*OPERATORS)
async def form(request: web.Request) -> web.StreamResponse:
    return _form(request, {"id": "", "title": "", "template": ""}, "")


def _form(request: web.Request, given: dict[str, str], problem: str) -> web.Response:
    choices = [
        (name, value_of(text, "title"), value_of(text, "language")) for name, text in templates().items()
    ]
    values = {"given": given, "problem": problem, "templates": choices}
    return render(request, "studio/new.html", values, status=400 if problem else 200)


@routes.post("/surveys/new")
@allowed(*OPERATORS)
async def begin(request: web.Request) -> web.StreamResponse:
    parts, sent = parts_of(request), await request.post()
    given = {name: text_field(sent, name) for name in ("id", "title", "template")}
    file = sent.get("file")
    try:
        uploaded = text_of_file(request, file)
    except web.HTTPUnprocessableEntity as refused:
        return _form(request, given, str(refused.text))
    text = uploaded or templates().get(given["template"], "")
    survey_id = given["id"] or (value_of(uploaded, "id") if uploaded else "")
    if not ID.fullmatch(survey_id) or survey_id in RESERVED:
        problem = tr(
            request,
            "Имя — латинские строчные буквы, цифры и _, первая — буква, до 40 знаков: nps_after_visit.",
            "A name has lower-case Latin letters, digits and _, a letter first, 40 at most: nps_after_visit.",
        )
        return _form(request, given, problem)
    if await shown(parts, survey_id):
        return _form(
            request,
            given,
            tr(
                request,
                f"Опрос {survey_id} уже есть: откройте его или дайте другое имя.",
                f"There is a survey {survey_id} already: open it, or choose another name.",
            ),
        )
    text = with_value(text, "id", survey_id)
    if not uploaded:
        text = with_value(text, "version", "1")
        if given["title"]:
            text = with_value(text, "title", _quoted(given["title"]))
    how = "file" if uploaded else given["template"] or "nothing"
    await drafts.begin(
        parts.db,
        survey_id,
        text,
        started_from="",
        login=account_of(request).login,
        now=parts.clock.now(),
        audit=[entry(request, "create", SUBJECT, survey_id, started_from=how)],
    )
    return to(f"/surveys/{survey_id}")


def text_of_file(request: web.Request, file: object) -> str:
    """A survey's file as it was uploaded; "" where none was chosen. Raises HTTPUnprocessableEntity with what
    is wrong with it."""
    if not isinstance(file, web.FileField) or not file.filename:
        return ""
    content = file.file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        largest = MAX_BYTES // 1024
        raise web.HTTPUnprocessableEntity(
            text=tr(
                request,
                f"Файл больше {largest} КиБ: это не опрос.",
                f"The file is larger than {largest} KiB: no survey is.",
            )
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise web.HTTPUnprocessableEntity(
            text=tr(
                request,
                "Файл не в UTF-8. Сохраните его в этой кодировке и загрузите снова.",
                "The file is not in UTF-8. Save it in that encoding and try again.",
            )
        ) from error
    if not text.strip():
        raise web.HTTPUnprocessableEntity(text=tr(request, "Файл пуст.", "The file is empty."))
    if not can_be_kept(text):
        raise web.HTTPUnprocessableEntity(
            text=tr(
                request, "В файле нулевой байт: это не опрос.", "The file has a zero byte: no survey has."
            )
        )
    return text.replace("\r\n", "\n")


def _quoted(title: str) -> str:
    """As a YAML string of one line, whatever stands in it."""
    plain = " ".join(title.split())
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'
