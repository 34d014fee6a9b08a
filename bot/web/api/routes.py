"""The API's routes: a call right after a talk, what became of it, and a call that is about to come in."""

from __future__ import annotations

import hashlib
import re

from aiohttp import web
from pydantic import BaseModel

from bot.accounts.tokens import Scope
from bot.campaigns.reason_words import REASONS
from bot.campaigns.reasons import ReasonCode
from bot.core.errors import SurveyInvalid
from bot.core.requests import CallRequest
from bot.inbound.announcements import Announcement
from bot.web.api import API
from bot.web.api.guard import may, read, token_of
from bot.web.api.models import Accepted, Announced, CallState
from bot.web.api.openapi import document
from bot.web.api.problems import REFUSED, UNREADABLE, Problem
from bot.web.language import asked_for
from bot.web.parts import parts_of

routes = web.RouteTableDef()

KEY_HEADER = "Idempotency-Key"
REPEATED_HEADER = "Idempotent-Replayed"
_KEY = re.compile(r"[\x21-\x7e]{1,128}")


@routes.post(f"{API}/calls")
@may(Scope.CALLS)
async def request_call(request: web.Request) -> web.StreamResponse:
    """202: it is kept, and will be rung when policy allows it. The same key with the same body is answered
    the same, whatever has become of it meanwhile."""
    key = _key(request)
    if key is None:
        raise Problem(
            400,
            "key_missing",
            UNREADABLE,
            (
                f"нет {KEY_HEADER}: без него повтор позвонит дважды",
                f"no {KEY_HEADER}: a repetition would ring twice",
            ),
            ("номер разговора в вашей CRM подойдёт", "the talk's id in your CRM will do"),
        )
    call = await read(request, CallRequest)
    _require_survey(request, call.survey)
    asked_by = token_of(request).name
    request_id = f"request-{_digest(asked_by, 'calls', key)}"
    kept = await parts_of(request).control(
        "request_call", id=request_id, asked_by=asked_by, call=call.model_dump(mode="json")
    )
    new = kept.pop("new")
    headers = {"Location": f"{API}/calls/{kept['id']}", **_repeated(new)}
    return _answer(Accepted.model_validate(kept), 202, headers)


@routes.get(f"{API}/calls/{{id}}")
@may(Scope.CALLS)
async def requested_call(request: web.Request) -> web.StreamResponse:
    """Only for the token that asked for it."""
    found = await parts_of(request).control(
        "requested_call", id=request.match_info["id"][:128], asked_by=token_of(request).name
    )
    if not found.pop("known"):
        raise Problem(
            404,
            "not_found",
            ("Такого запроса нет", "There is no such request"),
            ("этот токен такого звонка не просил", "this token asked for no such call"),
            ("id стоит в ответе на POST", "the id stands in the answer to POST"),
        )
    english = asked_for(request.headers.get("Accept-Language", "")) == "en"
    why = [REASONS[ReasonCode(code)][english] for code in found["reasons"]]
    language = {"Content-Language": "en" if english else "ru", "Vary": "Accept-Language"}
    return _answer(CallState.model_validate({**found, "why": why}), 200, language)


@routes.post(f"{API}/announcements")
@may(Scope.ANNOUNCEMENTS)
async def announce(request: web.Request) -> web.StreamResponse:
    """201: the next call that fits it is this one."""
    said = await read(request, Announcement)
    if said.survey:
        _require_survey(request, said.survey)
    key = _key(request)
    params = said.model_dump(mode="json")
    if key is not None:
        params["key"] = f"api-{_digest(token_of(request).name, 'announcements', key)}"
    kept = await parts_of(request).control("announce", **params)
    answer = Announced(id=kept["announcement"], valid_until=kept["valid_until"])
    return _answer(answer, 201, _repeated(kept["new"]))


@routes.get(f"{API}/openapi.json")
async def openapi(request: web.Request) -> web.StreamResponse:
    """Nothing in it is secret, and tools read it before they have a token."""
    return web.json_response(document(parts_of(request).settings.address), content_type="application/json")


def _require_survey(request: web.Request, survey_id: str) -> None:
    """Raises Problem where no survey of that id runs."""
    current = sorted(parts_of(request).published.current())
    if survey_id not in current:
        there = ", ".join(current)
        raise Problem(
            422,
            SurveyInvalid.code,
            REFUSED,
            (f"опроса «{survey_id}» нет", f"there is no survey «{survey_id}»"),
            (f"есть: {there}", f"there are: {there}"),
            errors=[("#/survey", ("такого опроса нет", "there is no such survey"))],
        )


def _answer(answer: BaseModel, status: int, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response(text=answer.model_dump_json(), status=status, headers=headers)


def _key(request: web.Request) -> str | None:
    """None where there is none. Raises Problem for one that cannot be one."""
    given = request.headers.get(KEY_HEADER)
    if given is None:
        return None
    if not _KEY.fullmatch(given):
        raise Problem(
            400,
            "key_invalid",
            UNREADABLE,
            (f"{KEY_HEADER} не подходит", f"{KEY_HEADER} will not do"),
            ("1–128 знаков ASCII без пробелов", "1 to 128 ASCII characters without spaces"),
        )
    return given


def _digest(*parts: str) -> str:
    """32 hex digits that stand for whose key it is, for what, and the key."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def _repeated(new: bool) -> dict[str, str]:
    return {} if new else {REPEATED_HEADER: "true"}
