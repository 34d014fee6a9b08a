"""One person's erasure from the console: a look, the order, a break, the certificate."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestServer
from pytest_aiohttp import AiohttpClient
from sqlmodel import col, select

from bot.accounts.roles import Role
from bot.core.errors import StoreUnavailable
from bot.privacy.certificate import canonical
from bot.store.account_tables import AuditRow
from bot.store.tables import Attempt
from bot.store.tables_privacy import ErasureRow, ErasureState
from bot.web.admin import erasing
from bot.web.admin.erasing import ERASURES
from bot.web.parts import Parts
from bot.web.server import make_app
from bot.web.who import OWN
from tests.privacy.marked import MARKS, PHONE, Place, fill
from tests.web.conftest import HTML, Client, csrf_of, sign_in

PAGE = "/admin/erasure"
NUMBER = f"+{PHONE}"
ORDER = {"phone": NUMBER, "reason": "заявление № 5", "sure": "1"}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "var")


@pytest.fixture(autouse=True)
def answered_when_it_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasing, "AT_ONCE_S", 60.0)


@pytest.fixture
async def parts(parts: Parts, place: Place) -> Parts:
    await fill(parts.db, place)
    settings = replace(parts.settings, recordings=place.recordings, spool=place.spool)
    return replace(parts, settings=settings)


@pytest.fixture
async def client(client: Client, parts: Parts) -> Client:
    await sign_in(client, parts, Role.ADMIN, "vera")
    return client


async def send(client: Client, path: str, **form: str) -> tuple[int, str, str]:
    """Status, page, and where one is led."""
    form["csrf"] = await csrf_of(client, OWN)
    async with client.post(path, data=form, headers=HTML, allow_redirects=False) as reply:
        return reply.status, await reply.text(), reply.headers.get("Location", "")


async def get(client: Client, path: str, **headers: str) -> str:
    async with client.get(path, headers=HTML | headers) as reply:
        assert reply.status == 200
        return await reply.text()


async def erasure(parts: Parts) -> ErasureRow | None:
    async with parts.db.read() as session:
        return (await session.exec(select(ErasureRow))).one_or_none()


async def audited(parts: Parts) -> list[AuditRow]:
    """The lines of this administrator, but that he signed in."""
    mine = select(AuditRow).where(col(AuditRow.login) == "vera", col(AuditRow.action) != "sign_in")
    async with parts.db.read() as session:
        return list((await session.exec(mine.order_by(col(AuditRow.at), col(AuditRow.id)))).all())


async def test_he_is_looked_up_erased_and_certified(client: Client, parts: Parts, place: Place) -> None:
    assert "Никого ещё не удаляли" in await get(client, PAGE)
    status, page, _ = await send(client, PAGE, phone="8 (903) 111-22-33")
    assert status == 200
    assert re.search(r"звонки обезличены</td>\s*<td>2<", page)
    assert (place.recordings / "call-mine.wav").exists()
    assert await erasure(parts) is None, "a look changes nothing"
    for missing, said in (("reason", "на каком основании"), ("sure", "вернуть нельзя")):
        status, page, _ = await send(client, PAGE + "/begin", **{**ORDER, missing: ""})
        assert (status, said in page) == (400, True)
    assert await erasure(parts) is None
    status, _, where = await send(client, PAGE + "/begin", **ORDER)
    row = await erasure(parts)
    assert row is not None
    assert row.state == ErasureState.DONE
    assert (status, where, row.by) == (303, f"{PAGE}/{row.id}", "vera")
    assert not (place.recordings / "call-mine.wav").exists()

    page = await get(client, where)
    assert row.certificate in page
    assert not [mark for mark in MARKS if mark in page], "the certificate says nothing of him but two digits"
    told = json.loads(await get(client, where + "/certificate.json"))
    assert (told["number"], told["reason"], told["left"]) == ("…33", "заявление № 5", {})
    sha = told.pop("sha256")
    assert sha == row.certificate
    assert sha in await get(client, where + "/certificate.md")
    assert json.loads(canonical(told)) == told
    assert row.id in await get(client, PAGE)

    lines = [(line.action, line.subject, line.subject_id) for line in await audited(parts)]
    assert sorted(line for line in lines if line[0] != "view") == [  # the clock stands
        ("erase", "person", row.id),
        ("export", "certificate", row.id),
        ("export", "certificate", row.id),
    ]
    assert ("view", "person", "…33") in lines
    assert PHONE not in str([(line.subject_id, line.details) for line in await audited(parts)])

    assert (await send(client, PAGE, phone=NUMBER))[2] == where, "asked for again, it is the same certificate"
    assert (await send(client, PAGE + "/begin", **ORDER))[2] == where
    assert json.loads(await get(client, where + "/certificate.json"))["sha256"] == sha


@pytest.mark.parametrize(
    ("phone", "said"), [("", "номер"), ("<b>x</b>", "&lt;b&gt;"), ("+79990001122", "ничего не хранится")]
)
async def test_a_number_that_will_not_do_is_asked_for_again(client: Client, phone: str, said: str) -> None:
    for path in (PAGE, PAGE + "/begin"):
        status, page, _ = await send(client, path, **{**ORDER, "phone": phone})
        assert (status, said in page, "<b>x" in page) == (400, True, False)


async def test_nobody_is_erased_while_he_talks(client: Client, parts: Parts) -> None:
    async with parts.db.write() as session:
        session.add(
            Attempt(
                id="attempt-now", survey_id="nps", survey_hash="hash-1", direction="outbound",
                to_uri=f"tel:{NUMBER}", phone=PHONE, status="live", created_at=parts.clock.now(),
            )
        )  # fmt: skip
    for path in (PAGE, PAGE + "/begin"):
        status, page, _ = await send(client, path, **ORDER)
        assert (status, "сейчас говорят" in page) == (400, True)
    assert await erasure(parts) is None


async def test_what_broke_off_says_so_and_goes_on_by_the_number(
    parts: Parts, aiohttp_client: AiohttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database is away after half of his calls; then another process takes it up."""
    monkeypatch.setattr("bot.privacy.erasure.BATCH", 1)
    first: Client = await aiohttp_client(TestServer(app := make_app(parts)))
    await sign_in(first, parts, Role.ADMIN, "vera")
    files = app[ERASURES].eraser._files
    whole, calls = files.erase, 0

    async def away_at_the_second(*args: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise StoreUnavailable("базы нет", hint="скоро будет")
        return await whole(*args)

    monkeypatch.setattr(files, "erase", away_at_the_second)
    _, _, where = await send(first, PAGE + "/begin", **ORDER)
    assert "базы нет: скоро будет" in await get(first, where)
    assert "не закончено" in await get(first, PAGE)
    async with first.get(where + "/certificate.md", headers=HTML) as reply:
        assert reply.status == 404

    second: Client = await aiohttp_client(TestServer(make_app(parts)))
    await sign_in(second, parts, Role.ADMIN, "oleg.b")
    assert "Введите номер ещё раз" in await get(second, where)
    _, page, _ = await send(second, PAGE, phone=NUMBER)
    assert "начато и оборвалось" in page
    assert "заявление № 5" in page
    assert (await send(second, PAGE + "/begin", **ORDER))[2] == where
    assert "Скачать справку" in await get(second, where)


async def test_a_long_one_has_its_page_and_is_not_begun_twice(
    parts: Parts, aiohttp_client: AiohttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasing, "AT_ONCE_S", 0.0)
    client: Client = await aiohttp_client(TestServer(app := make_app(parts)))
    await sign_in(client, parts, Role.ADMIN, "vera")
    files, on, begun = app[ERASURES].eraser._files, asyncio.Event(), 0
    whole = files.erase

    async def slowly(*args: Any) -> Any:
        nonlocal begun
        begun += 1
        await on.wait()
        return await whole(*args)

    monkeypatch.setattr(files, "erase", slowly)
    _, _, where = await send(client, PAGE + "/begin", **ORDER)
    assert (await send(client, PAGE + "/begin", **ORDER))[2] == where
    part = await get(client, where, **{"HX-Request": "true"})
    assert "Удаляется" in part
    assert "<html" not in part
    assert begun == 1
    on.set()
    going = app[ERASURES].find(where.rpartition("/")[2])
    assert going is not None
    assert going.task is not None
    await going.task
    async with client.get(where, headers={"HX-Request": "true"}) as reply:
        assert reply.headers["HX-Refresh"] == "true"
    assert "Скачать справку" in await get(client, where)
