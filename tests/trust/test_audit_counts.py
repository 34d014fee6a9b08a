"""What takes a protection off people says in the audit log how many rows it changed, on the pages as at the
command line: consents withdrawn, numbers that may be rung again. What changed nothing has no line."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select

from bot.accounts.roles import Role
from bot.store import consents, do_not_call
from bot.store.account_tables import AuditRow
from bot.store.consents import NewConsent
from bot.store.database import Database
from bot.store.tables import Contact, DoNotCall
from bot.store.tables_contacts import ConsentKind, ConsentRow
from bot.web.parts import Parts
from tests.databases import database_at
from tests.privacy.test_commands import put, run
from tests.store.talk import START
from tests.web.conftest import HTML, Client, csrf_of, sign_in
from tests.web.conftest import client as client
from tests.web.conftest import clock as clock
from tests.web.conftest import control as control
from tests.web.conftest import parts as parts
from tests.web.conftest import worker as worker

ANNA, BORIS, CARL, DINA, EVA = (f"7900123450{n}" for n in range(5))
LISTED = {"list": "rkn"}

TAKEN_OFF: list[tuple[str, str, dict[str, Any]]] = [
    ("withdraw consent", "c-anna", {"count": 2}),
    ("remove", DINA, {"count": 1, "contacts": 1}),
    ("remove", EVA, {"count": 0, "contacts": 1}),  # his own wish alone: he stands on no list
    ("remove list", "rkn", {"count": 3, "contacts": 2}),
]
"""Actions, what they are done to, and what their lines say was changed."""


async def fill(db: Database) -> None:
    """Anna has two consents of a kind that stand, one that was withdrawn, and one of another kind. Three
    numbers are on a list, two of them of contacts."""
    names = {"anna": ANNA, "boris": BORIS, "dina": DINA, "eva": EVA}
    async with db.write() as session:
        for name, phone in names.items():
            wish = START if name == "eva" else None
            session.add(
                Contact(
                    id=f"c-{name}", phone=phone, phone_uri=f"tel:+{phone}", created_at=START,
                    do_not_call_at=wish,
                )
            )  # fmt: skip
    for hours, kind in enumerate((ConsentKind.CALLS, ConsentKind.CALLS, ConsentKind.CALLS, ConsentKind.DATA)):
        given = NewConsent(kind, START - timedelta(days=9 - hours), "анкета")
        await consents.give(db, "c-anna", given, by="oleg", now=START)
        if not hours:
            await consents.withdraw(db, "c-anna", kind, words="", by="oleg", now=START)
    await do_not_call.add(db, [ANNA, BORIS, CARL], source="list:rkn", words="", by="oleg", now=START)
    await do_not_call.add(db, [DINA], source="hand", words="просила", by="oleg", now=START)


async def changed(db: Database) -> tuple[list[str], int, int]:
    """Who is never rung, how many contacts may not be, how many consents stand."""
    async with db.read() as session:
        listed = sorted((await session.exec(select(DoNotCall.phone))).all())
        wished = await session.exec(select(Contact.id).where(col(Contact.do_not_call_at).is_not(None)))
        stand = await session.exec(select(ConsentRow.id).where(col(ConsentRow.withdrawn_at).is_(None)))
        return listed, len(wished.all()), len(stand.all())


async def lines(db: Database) -> list[tuple[str, str, dict[str, Any]]]:
    """Of what takes something off: what was done to what, and the counts that it tells."""
    actions = {action for action, _, _ in TAKEN_OFF}
    async with db.read() as session:
        rows = (await session.exec(select(AuditRow).where(col(AuditRow.action).in_(actions)))).all()
    told: list[tuple[str, str, dict[str, Any]]] = [
        (
            row.action,
            row.subject_id,
            {name: row.details[name] for name in ("count", "contacts") if name in row.details},
        )
        for row in rows
    ]
    return sorted(told, key=str)


async def test_pages_say_how_many_rows_they_changed(client: Client, parts: Parts) -> None:
    await fill(parts.db)
    await sign_in(client, parts, Role.OPS)
    csrf = await csrf_of(client, "/contacts/c-anna")
    orders = (
        ("/contacts/c-anna/withdrawals", {"kind": "calls", "words": "не хочу"}),
        ("/do-not-call/remove", {"phone": DINA, "reason": "ошибка"}),
        ("/do-not-call/remove", {"phone": EVA, "reason": "передумал"}),
        ("/do-not-call/remove-list", {**LISTED, "reason": "не тот файл"}),
    )
    for status in (303, 400):  # once more, there is nothing to change
        for path, form in orders:
            data = {"csrf": csrf, **form}
            async with client.post(path, data=data, headers=HTML, allow_redirects=False) as reply:
                assert reply.status == status, path
        assert await lines(parts.db) == sorted(TAKEN_OFF, key=str)
        assert await changed(parts.db) == ([], 0, 1)


def test_commands_say_how_many_rows_they_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "var" / "otklik.sqlite"

    async def begin() -> None:
        async with database_at(file) as db:
            await fill(db)

    async def end() -> tuple[Any, Any]:
        async with database_at(file) as db:
            return await lines(db), await changed(db)

    asyncio.run(begin())
    put(tmp_path / "var", monkeypatch)
    monkeypatch.chdir(tmp_path)
    for status in (0, 2):  # once more, there is nothing to change
        for command in (
            ("consent", "withdraw", "c-anna", "--words", "не хочу"),
            ("dnc", "remove", DINA, "--reason", "ошибка"),
            ("dnc", "remove", EVA, "--reason", "передумал"),
            ("dnc", "remove", "--list", "rkn", "--reason", "не тот файл"),
        ):
            assert run(*command) == status, command
        assert asyncio.run(end()) == (sorted(TAKEN_OFF, key=str), ([], 0, 1))


def test_an_import_by_command_has_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As one on the pages has; a look at what an import would do has none."""
    file = tmp_path / "var" / "otklik.sqlite"

    async def told() -> list[tuple[str, str, str, dict[str, Any]]]:
        async with database_at(file) as db, db.read() as session:
            rows = (await session.exec(select(AuditRow).order_by(col(AuditRow.at)))).all()
        return [(row.action, row.subject, row.subject_id, row.details) for row in rows]

    put(tmp_path / "var", monkeypatch)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "never.csv").write_text(f"phone\n+{ANNA}\n+{BORIS}\n", encoding="utf-8")
    (tmp_path / "people.csv").write_text(f"id,phone\nc-1,+{DINA}\n", encoding="utf-8")
    assert run("contact", "import", "people.csv", "--check") == 0
    assert asyncio.run(told()) == []
    assert run("dnc", "import", "never.csv", "--list", "rkn") == 0
    assert run("contact", "import", "people.csv") == 0
    assert asyncio.run(told()) == [
        ("import", "numbers", "never.csv", {"rows": 2, "list": "rkn"}),
        ("import", "contacts", "people.csv", {"rows": 1, "keep": False}),
    ]
