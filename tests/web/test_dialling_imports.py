"""Contacts from a file, in the browser: looked at, mapped, checked, imported, corrected, sent again."""

from __future__ import annotations

import asyncio
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from aiohttp.test_utils import TestServer
from pytest_aiohttp import AiohttpClient
from sqlmodel import col, select

from bot.accounts.roles import Role
from bot.campaigns.importing.apart import open_apart
from bot.campaigns.importing.csv_file import open_csv
from bot.core.errors import BadInput
from bot.store import contacts, do_not_call, imports
from bot.store.contacts import Search
from bot.store.tables import Contact
from bot.web.dialling.uploads import MOST, UPLOADS, Upload, Uploads, safe_name
from bot.web.parts import Parts
from bot.web.server import make_app
from tests.campaigns.spreadsheet import write_xlsx
from tests.web.conftest import HTML, Client, csrf_of, sign_in
from tests.web.test_dialling_contacts import page, post

BAD_ROWS = """Абонент;Имя;Регион
+7 916 123-45-67;Анна;Омская область
7,91612E+10;Борис;Москва
8 926 111-22-33;Олег;Москва
""".encode("cp1251")


async def send(
    client: Client,
    csrf: str,
    content: bytes,
    name: str = "clients.csv",
    where: str = "/contacts/imports",
    **more: str,
) -> tuple[int, str, str]:
    """Status, the page after it, and its path."""
    form = aiohttp.FormData()
    for field, value in {"csrf": csrf, **more}.items():
        form.add_field(field, value)
    form.add_field("file", content, filename=name, content_type="text/csv")
    async with client.post(where, data=form, headers=HTML) as reply:
        return reply.status, await reply.text(), reply.url.path


async def finished(client: Client, path: str) -> str:
    """The page when nothing is being done any more."""
    async with asyncio.timeout(20):
        await uploads_of(client).settled()
    return await page(client, path)


def uploads_of(client: Client) -> Uploads:
    server = client.server
    assert isinstance(server, TestServer)
    return server.app[UPLOADS]


async def test_a_file_with_bad_rows_is_mapped_imported_corrected_and_sent_again(
    client: Client, parts: Parts
) -> None:
    await sign_in(client, parts, Role.OPS)
    assert "Ничего ещё не загружали" in await page(client, "/contacts/imports")
    csrf = await csrf_of(client, "/contacts/imports")
    status, text, path = await send(client, csrf, BAD_ROWS)
    assert status == 200
    for shown in ("windows-1251", "строк: 3", "непонятно, в каком столбце телефон", "7,91612E+10"):
        assert shown in text, shown
    status, text = await post(client, path, csrf, act="import")
    assert status == 400  # still no telephone
    await post(client, path, csrf, act="check", **{"column-0": "phone"})
    text = await finished(client, path)
    assert "Проверка, ничего не записано." in text
    assert "новых 2" in text
    assert await contacts.count(parts.db, Search()) == 0
    await post(client, path, csrf, act="import", **{"column-0": "phone"})
    text = await finished(client, path)
    assert "Загружено." in text
    assert "отказано 1" in text
    refused = (await page(client, f"{path}/refused.csv")).removeprefix("\ufeff")
    head, bad, *others = refused.splitlines()
    assert (head, others) == ("Абонент;Имя;Регион;причина", [])
    assert "строка 3" in bad
    corrected = refused.replace("7,91612E+10", "+7 495 123-45-67").encode()
    _, text, path = await send(client, csrf, corrected, "clients.refused.csv")
    assert "Столбцы названы раньше" in text
    assert "непонятно" not in text
    await post(client, path, csrf, act="import")
    assert "новых 1" in await finished(client, path)
    async with parts.db.read() as session:
        rows = (await session.exec(select(Contact).order_by(col(Contact.first_name)))).all()
    assert [(row.first_name, row.phone, row.tz) for row in rows] == [
        ("Анна", "79161234567", "Asia/Omsk"),
        ("Борис", "74951234567", "Europe/Moscow"),
        ("Олег", "79261112233", "Europe/Moscow"),
    ]
    done = await imports.imports(parts.db)
    assert [(row.file, row.by, row.added) for row in done] == [
        ("clients.refused.csv", "irina", 1),
        ("clients.csv", "irina", 2),
    ]
    (mapping,) = await imports.mappings(parts.db)
    status, _ = await post(client, f"/contacts/mappings/{mapping.headings}", csrf)
    assert (status, list(await imports.mappings(parts.db))) == (303, [])


async def test_a_spreadsheet_and_a_list_of_numbers(client: Client, parts: Parts, tmp_path: Path) -> None:
    book = tmp_path / "list.xlsx"
    write_xlsx(book, [["Стоп-номера"], ["+79161234567"], [79261112233.0], ["нет"]])
    await sign_in(client, parts, Role.ADMIN)
    csrf = await csrf_of(client, "/do-not-call")
    _, text, path = await send(
        client, csrf, book.read_bytes(), book.name, "/do-not-call/imports", list="СТОП"
    )
    assert "лист «Клиенты»" in text
    await post(client, path, csrf, act="import")
    text = await finished(client, path)
    assert "новых номеров 2, отказано 1" in text
    assert await do_not_call.sources(parts.db) == [("list:СТОП", 2)]
    status, text = await post(client, "/do-not-call/remove-list", csrf, list="list:СТОП", reason="не тот")
    assert "Снято запретов: 2." in text
    status, _ = await post(client, path, csrf, act="forget")
    assert status == 303
    await page(client, path, 404)


async def test_what_cannot_be_read_is_told_on_the_form_and_not_kept(client: Client, parts: Parts) -> None:
    await sign_in(client, parts, Role.OPS)
    csrf = await csrf_of(client, "/contacts/imports")
    uploads = uploads_of(client)
    for content, name, why in (
        (b"", "empty.csv", "empty.csv пуст"),
        (b'a;b\n"open;1\nx;y\n', "quote.csv", "кавычки открыты"),
        (b"PK\x03\x04 no archive", "broken.xlsx", "таблица не читается"),
    ):
        status, text, _ = await send(client, csrf, content, name)
        assert (status, why in text) == (400, True), text
        assert str(uploads.folder) not in text
    assert uploads.all("contacts") == []
    assert list(uploads.folder.iterdir()) == []
    async with client.post("/contacts/imports", data={"csrf": csrf}, headers=HTML) as reply:
        assert reply.status == 400


async def test_nothing_is_taken_without_the_sessions_token_or_beyond_the_limit(
    parts: Parts, aiohttp_client: AiohttpClient
) -> None:
    small = replace(parts, settings=replace(parts.settings, largest_upload=300_000))
    client: Client = await aiohttp_client(TestServer(make_app(small)))
    await sign_in(client, small, Role.OPS)
    csrf = await csrf_of(client, "/contacts/imports")
    uploads = uploads_of(client)
    for wrong in ("", "0" * 64):
        assert (await send(client, wrong, BAD_ROWS))[0] == 403
    assert (await send(client, csrf, b"\xd1\x82" * 200_000))[0] == 413
    assert list(uploads.folder.iterdir()) == []
    rows = b"phone;name\n" + b"".join(b"+7916%07d;A\n" % number for number in range(18_000))
    assert 256 * 1024 < len(rows) < 300_000  # more than any other page takes
    assert (await send(client, csrf, rows))[0] == 200


async def test_an_archive_that_unpacks_into_gigabytes_kills_only_its_reader(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.xlsx"
    write_xlsx(bomb, [["Телефон"]])
    with zipfile.ZipFile(bomb, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/zeros", bytes(2**10))
        archive.getinfo("xl/media/zeros").file_size = 2**31
    with pytest.raises(BadInput, match="слишком велика"):
        await open_apart(bomb)
    silent = tmp_path / "silent.xlsx"  # says nothing of itself, and does not fit
    write_xlsx(silent, [["Телефон"], *(["0" * 4000] for _ in range(10_000))])
    with pytest.raises(BadInput, match="слишком велика"):
        await open_apart(silent, memory=48 * 2**20)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("clients.csv", "clients.csv"),
        ("C:\\docs\\клиенты март.xlsx", "клиенты март.xlsx"),
        ("../../etc/passwd", "passwd"),
        ("..", "upload.csv"),
        ("a\x00b\n.csv", "ab.csv"),
        ("x" * 300 + ".csv", "x" * 60 + ".csv"),
    ],
)
def test_a_files_name_is_only_a_name(sent: str, kept: str) -> None:
    assert safe_name(sent) == kept


async def test_uploads_are_kept_for_a_day_and_not_beyond_a_restart(tmp_path: Path) -> None:
    folder = tmp_path / "uploads"
    (folder / "old").mkdir(parents=True)
    (folder / "old" / "clients.csv").write_text("phone\n")
    uploads = Uploads(folder)
    uploads.open()
    assert list(folder.iterdir()) == []
    assert folder.stat().st_mode & 0o777 == 0o700
    now = datetime(2026, 3, 2, tzinfo=UTC)

    def sent(name: str, at: datetime) -> Upload:
        file = uploads.place("clients.csv")
        file.write_text("phone\n+79161234567\n")
        upload = Upload(name, "contacts", file, open_csv(file), "irina", at)
        uploads.add(upload, at)
        return upload

    first = sent("first", now)
    for number in range(MOST):
        last = sent(f"{number}", now + timedelta(hours=1))
    assert len(uploads.all("contacts")) == MOST
    assert not first.file.exists()
    sent("next day", now + timedelta(hours=26))
    assert [each.id for each in uploads.all("contacts")] == ["next day"]
    assert not last.file.exists()
    await uploads.close()
    assert not folder.exists()
