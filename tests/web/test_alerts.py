"""Alerts and scheduled reports in the pages."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace

import pytest
from aiohttp.test_utils import TestServer
from pytest_aiohttp import AiohttpClient

from bot.accounts.roles import Role
from bot.core.alerts import AlertKind
from bot.core.clock import ManualClock
from bot.delivery.endpoints import Endpoints
from bot.reports import schedules
from bot.store import notices
from bot.store.tables_notices import About, AlertRow
from bot.web.admin import alerts as alerts_page
from bot.web.parts import Parts
from bot.web.server import make_app
from tests.web.conftest import Client, sign_in
from tests.web.test_admin import done, get, send

WAVE = {"count": 7, "answered": 40, "first": "2026-01-01T00:00:00+00:00"}


async def alert(parts: Parts, number: int, *, wave: bool = False, back: bool = False) -> None:
    now = parts.clock.now()
    row = AlertRow(
        id=f"alert-{number:03}",
        kind=AlertKind.OPT_OUT_WAVE if wave else AlertKind.LOW_SCORE,
        at=now,
        call_id="" if wave else f"call-{number:03}",
        details=WAVE if wave else {},
        withdrawn_at=now if back else None,
    )
    async with parts.db.write() as session:
        session.add(row)


async def test_a_manager_sees_to_an_alert_and_it_says_who(client: Client, parts: Parts) -> None:
    await sign_in(client, parts, Role.MANAGER, "olga")
    assert "Открытых тревог нет" in (await get(client, "/alerts"))[1]
    assert (await get(client, "/alerts/badge"))[1].strip() == ""
    await alert(parts, 1)
    await alert(parts, 2, wave=True)
    await alert(parts, 3, back=True)
    page = (await get(client, "/alerts"))[1]
    assert "7 просят больше не звонить, отвеченных звонков 40" in page
    assert 'href="/calls/call-001"' in page
    assert "call-003" not in page, "what the customer corrected is not open"
    assert "открытых тревог: 2" in (await get(client, "/alerts/badge"))[1]
    status, page = await send(client, "/alerts/alert-001/acknowledge")
    assert (status, "call-001" in page) == (200, False)
    page = (await get(client, "/alerts?of=all"))[1]
    assert re.search(r"<td>\s*olga, 01\.01 03:00", page)
    assert "клиент исправил" in page
    assert ("olga", "acknowledge", "alert", "alert-001") in await done(parts)
    assert (await send(client, "/alerts/none/acknowledge"))[0] == 404


async def test_an_auditor_reads_and_sees_to_nothing(client: Client, parts: Parts) -> None:
    await sign_in(client, parts, Role.AUDITOR)
    await alert(parts, 1)
    page = (await get(client, "/alerts"))[1]
    assert ("call-001" in page, "Займусь" in page) == (True, False)
    assert (await send(client, "/alerts/alert-001/acknowledge"))[0] == 403


async def test_the_list_goes_on_page_by_page(client: Client, parts: Parts, clock: ManualClock) -> None:
    await sign_in(client, parts, Role.ADMIN)
    for number in range(alerts_page.ROWS + 5):
        await alert(parts, number)
        clock.advance(0.5)
    seen: list[str] = []
    path = "/alerts"
    while path:
        page = (await get(client, path))[1]
        seen += re.findall(r"/calls/call-(\d+)", page)
        onward = re.search(r'<a href="([^"]+)" rel="next"', page)
        path = onward[1].replace("&amp;", "&") if onward else ""
    assert seen == [f"{number:03}" for number in reversed(range(alerts_page.ROWS + 5))]
    assert (await get(client, "/alerts?before=yesterday"))[0] == 400


async def test_a_page_that_is_open_is_told_and_nobodys_desk_opens_by_it(client: Client, parts: Parts) -> None:
    desks: list[str] = []
    parts.live.on_desk = desks.append
    await sign_in(client, parts, Role.ADMIN, agent_id="ivanova")
    page = (await get(client, "/alerts"))[1]
    assert 'sse-connect="/alerts/live"' in page
    async with asyncio.timeout(5), client.get("/alerts/live") as stream:
        assert stream.status == 200
        await alert(parts, 1)
        parts.live.alert("alert", {"ids": ["alert-001"]})
        told = ""
        while "data:" not in told:
            told += (await stream.content.readline()).decode()
        assert "event: alert" in told
    assert desks == []
    page = (await get(client, "/alerts/newest"))[1]
    assert 'href="/calls/call-001"' in page


async def test_an_agents_page_hears_no_alerts(client: Client, parts: Parts) -> None:
    with parts.live.of_account(await parts.accounts.add("anna", "верблюд и окна", Role.AGENT)) as listener:
        parts.live.alert("alert", {})
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await listener.next()


# Scheduled reports --------------------------------------------------------------------------------

WEEKLY = {
    "name": "Неделя",
    "every": "week",
    "weekday": "1",
    "day": "1",
    "at": "09:00",
    "zone": "Asia/Omsk",
    "by": "employee",
    "webhook": "bi",
}


async def test_the_way_of_a_report(client: Client, parts: Parts, clock: ManualClock) -> None:
    await Endpoints(parts.db, clock).add("bi", "https://bi.example.ru/")
    await sign_in(client, parts, Role.ADMIN)
    page = (await get(client, "/admin/reports"))[1]
    assert "Отчёты ещё никому не рассылаются" in page
    assert "Почта не настроена" in page
    status, page = await send(client, "/admin/reports", **WEEKLY)
    assert (status, "по понедельникам в 09:00, Asia/Omsk: за прошлую неделю" in page) == (200, True)
    [schedule] = await schedules.schedules(parts.db)
    assert str(schedule.next_at) == "2026-01-05 03:00:00+00:00"
    of = f"/admin/reports/{schedule.id}"
    assert "ждёт" in (await send(client, f"{of}/send"))[1]
    [waiting] = await notices.claim(parts.db, About.REPORT, clock.now(), lease_s=60, limit=5)
    await notices.note(parts.db, [waiting], clock.now(), "HTTP 500", None)
    page = (await get(client, "/admin/reports"))[1]
    assert "не отправлен" in page
    assert "HTTP 500" in page
    assert "ждёт" in (await send(client, f"{of}/retry"))[1]
    assert '<input type="hidden" name="on" value="no">' in page
    assert "отключён" in (await send(client, f"{of}/switch", on="no"))[1]
    page = (await send(client, f"{of}/switch", on="no"))[1]
    assert "отключён" in page, "who comes second with the same wish undoes nothing"
    assert '<input type="hidden" name="on" value="yes">' in page
    assert "отключён" not in (await send(client, f"{of}/switch", on="yes"))[1]
    assert (await send(client, f"{of}/switch"))[0] == 400
    assert "Отчёты ещё никому не рассылаются" in (await send(client, f"{of}/remove"))[1]
    assert (await send(client, f"{of}/send"))[0] == 404
    acts = [action for _, action, subject, _ in await done(parts) if subject == "report"]
    assert sorted(acts) == ["add", "remove", "retry", "send", "switch", "switch", "switch"]


async def test_a_report_that_cannot_be_sent_is_not_added(client: Client, parts: Parts) -> None:
    await sign_in(client, parts, Role.ADMIN)
    for form, said in (
        ({"webhook": ""}, "некому отправлять"),
        ({}, "получателя bi нет"),
        ({"webhook": "", "mail_to": "olga@example.ru"}, "почта не настроена"),
        ({"webhook": "", "mail_to": "olga"}, "не адрес почты"),
    ):
        status, page = await send(client, "/admin/reports", **{**WEEKLY, **form})
        assert (status, said in page) == (400, True), form
    await Endpoints(parts.db, parts.clock).add("bi", "https://bi.example.ru/")
    for form, said in (
        ({"zone": "Mars/Olympus"}, "zone:"),
        ({"at": "25:00"}, "at:"),
        ({"day": "31"}, "day:"),
        ({"name": "/"}, "не подходит"),
    ):
        status, page = await send(client, "/admin/reports", **{**WEEKLY, **form})
        assert (status, said in page) == (400, True), form
    assert await schedules.schedules(parts.db) == []


async def test_mail_can_be_chosen_where_it_goes_out(parts: Parts, aiohttp_client: AiohttpClient) -> None:
    parts = replace(parts, mails=True)
    client: Client = await aiohttp_client(TestServer(make_app(parts)))
    await sign_in(client, parts, Role.ADMIN)
    form = {**WEEKLY, "webhook": "", "mail_to": "olga@example.ru, boris@example.ru"}
    assert (await send(client, "/admin/reports", **form))[0] == 200
    [schedule] = await schedules.schedules(parts.db)
    assert schedule.definition.mail_to == ("olga@example.ru", "boris@example.ru")
