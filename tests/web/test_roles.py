"""Who reaches which route: every route of the application, for every role and for strangers.

`TABLE` is the whole truth of it: a route that has no line in it fails here, and so does a line without its
route. A new page is a new line.
"""

from __future__ import annotations

import re
from collections.abc import Collection

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestServer
from pytest_aiohttp import AiohttpClient

from bot.accounts.roles import OBSERVERS, OPERATORS, READERS, Role
from bot.web.parts import Parts
from bot.web.server import make_app
from bot.web.who import OWN
from tests.web.conftest import HTML, Client, csrf_of, sign_in

OPEN = "open"
"""For everybody, signed in or not."""

TOKEN = "token"
"""For programs with a token; a session opens nothing."""

EVERYBODY = tuple(Role)
DESK = (Role.AGENT, Role.ADMIN)
ADMINS = (Role.ADMIN,)
GUARDS = (Role.ADMIN, Role.AUDITOR)
JOURNAL = (Role.OPS, *READERS)
CORRECTORS = (Role.MANAGER, Role.ADMIN)

TABLE: dict[str, Collection[Role] | str] = {
    "GET /static/{digest}/{name}": OPEN,
    # Everybody's own
    "GET /": EVERYBODY,
    "GET /live": EVERYBODY,
    "GET /sign-in": OPEN,
    "POST /sign-in": OPEN,
    "POST /sign-out": OPEN,
    "POST /language": OPEN,
    "GET /account": EVERYBODY,
    "POST /account/password": EVERYBODY,
    "POST /account/sessions/{session_id}": EVERYBODY,
    "GET /healthz": OPEN,
    "GET /readyz": OPEN,
    # A customer's survey: the link is the key
    "GET /s/{token}": OPEN,
    "POST /s/{token}/redeem": OPEN,
    "POST /s/{token}/offer": OPEN,
    "POST /s/{token}/ice": OPEN,
    "POST /s/{token}/press": OPEN,
    "POST /s/{token}/leave": OPEN,
    "GET /s/{token}/events": OPEN,
    # The desk
    "GET /agent": DESK,
    "GET /agent/now": DESK,
    "POST /agent/presence": DESK,
    "GET /agent/calls/{call_id}": DESK,
    "GET /agent/calls/{call_id}/colleagues": DESK,
    "POST /agent/calls/{call_id}/accept": DESK,
    "POST /agent/calls/{call_id}/decline": DESK,
    "POST /agent/calls/{call_id}/offer": DESK,
    "POST /agent/calls/{call_id}/ice": DESK,
    "POST /agent/calls/{call_id}/hold": DESK,
    "POST /agent/calls/{call_id}/unhold": DESK,
    "POST /agent/calls/{call_id}/pass-on": DESK,
    "POST /agent/calls/{call_id}/hang-up": DESK,
    "POST /agent/calls/{call_id}/note": DESK,
    "GET /agent/cases": DESK,
    "GET /agent/cases/{case_id}": DESK,
    "POST /agent/cases/{case_id}/{act}": DESK,
    # Results
    "GET /results": READERS,
    "GET /results/by/{by}": READERS,
    "GET /results/tables/{table}": READERS,
    "GET /results/export": READERS,
    "GET /results/exports/{id}": READERS,
    "GET /results/exports/{id}/file": READERS,
    # The journal and the cases
    "GET /calls": JOURNAL,
    "GET /calls/export": JOURNAL,
    "GET /calls/{call_id}": JOURNAL,
    "GET /calls/{call_id}/live": JOURNAL,
    "GET /calls/{call_id}/recording": READERS,
    "POST /calls/{call_id}/answers/{question_id}": CORRECTORS,
    "POST /calls/{call_id}/topics": CORRECTORS,
    "GET /cases": READERS,
    "GET /cases/callbacks": READERS,
    "GET /cases/{case_id}": READERS,
    "POST /cases/{case_id}/{act}": CORRECTORS,
    # Surveys
    "GET /surveys": OBSERVERS,
    "GET /surveys/schema.json": OBSERVERS,
    "GET /surveys/new": OPERATORS,
    "POST /surveys/new": OPERATORS,
    "GET /surveys/{survey_id}": OBSERVERS,
    "GET /surveys/{survey_id}/diff": OBSERVERS,
    "GET /surveys/{survey_id}/draft.yaml": OBSERVERS,
    "GET /surveys/{survey_id}/versions/{digest}.yaml": OBSERVERS,
    "GET /surveys/{survey_id}/publication": OBSERVERS,
    "POST /surveys/{survey_id}/publication": OPERATORS,
    "POST /surveys/{survey_id}/publish": OPERATORS,
    "POST /surveys/{survey_id}/rollback": OPERATORS,
    "POST /surveys/{survey_id}/begin": OPERATORS,
    "POST /surveys/{survey_id}/save": OPERATORS,
    "POST /surveys/{survey_id}/lint": OPERATORS,
    "POST /surveys/{survey_id}/upload": OPERATORS,
    "POST /surveys/{survey_id}/discard": OPERATORS,
    "POST /surveys/{survey_id}/talks": OPERATORS,
    "GET /surveys/{survey_id}/talks/{talk_id}": OPERATORS,
    "POST /surveys/{survey_id}/talks/{talk_id}": OPERATORS,
    "POST /surveys/{survey_id}/talks/{talk_id}/hear": OPERATORS,
    "GET /surveys/{survey_id}/talks/{talk_id}/{number}.wav": OPERATORS,
    # Campaigns, contacts, do-not-call, what goes on
    "GET /campaigns": OBSERVERS,
    "GET /campaigns/new": OPERATORS,
    "POST /campaigns/new": OPERATORS,
    "POST /campaigns/lint": OPERATORS,
    "GET /campaigns/{campaign_id}": OBSERVERS,
    "GET /campaigns/{campaign_id}/live": OBSERVERS,
    "POST /campaigns/{campaign_id}/change": OPERATORS,
    "POST /campaigns/{campaign_id}/{act}": OPERATORS,
    "GET /contacts": OBSERVERS,
    "GET /contacts/export.csv": OPERATORS,
    "GET /contacts/why": OBSERVERS,
    "GET /contacts/{contact_id}": OBSERVERS,
    "POST /contacts/{contact_id}/consents": OPERATORS,
    "POST /contacts/{contact_id}/withdrawals": OPERATORS,
    "GET /contacts/imports": OPERATORS,
    "POST /contacts/imports": OPERATORS,
    "GET /contacts/imports/{upload_id}": OPERATORS,
    "POST /contacts/imports/{upload_id}": OPERATORS,
    "GET /contacts/imports/{upload_id}/state": OPERATORS,
    "GET /contacts/imports/{upload_id}/refused.csv": OPERATORS,
    "POST /contacts/mappings/{key}": OPERATORS,
    "GET /do-not-call": OBSERVERS,
    "GET /do-not-call/export.csv": OPERATORS,
    "POST /do-not-call/add": OPERATORS,
    "POST /do-not-call/remove": OPERATORS,
    "POST /do-not-call/remove-list": OPERATORS,
    "POST /do-not-call/imports": OPERATORS,
    "GET /do-not-call/imports/{upload_id}": OPERATORS,
    "POST /do-not-call/imports/{upload_id}": OPERATORS,
    "GET /do-not-call/imports/{upload_id}/state": OPERATORS,
    "GET /do-not-call/imports/{upload_id}/refused.csv": OPERATORS,
    "GET /now": OBSERVERS,
    "GET /now/live": OBSERVERS,
    # Alerts
    "GET /alerts": READERS,
    "GET /alerts/badge": READERS,
    "GET /alerts/newest": READERS,
    "GET /alerts/live": READERS,
    "POST /alerts/{alert_id}/acknowledge": (Role.MANAGER, Role.ADMIN),
    # Administrators
    "GET /admin": GUARDS,
    "GET /admin/accounts": ADMINS,
    "POST /admin/accounts": ADMINS,
    "GET /admin/accounts/{login}": ADMINS,
    "POST /admin/accounts/{login}": ADMINS,
    "POST /admin/accounts/{login}/password": ADMINS,
    "POST /admin/accounts/{login}/remove": ADMINS,
    "POST /admin/accounts/{login}/sessions/{session_id}": ADMINS,
    "GET /admin/tokens": ADMINS,
    "POST /admin/tokens": ADMINS,
    "POST /admin/tokens/{name}/revoke": ADMINS,
    "GET /admin/reports": ADMINS,
    "POST /admin/reports": ADMINS,
    "POST /admin/reports/{schedule_id}/{act}": ADMINS,
    "GET /admin/erasure": ADMINS,
    "POST /admin/erasure": ADMINS,
    "POST /admin/erasure/begin": ADMINS,
    "GET /admin/erasure/{id}": ADMINS,
    "GET /admin/erasure/{id}/certificate.{form}": ADMINS,
    "GET /admin/audit": GUARDS,
    "GET /admin/audit/export.csv": GUARDS,
    # Programs
    "GET /api/v1/openapi.json": OPEN,
    "POST /api/v1/calls": TOKEN,
    "GET /api/v1/calls/{id}": TOKEN,
    "POST /api/v1/announcements": TOKEN,
}


def routes_of(app: web.Application) -> set[str]:
    """`METHOD /pattern` of each; HEAD comes with its GET."""
    return {
        f"{route.method} {route.resource.canonical}"
        for route in app.router.routes()
        if route.method != "HEAD" and route.resource is not None
    }


@pytest.mark.parametrize("visitor", [*Role, None], ids=lambda role: role or "stranger")
async def test_everybody_reaches_what_is_his_and_nothing_else(
    visitor: Role | None, parts: Parts, aiohttp_client: AiohttpClient
) -> None:
    """A request is refused by 401, by 403, or by being led to the form; whatever else comes back, an error
    of a made-up id too, comes from the page itself."""
    app = make_app(parts)
    assert routes_of(app) == TABLE.keys(), "every route has its line in TABLE, and every line its route"
    client: Client = await aiohttp_client(TestServer(app))
    headers = dict(HTML)
    if visitor is not None:
        await sign_in(client, parts, visitor, agent_id="ivanova")
        headers["X-CSRF-Token"] = await csrf_of(client, OWN)
    parts.live.show("x", "ivanova")  # the call of the made-up id is on his desk
    wrong = {
        line: reached
        for line, who in TABLE.items()
        if line not in ENDS and (reached := await reaches(client, line, headers)) is not is_his(who, visitor)
    }
    assert wrong == {}


ENDS = {"POST /sign-out"}
"""It ends the session that all the others need; tests/web/test_pages.py has it."""


def is_his(who: Collection[Role] | str, visitor: Role | None) -> bool:
    return who == OPEN if isinstance(who, str) else visitor in who


async def reaches(client: Client, line: str, headers: dict[str, str]) -> bool:
    method, _, pattern = line.partition(" ")
    path = re.sub(r"\{\w+\}", "x", pattern.replace("{number}", "1"))
    async with client.request(method, path, headers=headers, allow_redirects=False) as reply:
        return not refused(reply)


def refused(reply: ClientResponse) -> bool:
    return reply.status in (401, 403) or reply.headers.get("Location", "").startswith("/sign-in?")
