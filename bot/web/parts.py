"""What the pages are made of: the node gives it to the application once, handlers take it from there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot.accounts.accounts import Accounts
from bot.accounts.audit import Audit
from bot.accounts.passwords import Passwords
from bot.accounts.sessions import Sessions, SessionSettings
from bot.accounts.sign_in import SignIn
from bot.accounts.tokens import ApiTokens
from bot.core.clock import Clock
from bot.delivery.settings import AlertRules
from bot.published import Published
from bot.store.database import Database
from bot.web.assets import Assets
from bot.web.desk.desks import Desks
from bot.web.links import SurveyLinks
from bot.web.live import Live
from bot.web.settings import WebSettings

Ask = Callable[..., Awaitable[dict[str, Any]]]
"""`await ask("cases", owner="ivanova")`: an order and its parameters; raises what it reports."""


@dataclass(frozen=True, slots=True)
class Parts:
    """`control` takes the orders of the node's socket (bot/orders.py), `worker` those of the media
    worker; `live` is every call's events as they come, `desks`
    what is on the agents' desks. `alerts` says what one is; `mails`, whether mail goes out at all."""

    settings: WebSettings
    db: Database
    clock: Clock
    accounts: Accounts
    sessions: Sessions
    sign_in: SignIn
    tokens: ApiTokens
    audit: Audit
    published: Published
    links: SurveyLinks
    live: Live
    desks: Desks
    assets: Assets
    control: Ask
    worker: Ask
    alerts: AlertRules
    mails: bool


PARTS = web.AppKey("parts", Parts)


def web_parts(
    settings: WebSettings,
    db: Database,
    clock: Clock,
    published: Published,
    live: Live,
    *,
    control: Ask,
    worker: Ask,
    passwords: Passwords | None = None,
    desks: Desks | None = None,
    alerts: AlertRules | None = None,
    mails: bool = False,
) -> Parts:
    """Raises Unavailable where the files from npm are not installed."""
    accounts = Accounts(db, passwords or Passwords(), clock)
    return Parts(
        settings=settings,
        db=db,
        clock=clock,
        accounts=accounts,
        sessions=Sessions(db, clock, SessionSettings(lifetime_s=settings.session_s)),
        sign_in=SignIn(accounts),
        tokens=ApiTokens(db, clock),
        audit=Audit(db, clock),
        published=published,
        links=SurveyLinks(db, clock, settings.secret),
        live=live,
        desks=desks or Desks(live),
        assets=Assets(settings.modules),
        control=control,
        worker=worker,
        alerts=alerts or AlertRules(),
        mails=mails,
    )


def parts_of(request: web.Request) -> Parts:
    return request.config_dict[PARTS]
