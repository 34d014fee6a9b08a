"""A company at work in one database, and every page of its console: what tests of all pages and the
documentation's pictures are made of. Everybody in it is made up."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from aiohttp.test_utils import TestServer
from playwright.async_api import BrowserContext, Page

from bot.accounts.passwords import Passwords
from bot.accounts.roles import Role
from bot.accounts.tokens import Scope
from bot.call.spool import SpoolReader
from bot.core.alerts import AlertKind
from bot.core.clock import ManualClock
from bot.core.control import ControlServer
from bot.core.events import CallEvent, HandoverConnected, PromptStarted
from bot.delivery.endpoints import Endpoints
from bot.orders_agents import AgentOrders
from bot.orders_cases import CaseOrders
from bot.published import Published
from bot.reports import sample, schedules
from bot.reports.schedules import Definition
from bot.settings import PROJECT
from bot.store import agents, campaigns, do_not_call, drafts, notices, queries
from bot.store.agents import StaffChange
from bot.store.database import Database
from bot.store.tables import Attempt, Contact
from bot.store.tables_agents import AgentRow, DepartmentRow
from bot.store.tables_campaigns import CampaignRow
from bot.store.tables_notices import About, AlertRow
from bot.store.writer import Writer
from bot.surveys.loader import load_survey, to_json
from bot.triage.presence import LocalBoard, PresenceSettings
from bot.triage.router import LocalRouter
from bot.web.live import Live
from bot.web.parts import Parts, web_parts
from bot.web.server import make_app
from bot.web.settings import MODULES, WebSettings
from bot.web.who import COOKIE
from tests.accounts.conftest import QUICK
from tests.campaigns.stage import campaign
from tests.databases import database_at
from tests.store.talk import START, Talk
from tests.web.calls import record, store, talk
from tests.web.conftest import PASSWORD
from tests.web.studio import NPS, TALK, Node
from tests.web.test_dialling_campaigns import told
from tests.web.test_dialling_contacts import contact
from tests.web.test_dialling_imports import BAD_ROWS

FIRST = ("Анна", "Борис", "Вера", "Глеб", "Дарья", "Егор", "Жанна", "Захар", "Инна", "Кирилл")
LAST = ("Ким", "Бондаренко", "Ли", "Шевченко", "Коваленко", "Цой")
DEPARTMENTS = ("Поддержка", "Доставка", "Продажи", "Возвраты", "Оплата", "Подключение")
YEAR = "period=year&from=2025-01-01"
IMPORT = "import"
"""In the place of a path: the page of the import that `imported` makes."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A page of the console: `holds` is a text that it shows to whoever reads it without scripts."""

    name: str
    path: str
    holds: str


PAGES = (
    Shown("home", "/", "Ирина"),
    Shown("results", f"/results?{YEAR}", "NPS"),
    Shown("results-employees", f"/results/by/employee?{YEAR}&sort=nps", "Шевченко"),
    Shown("results-topics", f"/results/by/topic?{YEAR}", "ожидание"),
    Shown("calls", "/calls", "01.03.2026"),
    Shown("calls-search", "/calls?text=ждать&topic=waiting", "ждала"),
    Shown("call", "/calls/call-1", "очень долго ждала"),
    Shown("call-live", "/calls/call-2", "очень долго ждала"),
    Shown("cases", "/cases", "долго ждала"),
    Shown("callbacks", "/cases/callbacks", "завтра"),
    Shown("case", "/cases/case-1", "долго ждала"),
    Shown("surveys", "/surveys", "NPS после обращения"),
    Shown("survey", "/surveys/nps", "Получилось ли решить"),
    Shown("survey-diff", "/surveys/nps/diff", "Получилось ли решить"),
    Shown("survey-new", "/surveys/new", "Новый опрос"),
    Shown("survey-talk", "/surveys/nps/talks/call-1", "Оцените"),
    Shown("campaigns", "/campaigns", "NPS после обращения, март"),
    Shown("campaign", "/campaigns/after", "NPS после обращения, март"),
    Shown("campaign-new", "/campaigns/new", "Новая кампания"),
    Shown("campaign-yaml", "/campaigns/new?like=after", "pacing"),
    Shown("contacts", "/contacts", "Шевченко"),
    Shown("contact", "/contacts/c-1", "Борис"),
    Shown("why", "/contacts/why", "Почему"),
    Shown("imports", "/contacts/imports", "Файл"),
    Shown("import", IMPORT, "Абонент"),
    Shown("do-not-call", "/do-not-call", "попросил письмом"),
    Shown("now", "/now", "опрос"),
    Shown("alerts", "/alerts", "7 просят больше не звонить"),
    Shown("accounts", "/admin/accounts", "Ольга Ким"),
    Shown("account", "/admin/accounts/olga", "Ольга Ким"),
    Shown("tokens", "/admin/tokens", "crm"),
    Shown("reports", "/admin/reports", "Неделя для руководства"),
    Shown("erasure", "/admin/erasure", "Номер телефона"),
    Shown("audit", "/admin/audit", "olga"),
    Shown("own", "/account", "Сменить пароль"),
)


class Company(Node):
    """Takes the pages' orders: agents and cases by the node's own code, drafts as a node would, the rest by
    heart."""

    def __init__(self, server: ControlServer) -> None:
        super().__init__()
        self.server = server

    async def __call__(self, do: str, **params: Any) -> dict[str, Any]:
        if do.startswith("survey_") or do in self.answers:
            return await super().__call__(do, **params)
        return await self.server.ask(do, **params)


@asynccontextmanager
async def filled(
    folder: Path, database: AbstractAsyncContextManager[Database] | None = None, *, answers: int = 2400
) -> AsyncIterator[tuple[Parts, str]]:
    """The console's parts and its address. `database` has tables and no rows (None: SQLite in the folder);
    `answers` are so many of a year."""
    async with database or database_at(folder / "otklik.sqlite") as db:
        clock = ManualClock(START + timedelta(hours=1))
        server = ControlServer(folder / "node.sock")
        company = Company(server)
        settings = WebSettings(
            "127.0.0.1", 0, "http://pages.test", "s" * 32, MODULES, recordings=folder / "recordings",
            spool=folder / "spool",
        )  # fmt: skip
        parts = web_parts(
            settings, db, clock, Published(folder / "surveys"), Live(), control=company, worker=company,
            passwords=Passwords(QUICK), mails=True,
        )  # fmt: skip
        await sample.fill(db, answers)
        await _staff(parts)
        await _calls(parts, server, folder)
        await _surveys(parts)
        await _campaigns(parts, company)
        await _administration(parts)
        async with TestServer(make_app(parts), host="127.0.0.1") as pages:
            yield parts, str(pages.make_url("/")).rstrip("/")
            parts.live.close()


async def _staff(parts: Parts) -> None:
    people = [
        AgentRow(id=f"agent-{n:03}", name=f"{FIRST[n % 10]} {LAST[n // 10]}", department=f"dept-{n % 6}")
        for n in range(sample.AGENTS)
    ]
    people.append(AgentRow(id="anna", name="Анна Шевченко", department="support"))
    rooms = [DepartmentRow(id=f"dept-{n}", name=name) for n, name in enumerate(DEPARTMENTS)]
    rooms.append(DepartmentRow(id="support", name="Вторая линия"))
    await agents.save(parts.db, StaffChange(agents=people, departments=rooms))


async def _calls(parts: Parts, server: ControlServer, folder: Path) -> None:
    record(folder / "recordings", "call-1", 11.0)
    calls = [talk("call-0", 0, score=9), talk("call-1", 1), talk("call-2", 2, score=5, ended=False)]
    await store(parts.db, folder / "spool", [[plain(event) for event in call] for call in calls])
    router = LocalRouter(parts.db, LocalBoard(PresenceSettings(), parts.clock), parts.clock)
    writer = Writer(parts.db, SpoolReader(folder / "spool"), parts.clock)
    for orders in (AgentOrders, CaseOrders):
        orders(parts.db, writer, router, parts.clock).register(server)

    async def events(params: dict[str, Any]) -> dict[str, Any]:
        stored = await queries.events(parts.db, params["call_id"])
        return {"events": [event.model_dump(mode="json") for event in stored]}

    server.register("events", events)


def plain(event: CallEvent) -> CallEvent:
    """Without the marks by which other tests see that texts are escaped."""
    if not isinstance(event, PromptStarted):
        return event
    return event.model_copy(update={"text": re.sub("</?b>", "", event.text)})


async def _surveys(parts: Parts) -> None:
    now = parts.clock.now()
    for name in ("nps", "csat", "triage"):
        file = PROJECT / "survey_defs" / f"{name}.yaml"
        survey = load_survey(file)
        digest = parts.published.freeze(survey)
        parts.published.release(digest)
        version, text = str(survey.version), to_json(survey)
        await queries.publish_survey(
            parts.db,
            hash_=digest,
            survey_id=survey.id,
            version=version,
            title=survey.title,
            json=text,
            now=now,
        )
        await drafts.keep_source(parts.db, digest, file.read_text("utf-8"))
        await drafts.released(parts.db, survey.id, digest, kind="file", login="", now=now)
    draft = NPS.read_text("utf-8").replace("version: 3", "version: 4")
    draft = draft.replace("Удалось ли решить", "Получилось ли решить")
    await drafts.begin(parts.db, "nps", draft, started_from="", login="oleg", now=now)


async def _campaigns(parts: Parts, company: Company) -> None:
    now = parts.clock.now()
    people: list[Contact | Attempt] = [
        contact(
            f"c-{n}", f"7916{n:07}", LAST[n % 6], first_name=FIRST[n % 10], external_id=f"C{n}",
            tz="Europe/Moscow" if n % 5 else "", region="Москва",
        )
        for n in range(30)
    ]  # fmt: skip
    for n in range(3):
        people.append(
            Attempt(
                id=f"attempt-{n}", contact_id=f"c-{n}", survey_id="nps", survey_hash="hash-1", number=1,
                direction="outbound", to_uri=f"tel:+7916{n:07}", phone=f"7916{n:07}", status="live",
                created_at=now, campaign_id="after", dialled_at=now, answered_at=now, call_id=f"now-{n}",
                asked_at=now if n else None,
            )
        )  # fmt: skip
    async with parts.db.write() as session:
        session.add_all(people)
    title = "NPS после обращения, март"
    row = CampaignRow(
        id="after", title=title, survey_id="nps", definition=campaign("after").model_dump_json(),
        state="running", created_at=now, changed_at=now,
    )  # fmt: skip
    await campaigns.create(parts.db, row, None, now)
    await do_not_call.add(
        parts.db, ["79160000007", "79031234567"], source="hand", words="попросил письмом", by="irina", now=now
    )
    for n in range(3):
        ringing = Talk(f"now-{n}", f"attempt-{n}", remote=f"sip:+7916{n:07}@trunk")
        shown: list[CallEvent] = [ringing.started, ringing.answered()]
        if n == 2:
            shown.append(ringing.event(HandoverConnected, target="responsible", agent_id="agent-003"))
        for event in shown:
            parts.live.publish(event)
    company.answers["campaign"] = told(title=title)
    paused = "слишком много сбоев за 15 мин: 9 / 20 = 45 %, порог 30 %"
    others = [
        told("paused", campaign="delivery", title="CSAT доставки", survey="csat", reason=paused),
        told("done", campaign="winter", title="NPS после обращения, февраль"),
    ]
    company.answers["campaigns"] = {"campaigns": [told(title=title), *others]}
    company.answers["status"] = {
        "ready": True, "registers": True, "registered": True, "trunk": "pbx.example", "free_lines": 7,
        "call_ids": ["now-0", "now-1", "now-2"],
    }  # fmt: skip
    tried = TALK | {"lines": [{**line, "text": re.sub("</?b>", "", line["text"])} for line in TALK["lines"]]}
    company.answers |= dict.fromkeys(("survey_try", "survey_tried", "survey_turn"), tried)


async def _administration(parts: Parts) -> None:
    now = parts.clock.now()
    await parts.accounts.add("irina", PASSWORD, Role.ADMIN, name="Ирина")
    await parts.accounts.add("oleg", PASSWORD, Role.OPS, name="Олег Цой")
    await parts.accounts.add("olga", PASSWORD, Role.MANAGER, name="Ольга Ким")
    await parts.accounts.add("anna", PASSWORD, Role.AGENT, name="Анна Шевченко", agent_id="anna", once=True)
    olga = await parts.accounts.named("olga")
    assert olga is not None
    await parts.sessions.begin(olga, "10.0.0.7", "Mozilla/5.0 (Windows NT 10.0) Chrome/142.0")
    for n in range(8):
        await parts.audit.note(olga, "10.0.0.7", "view", "call", f"call-{n}", {"audio": True})
    await parts.tokens.add("crm", list(Scope))
    wave = {"count": 7, "answered": 61, "first": now.isoformat()}
    async with parts.db.write() as session:
        session.add(AlertRow(id="alert-wave", kind=AlertKind.OPT_OUT_WAVE, at=now, details=wave))
        session.add(AlertRow(id="alert-1", kind=AlertKind.LOW_SCORE, at=now, call_id="call-1"))
    await Endpoints(parts.db, parts.clock).add("bi", "https://bi.example.ru/")
    week = Definition(zone="Europe/Moscow", mail_to=("olga@example.ru", "boris@example.ru"))
    await schedules.add(parts.db, "Неделя для руководства", week, "irina", now)
    await schedules.send_now(parts.db, "Неделя для руководства", now)
    sent, refused = await notices.claim(parts.db, About.REPORT, now, lease_s=60, limit=9)
    await notices.note(parts.db, [sent], now, "", None)
    await notices.note(parts.db, [refused], now, "550 5.1.1 no such user", None)


async def enter(context: BrowserContext, parts: Parts, address: str, login: str = "irina") -> Page:
    """The first page of a browser in which this account is signed in."""
    account = await parts.accounts.named(login)
    assert account is not None
    token = await parts.sessions.begin(account, "127.0.0.1", "")
    await context.add_cookies([{"name": COOKIE, "value": token, "url": address}])
    return context.pages[0]


async def imported(page: Page, address: str, folder: Path) -> str:
    """A file with bad rows is sent and checked; the path of its page."""
    file = folder / "clients.csv"
    file.write_bytes(BAD_ROWS)
    await page.goto(f"{address}/contacts/imports")
    await page.set_input_files("[name=file]", file)
    await page.get_by_role("button", name="Отправить и посмотреть").click()
    await page.wait_for_url("**/contacts/imports/*")
    await page.select_option("[name=column-0]", "phone")
    await page.get_by_role("button", name="Проверить, ничего не записывая").click()
    await page.get_by_text("Проверка, ничего не записано").wait_for()
    return page.url.removeprefix(address)
