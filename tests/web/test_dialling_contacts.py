"""The pages of contacts: who sees what, found, explained, consents and numbers never to be rung."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlmodel import col, select

from bot.accounts.roles import OBSERVERS, Role
from bot.core.clock import ManualClock
from bot.store import do_not_call
from bot.store.account_tables import AuditRow
from bot.store.tables import Attempt, Contact
from bot.store.tables_contacts import ConsentRow
from bot.web.parts import Parts
from tests.web.conftest import HTML, Client, csrf_of, sign_in

ANNA, OLEG = "79161234567", "79261112233"


async def store(parts: Parts, *rows: Any) -> None:
    async with parts.db.write() as session:
        session.add_all(rows)


def contact(contact_id: str, phone: str, last_name: str, **more: Any) -> Contact:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    return Contact(
        id=contact_id, phone=phone, phone_uri=f"tel:+{phone}", last_name=last_name, created_at=at, **more
    )


@pytest.fixture
async def known(parts: Parts) -> None:
    await store(
        parts,
        contact("c-anna", ANNA, "Ким", first_name="Анна", tz="Asia/Omsk", own_fields='{"Тариф": "Про"}'),
        contact("c-oleg", OLEG, "Иванов", first_name="Олег", external_id="C3"),
    )


async def page(client: Client, path: str, status: int = 200) -> str:
    async with client.get(path, headers=HTML) as reply:
        text = await reply.text()
        assert reply.status == status, text
        return text


async def post(client: Client, path: str, csrf: str, **form: str) -> tuple[int, str]:
    """The status of the answer, and the page after it."""
    async with client.post(path, data={"csrf": csrf, **form}, headers=HTML, allow_redirects=False) as reply:
        if reply.status != 303:
            return reply.status, await reply.text()
        where = reply.headers["Location"]
    return 303, await page(client, where)


async def audited(parts: Parts) -> list[tuple[str, str, str]]:
    async with parts.db.read() as session:
        rows = (await session.exec(select(AuditRow).order_by(col(AuditRow.at), col(AuditRow.id)))).all()
    return [(row.action, row.subject, row.subject_id) for row in rows]


@pytest.mark.usefixtures("known")
async def test_ops_find_contacts_by_name_number_and_what_is_missing(client: Client, parts: Parts) -> None:
    await sign_in(client, parts, Role.OPS)
    for query, found, left_out in (
        ("", "Ким", "nobody"),
        ("?text=иванов", "Олег", "Анна"),
        ("?text=8 916 123-45-67", "Анна", "Олег"),
        ("?text=61112", "Олег", "Анна"),
        ("?text=C3", "Олег", "Анна"),
        ("?no_zone=1", "Олег", "Анна"),
    ):
        text = await page(client, f"/contacts{query}")
        assert found in text, query
        assert left_out not in text, query
    assert "+79161234567" in await page(client, "/contacts")
    assert "Таких клиентов нет" in await page(client, "/contacts?text=Нетакого")
    text = await page(client, "/contacts/export.csv")
    head, first, *_ = text.removeprefix("\ufeff").splitlines()
    assert head.endswith("Не звонить;Тариф")
    assert first.startswith("C3;Иванов;Олег;;+79261112233;")
    assert ("export", "contacts", "") in await audited(parts)
    await page(client, "/contacts?text=Ким&action=x&department=1")
    async with parts.db.read() as session:
        looks = (await session.exec(select(AuditRow).where(AuditRow.action == "view"))).all()
    assert {"filters": {"text": "…", "department": "1"}} in [row.details for row in looks]


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize("role", [role for role in OBSERVERS if role is not Role.ADMIN])
async def test_those_who_ring_see_numbers_whole_and_only_those_who_dial_change_them(
    client: Client, parts: Parts, role: Role
) -> None:
    """And nobody else finds one out by looking for its digits."""
    await sign_in(client, parts, role)
    await do_not_call.add(parts.db, [ANNA], source="hand", words="письмом", by="x", now=parts.clock.now())
    dials, whole = role is Role.OPS, role is not Role.AUDITOR
    for path in ("/contacts", "/contacts/c-anna", "/do-not-call", f"/contacts/why?phone={ANNA}"):
        text = (await page(client, path)).replace(f'value="{ANNA}"', "")
        text = text.replace(f'value="/contacts/why?phone={ANNA}"', "")  # as he asked himself
        assert (ANNA in text) is whole, path
        assert ("***67" in text) is not whole, path
    assert ("Ким" in await page(client, "/contacts?text=7916123")) is whole
    assert "Ким" in await page(client, f"/contacts?text={ANNA}")
    csrf = await csrf_of(client, "/contacts")
    for path in ("/do-not-call/add", "/do-not-call/remove", "/contacts/c-anna/consents", "/contacts/imports"):
        status, _ = await post(client, path, csrf, phone=ANNA, reason="x")
        assert (status == 403) is not dials, path
    async with client.get("/contacts/export.csv", headers=HTML) as reply:
        assert (reply.status == 403) is not dials
    looks = [entry for entry in await audited(parts) if entry[0] == "view"]
    assert ("view", "contact", "c-anna") in looks
    assert ("view", "contacts", "") in looks


@pytest.mark.usefixtures("known")
async def test_a_contact_with_what_was_and_what_may_be(
    client: Client, parts: Parts, clock: ManualClock
) -> None:
    await store(
        parts,
        Attempt(
            id="attempt-1", contact_id="c-anna", survey_id="nps", survey_hash="h", direction="outbound",
            to_uri="tel:+79161234567", phone=ANNA, status="final", disposition="busy", created_at=clock.now(),
            dialled_at=clock.now(), call_id="call-1",
        ),
    )  # fmt: skip
    await sign_in(client, parts, Role.OPS)
    text = await page(client, "/contacts/c-anna")
    for shown in ("Ким Анна", "Тариф", "Про", "занято", "Ни в одной кампании его нет", "Запретов нет"):
        assert shown in text, shown
    csrf = await csrf_of(client, "/contacts/c-anna")
    status, text = await post(
        client, "/contacts/c-anna/consents", csrf, kind="calls", source="договор 12", at="2025-02-01T10:00"
    )
    assert status == 303
    assert "Согласие записано." in text
    assert "договор 12" in text
    status, text = await post(client, "/contacts/c-anna/consents", csrf, kind="calls", source=" ")
    assert (status, "не заполнено" in text) == (400, True)
    status, text = await post(client, "/contacts/c-anna/withdrawals", csrf, kind="calls", words="не хочу")
    assert "Отозвано согласий: 1." in text
    async with parts.db.read() as session:
        row = (await session.exec(select(ConsentRow))).one()
    assert (row.by, row.withdrawn_by, row.withdrawn_words) == ("irina", "irina", "не хочу")
    assert row.given_at == datetime(2025, 2, 1, 7, 0, tzinfo=UTC)  # by the company's clock
    status, text = await post(
        client, "/do-not-call/add", csrf, phone="+7 916 123-45-67", reason="в письме", next="/contacts/c-anna"
    )
    assert "больше не звоним" in text
    assert "Не звонить никогда" in text
    assert {entry for entry in await audited(parts) if entry[0] not in ("view", "sign_in")} == {
        ("consent", "contact", "c-anna"),
        ("withdraw consent", "contact", "c-anna"),
        ("add", "do-not-call", ANNA),
    }
    await page(client, "/contacts/c-nobody", 404)


@pytest.mark.usefixtures("known")
async def test_why_answers_in_the_visitors_language(client: Client, parts: Parts) -> None:
    await sign_in(client, parts, Role.MANAGER)
    assert "никто не знает" in await page(client, "/contacts/why?phone=%2B79990000000", 400)
    english = {**HTML, "Accept-Language": "en"}
    async with client.get("/contacts/why?phone=%2B79990000000", headers=english) as reply:
        assert "nobody knows" in await reply.text()
    assert "The rules were asked" not in await page(client, "/contacts/why?phone=89161234567")


async def test_a_number_is_put_on_and_taken_off_with_its_reason(client: Client, parts: Parts) -> None:
    await sign_in(client, parts, Role.OPS)
    assert "Пока никто не просил" in await page(client, "/do-not-call")
    csrf = await csrf_of(client, "/do-not-call")
    status, text = await post(client, "/do-not-call/add", csrf, phone="123", reason="письмо")
    assert status == 400
    assert 'role="alert"' in text
    await post(client, "/do-not-call/add", csrf, phone="8 903 123-45-67", reason="=письмо")
    status, text = await post(client, "/do-not-call/remove", csrf, phone="89031234567", reason="ошибка")
    assert "снова можно звонить" in text
    status, text = await post(client, "/do-not-call/remove", csrf, phone="89031234567", reason="ошибка")
    assert (status, "запрета нет" in text) == (400, True)
    text = await page(client, "/do-not-call?history=1")
    assert "irina: ошибка" in text
    table = await page(client, "/do-not-call/export.csv")
    assert "'=письмо" in table
    assert ";irina;ошибка" in table


async def test_words_in_an_address_are_ours_or_are_not_shown(client: Client, parts: Parts) -> None:
    await sign_in(client, parts, Role.OPS)
    assert "call me" not in await page(client, "/do-not-call?done=call%20me&wrong=call%20me")
