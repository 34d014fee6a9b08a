"""What customers said and people wrote is text on every page that shows it: scripts stored in names, answers,
notes, reasons, titles and texts of surveys are shown as they were written, and never run."""

from __future__ import annotations

from pathlib import Path

from aiohttp import ClientSession
from sqlalchemy import String, table, text, update
from sqlalchemy import column as a_column

from bot.store.database import Database
from bot.store.tables_notes import CallNoteRow
from bot.web.who import COOKIE
from tests.store.talk import START
from tests.web.conftest import HTML
from tests.web.filled import IMPORT, PAGES, filled

COLUMNS = (
    "accounts.name",
    "agents.name",
    "audit_log.address",
    "audit_log.subject_id",
    "call_notes.text",
    "callbacks.when_said",
    "campaigns.title",
    "case_history.text",
    "cases.words",
    "contacts.city",
    "contacts.first_name",
    "contacts.last_name",
    "contacts.middle_name",
    "contacts.region",
    "departments.name",
    "do_not_call.by",
    "do_not_call.words",
    "notices.error",
    "report_schedules.name",
    "sessions.browser",
    "survey_drafts.text",
    "surveys.title",
    "transcripts.text",
)
"""Free text, by whoever wrote or said it; each is seen on some page."""

SAID = "очень долго ждала"
"""Words of a caller that stand in the events of her call."""


async def plant(db: Database) -> dict[str, str]:
    """Behind each text stands a script with a number of its own; by column, what must never be in a page."""
    everywhere = enumerate((*COLUMNS, "call_events.json"), 700)
    planted = {column: f"<script>alert({n})</script>" for n, column in everywhere}
    async with db.write() as session:
        session.add(
            CallNoteRow(id="note-1", call_id="call-1", agent_id="anna", outcome="solved", text="-", at=START)
        )
        await session.flush()
        plainly = await session.connection()
        for column in COLUMNS:
            of, _, name = column.partition(".")
            held = table(of, a_column(name, String))
            await plainly.execute(update(held).values({name: held.c[name] + planted[column]}))
        said = {"said": SAID, "mark": SAID + planted["call_events.json"]}
        await plainly.execute(text("UPDATE call_events SET json = replace(json, :said, :mark)"), said)
    return planted


async def test_scripts_that_were_stored_are_text_on_every_page(tmp_path: Path) -> None:
    async with filled(tmp_path) as (parts, address):
        account = await parts.accounts.named("irina")
        assert account is not None
        token = await parts.sessions.begin(account, "127.0.0.1", "Mozilla/5.0")
        planted = await plant(parts.db)
        run: set[tuple[str, str]] = set()
        unseen = dict(planted)
        async with ClientSession(address, headers=HTML, cookies={COOKIE: token}) as visitor:
            for page in PAGES:
                if page.path == IMPORT:
                    continue
                async with visitor.get(page.path) as reply:
                    shown = await reply.text()
                    assert reply.status == 200, (page.name, shown)
                run |= {(page.name, column) for column, mark in planted.items() if mark in shown}
                for column, mark in tuple(unseen.items()):
                    if mark.replace("<", "&lt;").replace(">", "&gt;") in shown:
                        del unseen[column]
        assert run == set()
        assert unseen == {}, "each was looked at on a page"
