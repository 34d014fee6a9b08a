"""The pages of campaigns: made by a form or as text, started, paused, stopped, watched."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestServer
from pytest_aiohttp import AiohttpClient
from sqlmodel import select

from bot.accounts.roles import Role
from bot.campaigns.loader import read_campaign
from bot.campaigns.reading import definition_of
from bot.campaigns.schema import Campaign
from bot.core.clock import ManualClock, SystemClock
from bot.core.errors import BadInput
from bot.core.orders import read_order
from bot.orders_campaigns import CreateOrder, campaign_json
from bot.settings import PROJECT
from bot.store import campaigns as store
from bot.store.account_tables import AuditRow
from bot.store.campaigns import Chosen
from bot.store.tables import Attempt
from bot.store.tables_campaigns import CampaignRow
from bot.surveys.loader import load_survey
from bot.surveys.schema import Calling
from bot.web.dialling.campaign_form import FIELDS, written
from bot.web.parts import Parts
from bot.web.server import make_app
from tests.campaigns.stage import campaign
from tests.campaigns.test_engine_node import Company, noon
from tests.web.conftest import Client, Orders, csrf_of, sign_in
from tests.web.test_dialling_contacts import ANNA, OLEG, audited, contact, page, post
from tests.web.test_dialling_contacts import store as keep

FORM = {
    "title": "Декабрь",
    "id": "december",
    "survey": "nps",
    "purpose": "service",
    "agents": "on",
    "hours": "пн-пт 10:00-20:00",
    "closed": "2026-12-12, 2026-12-31",
    "lines": "20",
    "whom": "phones",
    "phones": "8 916 123-45-67\n+7 926 111-22-33",
}


def told(state: str = "running", **more: Any) -> dict[str, Any]:
    """What the node says of a campaign (bot/orders_campaigns.py)."""
    return {
        "campaign": "after", "title": "После", "survey": "nps", "kind": "list", "state": state, "reason": "",
        "created_at": "2026-03-01T09:00:00+00:00", "started_at": None,
        "members": {"waiting": 2, "in_hand": 1}, "attempts": 3,
        "open": {"dialling": 1}, "dispositions": {"completed": 1, "busy": 1}, "sums_up": True,
        "dialled": 3, "ringing": 1, "talking": 0, "refused": {"outside_hours": 2},
        "next_at": "2026-03-02T07:00:00+00:00", "nodes": [{"name": "n", "free_lines": 7, "live": 1}],
        "pace": {"count": 0, "bound": "agents"}, "queue": True, "agents_free": 0, "reply_gap": {"turns": 0},
    } | more  # fmt: skip


@pytest.fixture
async def published(parts: Parts) -> None:
    survey = load_survey(PROJECT / "survey_defs" / "nps.yaml")
    parts.published.release(parts.published.freeze(survey))
    await keep(parts, contact("c-anna", ANNA, "Ким", first_name="Анна"), contact("c-oleg", OLEG, "Иванов"))


@pytest.fixture
async def running(parts: Parts, clock: ManualClock) -> str:
    definition = campaign("after")
    row = CampaignRow(
        id="after", title="После", survey_id="nps", definition=definition.model_dump_json(), state="running",
        created_at=clock.now(), changed_at=clock.now(),
    )  # fmt: skip
    await store.create(parts.db, row, None, clock.now())
    return row.id


@pytest.mark.usefixtures("published")
async def test_a_campaign_is_made_by_the_form(client: Client, parts: Parts, control: Orders) -> None:
    await sign_in(client, parts, Role.OPS)
    control.answers["campaigns"] = {"campaigns": []}
    assert "Создать первую" in await page(client, "/campaigns")
    csrf = await csrf_of(client, "/campaigns/new")
    status, text = await post(client, "/campaigns/new", csrf, **FORM, act="check")
    assert status == 200, text
    assert "Контактов: 2." in text
    assert "можно создавать" in text
    assert not [do for do, _ in control.taken if do == "campaign_create"]
    control.answers["campaign_create"] = {"campaign": "december", "members": 2}
    control.answers["campaign"] = told("draft")
    made = {"csrf": csrf, **FORM, "act": "create"}
    async with client.post("/campaigns/new", data=made, allow_redirects=False) as reply:
        assert reply.headers["Location"].startswith("/campaigns/december?done=")
    ((_, order),) = [each for each in control.taken if each[0] == "campaign_create"]
    assert order["chosen"] == {"phones": [ANNA, OLEG]}
    assert read_order("campaign_create", CreateOrder, order).chosen is not None  # as the node reads it
    assert order["definition"]["calling"]["closed"] == ["2026-12-12", "2026-12-31"]
    assert order["definition"]["pacing"]["lines"] == 20
    assert ("create", "campaign", "december") in await audited(parts)


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"hours": "пн-пт 10:00-23:00"}, "шире, чем можно звонить"),
        ({"id": "Декабрь"}, "id"),
        ({"survey": "none"}, "такого опроса нет"),
        ({"starts": "2026-12-20", "ends": "2026-12-01"}, "раньше, чем starts"),
        ({"phones": "8 916 123-45-67\nabc"}, "номера, строка 2"),
        ({"phones": "8 999 999-99-99"}, "звонить некому"),
        ({"whom": ""}, "скажите, кому звонить"),
        ({"lines": "20\n  agents: 1"}, "нужно целое число"),
        ({"purpose": "[service"}, "purpose"),
    ],
)
async def test_what_is_wrong_is_told_at_its_field_and_nothing_is_made(
    client: Client, parts: Parts, control: Orders, wrong: dict[str, str], said: str
) -> None:
    await sign_in(client, parts, Role.OPS)
    csrf = await csrf_of(client, "/campaigns/new")
    status, text = await post(client, "/campaigns/new", csrf, **(FORM | wrong), act="create")
    assert (status, said in text) == (400, True), text
    assert "Декабрь" in text  # what was written is still there
    assert not [do for do, _ in control.taken if do == "campaign_create"]


@pytest.mark.usefixtures("published", "running")
async def test_a_campaign_is_made_as_text_with_marks_as_one_types(
    client: Client, parts: Parts, control: Orders
) -> None:
    await sign_in(client, parts, Role.ADMIN)
    csrf = await csrf_of(client, "/campaigns/new?as=yaml")
    text = "id: more\ntitle: Ещё\nsurvey: nps\npurpose: service\npacing: {lines: 900}\n"
    _, marks = await post(client, "/campaigns/lint", csrf, yaml=text)
    assert "строка 5: " in marks
    assert "<html" not in marks
    status, answer = await post(client, "/campaigns/new", csrf, yaml=text, whom="all", act="create")
    assert (status, "строка 5: " in answer) == (400, True)
    text = text.replace("900", "9")
    control.answers["campaign_create"] = BadInput("кампания «more» уже есть")
    status, answer = await post(client, "/campaigns/new", csrf, yaml=text, whom="all", act="create")
    assert (status, "уже есть" in answer) == (400, True)
    assert control.taken[-1][1]["chosen"] == {"everybody": True}
    copy = await page(client, "/campaigns/new?like=after")
    assert "id: after_2" in copy
    assert "lines: 50" in copy
    await page(client, "/campaigns/new?like=nobody", 404)


def test_every_field_of_the_form_stands_on_a_line_of_its_own(tmp_path: Any) -> None:
    """With its own value, whatever somebody types: no field writes another one's line."""
    text, of_line = written({field.name: "x" for field in FIELDS} | {"closed": "2026-12-12"})
    assert set(of_line.values()) == {field.name for field in FIELDS} - {"agents"}
    nasty = {"title": 'a"b\n\\: {#&*', "reason": "'", "id": "a: b", "starts": "1\nends: 2", "label": "Ё: "}
    text, of_line = written(nasty | {"agents": "on"})
    assert len(text.splitlines()) == len(of_line) + 1  # and «caller:»
    file = tmp_path / "campaign.yaml"
    file.write_text(text)
    read = read_campaign(file)
    assert read.file is not None
    assert read.file.data["title"] == 'a"b \\: {#&*'
    assert "ends" not in read.file.data


@pytest.mark.usefixtures("published", "running")
async def test_how_one_goes_and_what_is_told_to_it(
    client: Client, parts: Parts, control: Orders, worker: Orders, clock: ManualClock
) -> None:
    await keep(
        parts,
        Attempt(
            id="attempt-1", contact_id="c-anna", survey_id="nps", survey_hash="h", direction="outbound",
            to_uri="tel:+79161234567", phone=ANNA, status="live", created_at=clock.now(), campaign_id="after",
            dialled_at=clock.now(), answered_at=clock.now(), call_id="call-1", number=2,
        ),
    )  # fmt: skip
    stands = await campaign_json(parts.db, "after", clock.now())
    assert told().keys() >= stands.keys()
    control.answers["campaign"] = told() | stands | {"refused": {"outside_hours": 2}}
    control.answers["agents"] = {"agents": [
        {"id": "ivanova", "name": "Иванова", "active": True, "presence": "busy", "on_shift": True,
         "desk": True, "live": 1}
    ]}  # fmt: skip
    control.answers["status"] = {
        "ready": True, "registers": True, "registered": False, "trunk": "pbx.example", "free_lines": 7,
    }  # fmt: skip
    await sign_in(client, parts, Role.OPS)
    text = await page(client, "/campaigns/after")
    for shown in (
        "идёт", "ждём свободных сотрудников", "Ким Анна", "+79161234567", "разговор", "Иванова", "занят",
        "не зарегистрирован", "не время для звонков", "набрано и принято", "всего попыток",
    ):  # fmt: skip
        assert shown in text, shown
    csrf = await csrf_of(client, "/campaigns/after")
    for act, do in (("pause", "campaign_pause"), ("resume", "campaign_start"), ("stop", "campaign_stop")):
        control.taken.clear()
        status, _ = await post(client, f"/campaigns/after/{act}", csrf, reason="обед")
        assert status == 303
        assert control.taken[0] == (
            do,
            {"campaign": "after"} | ({"reason": "обед"} if act == "pause" else {}),
        )
    status, text = await post(client, "/campaigns/after/end", csrf)
    assert worker.taken == [("hang_up", {"call_id": "call-1", "side": "caller"})]
    assert "звонков прервано: 1" in text
    control.answers["campaign_start"] = BadInput("кампания «after» остановлена")
    status, text = await post(client, "/campaigns/after/start", csrf)
    assert (status, "остановлена" in text) == (400, True)
    assert {act for act, subject, _ in await audited(parts) if subject == "campaign"} == {
        "view", "pause", "resume", "stop", "end",
    }  # fmt: skip
    await page(client, "/campaigns/nobody", 404)
    status, _ = await post(client, "/campaigns/after/explode", csrf)
    assert status == 404


CHANGED = {
    "lines": "3",
    "per_second": "0.5",
    "hours": "пн-пт 10:00-19:00",
    "ends": "2026-12-30",
    "agents": "on",
}


@pytest.mark.usefixtures("published", "running")
async def test_one_that_goes_is_changed_where_nobody_else_did_meanwhile(
    client: Client, parts: Parts, control: Orders
) -> None:
    control.answers["campaign"] = told()
    await sign_in(client, parts, Role.OPS)
    csrf = await csrf_of(client, "/campaigns/after")

    async def of() -> str:
        found = re.search(r'name="of" value="(\w+)"', await page(client, "/campaigns/after"))
        assert found
        return found[1]

    async def definition() -> Campaign:
        return definition_of((await store.campaign(parts.db, "after")).definition)

    before, was = await of(), await definition()
    status, text = await post(client, "/campaigns/after/change", csrf, of=before, **CHANGED | {"lines": "0"})
    assert (status, "нужно не меньше 1" in text, 'value="0.5"' in text) == (400, True, True)
    status, text = await post(client, "/campaigns/after/change", csrf, of=before, **CHANGED)
    assert (status, "действует со следующего звонка" in text) == (303, True)
    now = await definition()
    assert (now.pacing.lines, now.pacing.per_second, now.pacing.agents) == (3, 0.5, True)
    assert (str(now.ends), now.calling.holidays) == ("2026-12-30", False)
    assert was.model_copy(update={"ends": now.ends, "calling": now.calling, "pacing": now.pacing}) == now
    status, text = await post(client, "/campaigns/after/change", csrf, of=before, **CHANGED | {"lines": "5"})
    assert (status, "тем временем изменили" in text) == (400, True)
    status, text = await post(client, "/campaigns/after/change", csrf, of=await of(), **CHANGED)
    assert (status, "Ничего не изменилось" in text) == (303, True)
    assert await definition() == now
    async with parts.db.read() as session:
        [row] = (await session.exec(select(AuditRow).where(AuditRow.action == "change"))).all()
    assert row.subject_id == "after"
    assert {name: (row.details["was"][name], row.details["now"][name]) for name in ("lines", "ends")} == {
        "lines": ("50", "3"), "ends": ("", "2026-12-30"),
    }  # fmt: skip


@pytest.mark.usefixtures("published", "running")
async def test_one_that_was_stopped_is_changed_no_more(
    client: Client, parts: Parts, control: Orders, clock: ManualClock
) -> None:
    control.answers["campaign"] = told()
    await sign_in(client, parts, Role.OPS)
    csrf, text = await csrf_of(client, "/campaigns/after"), await page(client, "/campaigns/after")
    of = re.findall(r'name="of" value="(\w+)"', text)[0]
    await store.change_state(parts.db, "after", to="stopped", among=("running",), now=clock.now())
    status, text = await post(client, "/campaigns/after/change", csrf, of=of, **CHANGED)
    assert (status, "кампания остановлена" in text, 'name="of"' in text) == (400, True, False)
    assert ("change", "campaign", "after") not in await audited(parts)


@pytest.mark.usefixtures("published", "running")
async def test_who_only_watches_changes_nothing(client: Client, parts: Parts, control: Orders) -> None:
    control.answers["campaign"] = told(
        "paused", reason="слишком много сбоев за 15 мин: 9 / 20 = 45%, порог 30%"
    )
    control.answers["campaigns"] = {"campaigns": [told("paused", reason="слишком много сбоев")]}
    await sign_in(client, parts, Role.AUDITOR)
    text = await page(client, "/campaigns/after")
    assert "слишком много сбоев за 15 мин" in text
    assert '<form method="post" action="/campaigns' not in text
    assert "Новая кампания" not in await page(client, "/campaigns")
    assert "Таких кампаний нет" in await page(client, "/campaigns?state=over")
    csrf = await csrf_of(client, "/campaigns")
    for path in ("/campaigns/after/start", "/campaigns/after/end", "/campaigns/new", "/campaigns/lint"):
        assert (await post(client, path, csrf))[0] == 403
    assert not [do for do, _ in control.taken if do.startswith("campaign_")]


async def test_a_choice_counts_whom_it_would_ring(parts: Parts) -> None:
    await keep(parts, contact("a", "79160000001", "А", department="sales"), contact("b", "79160000002", "Б"))
    assert await store.chosen_count(parts.db, Chosen()) == 2
    assert await store.chosen_count(parts.db, Chosen(department="sales")) == 1
    assert await store.chosen_count(parts.db, Chosen(phones=("79160000003",))) == 0


@pytest.fixture
async def company(parts: Parts, tmp_path: Path) -> AsyncIterator[Company]:
    """Campaigns as a node runs them, without its calls."""
    shipped = load_survey(PROJECT / "survey_defs" / "nps.yaml")
    made = Company(parts.db, shipped.model_copy(update={"calling": Calling()}), tmp_path)
    work = asyncio.create_task(made.node.run())
    yield made
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)


async def test_a_campaign_is_made_started_and_watched_with_the_nodes_own_orders(
    parts: Parts, company: Company, aiohttp_client: AiohttpClient
) -> None:
    """What the pages send is what the node takes, and what it answers is what they show."""

    async def control(do: str, **params: Any) -> dict[str, Any]:
        return await company.server.ask(do, **params) if do.startswith("campaign") else {}

    live = replace(parts, control=control, clock=SystemClock(), published=company.published)
    client: Client = await aiohttp_client(TestServer(make_app(live)))
    anna = contact("c-anna", ANNA, "Ким", first_name="Анна", tz=noon(company))
    anna.phone_uri = f"sip:+{ANNA}@pbx"  # there is no trunk
    await keep(parts, anna)
    await sign_in(client, live, Role.OPS)
    csrf = await csrf_of(client, "/campaigns/new")
    form = {"title": "Проба", "id": "real", "survey": "nps", "purpose": "service", "holidays": "on"}
    status, text = await post(client, "/campaigns/new", csrf, **form, whom="all", act="create")
    assert status == 303
    assert "Кампания создана" in text
    assert "ещё не запущена" in text
    status, text = await post(client, "/campaigns/real/start", csrf)
    assert status == 303
    placed = await company.placed()
    assert placed["context"]["customer"]["id"] == "c-anna"
    text = await page(client, "/campaigns/real")
    assert "Ким Анна" in text
    assert "+79161234567" in text
    assert "звонит" in text
    status, text = await post(client, "/campaigns/real/pause", csrf, reason="обед")
    assert "на паузе" in text
    assert "обед" in text
    status, text = await post(client, "/campaigns/real/end", csrf)
    assert "звонков прервано: 1" in text
    assert "завершает начатые звонки" in text
    assert "real" in await page(client, "/campaigns?state=going")
    status, text = await post(client, "/campaigns/real/start", csrf)
    assert (status, "завершает" in text) == (400, True)
