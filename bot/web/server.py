"""The web application, and the server that runs it within control."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from typing import Self

from aiohttp import web

from bot.accounts.roles import OBSERVERS, READERS, Role
from bot.core.errors import PortInUse, SettingsInvalid
from bot.privacy.erasure import Eraser
from bot.privacy.files import CallFiles
from bot.web import health, pages
from bot.web.admin import accounts, alerts, audit, erasure, own, reports, tokens
from bot.web.admin.erasing import ERASURES, Erasures, close_erasures
from bot.web.api import routes as api
from bot.web.api.guard import LIMITS, ApiLimits
from bot.web.assets import ROOT
from bot.web.customers import pages as survey_pages
from bot.web.desk import calls as desk_calls
from bot.web.desk import cases as desk_cases
from bot.web.desk import pages as desk_pages
from bot.web.dialling import (
    campaign_changing,
    campaign_making,
    campaigns,
    contacts,
    do_not_call,
    imports,
    now,
)
from bot.web.dialling.uploads import UPLOADS, Uploads
from bot.web.errors import told_kindly
from bot.web.journal import call as journal_call
from bot.web.journal import calls as journal_calls
from bot.web.journal import cases as journal_cases
from bot.web.parts import PARTS, Parts
from bot.web.patience import HEADERS_S, LARGEST_BODY, PATIENCE, Patience, in_good_time
from bot.web.reading import forms_that_make_sense, heads_that_make_sense
from bot.web.rendering import NAVIGATION, TEMPLATES, NavItem, templates
from bot.web.results import pages as results
from bot.web.results import taking as results_taking
from bot.web.results.jobs import JOBS, ExportJobs, close_jobs
from bot.web.security import from_our_own_pages, harden
from bot.web.settings import WebSettings
from bot.web.studio import pages as studio
from bot.web.who import remember_who
from bot.words import words

GOODBYE_S = 2.0
"""How long a request may go on when the server stops; live streams are ended before."""

ROUTES: Sequence[web.RouteTableDef] = (
    pages.routes,
    survey_pages.routes,
    desk_pages.routes,
    desk_calls.routes,
    desk_cases.routes,
    results.routes,
    results_taking.routes,
    journal_calls.routes,
    journal_call.routes,
    journal_cases.routes,
    campaign_making.routes,
    campaign_changing.routes,
    campaigns.routes,
    imports.routes,
    do_not_call.routes,
    contacts.routes,
    now.routes,
    *studio.ROUTES,
    api.routes,
    accounts.routes,
    alerts.routes,
    audit.routes,
    erasure.routes,
    own.routes,
    reports.routes,
    tokens.routes,
    health.routes,
)
MENU: Sequence[NavItem] = (
    NavItem("/results", ("Результаты", "Results"), READERS),
    NavItem("/calls", ("Звонки", "Calls"), (Role.OPS, *READERS)),
    NavItem("/cases", ("Обращения", "Cases"), READERS),
    NavItem("/surveys", ("Опросы", "Surveys"), OBSERVERS),
    NavItem("/campaigns", ("Кампании", "Campaigns"), OBSERVERS),
    NavItem("/contacts", ("Клиенты", "Contacts"), OBSERVERS),
    NavItem("/now", ("Сейчас", "Now"), OBSERVERS),
    NavItem("/alerts", ("Тревоги", "Alerts"), READERS),
    NavItem("/admin", ("Управление", "Administration"), (Role.ADMIN, Role.AUDITOR)),
    NavItem("/agent", ("Рабочее место", "Desk"), (Role.AGENT, Role.ADMIN)),
)
"""In the order in which they stand; the first one that a role may open is where it starts."""


def make_app(parts: Parts) -> web.Application:
    """Middlewares from the outside in: every error told, nobody waited for without end, nothing taken from
    strangers, what is sent, who it is."""
    app = web.Application(
        middlewares=[
            told_kindly,
            in_good_time,
            from_our_own_pages,
            heads_that_make_sense,
            forms_that_make_sense,
            remember_who,
        ],
        client_max_size=LARGEST_BODY,
    )
    app[PATIENCE] = Patience()
    app[PARTS] = parts
    app[LIMITS] = ApiLimits()
    app[TEMPLATES] = templates()
    app[NAVIGATION] = list(MENU)
    app[JOBS] = ExportJobs(parts.db, parts.clock)
    app.on_cleanup.append(close_jobs)
    files = CallFiles(parts.settings.recordings, parts.settings.spool)
    app[ERASURES] = Erasures(Eraser(parts.db, files, parts.clock))
    app.on_cleanup.append(close_erasures)
    app[UPLOADS] = Uploads(parts.settings.uploads)
    app.on_startup.append(_open_uploads)
    app.on_cleanup.append(_forget_uploads)
    app.on_response_prepare.append(harden)
    app.router.add_get(f"{ROOT}/{{digest}}/{{name:.+}}", parts.assets.serve)
    for routes in ROUTES:
        app.add_routes(routes)
    return app


async def _open_uploads(app: web.Application) -> None:
    app[UPLOADS].open()


async def _forget_uploads(app: web.Application) -> None:
    await app[UPLOADS].close()


class WebServer:
    """`async with WebServer(parts)`: serves until it is left. Raises PortInUse, SettingsInvalid."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        # No access log: an address may hold a link's token.
        self._runner = web.AppRunner(
            make_app(parts), access_log=None, shutdown_timeout=GOODBYE_S, keepalive_timeout=HEADERS_S
        )

    async def __aenter__(self) -> Self:
        settings = self._parts.settings
        context = tls_context(settings)
        await self._runner.setup()
        site = web.TCPSite(self._runner, settings.host, settings.port, ssl_context=context)
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            raise PortInUse(
                words(
                    f"{settings.host}:{settings.port} (web.port) занять нельзя: {error.strerror}",
                    f"{settings.host}:{settings.port} (web.port) cannot be bound: {error.strerror}",
                ),
                hint=words("задайте другой web.port", "set another web.port"),
            ) from error
        return self

    async def __aexit__(self, *_: object) -> None:
        self._parts.live.close()
        await self._runner.cleanup()


def tls_context(settings: WebSettings) -> ssl.SSLContext | None:
    """None where the pages are served without TLS. Raises SettingsInvalid for files that will not do."""
    if not settings.cert:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(settings.cert, settings.key)
    except (OSError, ssl.SSLError) as error:
        raise SettingsInvalid(
            words(
                f"web.tls_cert и web.tls_key не подходят: {error}",
                f"web.tls_cert and web.tls_key will not do: {error}",
            ),
            hint=words("нужны сертификат с цепочкой и его ключ, PEM", "a PEM chain and its key are needed"),
        ) from error
    return context
