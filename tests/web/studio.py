"""What the tests of surveys in the console share: a node that checks, a published survey, forms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from sqlmodel import col, select

from bot.accounts.roles import Role
from bot.core.clock import ManualClock
from bot.draft_process import check, compare
from bot.settings import PROJECT
from bot.store import drafts, queries
from bot.store.account_tables import AuditRow
from bot.store.database import Database
from bot.surveys.lint import NO_TOOLS
from bot.surveys.loader import load_survey, to_json
from bot.web.parts import Parts
from tests.published import publish
from tests.web.conftest import HTML, Client, Orders, csrf_of, sign_in

NPS = PROJECT / "survey_defs" / "nps.yaml"
TALK: dict[str, Any] = {
    "talk_id": "call-1",
    "survey_id": "nps",
    "lines": [
        {"kind": "said", "text": "Оцените <b>нас</b>", "sound": 0},
        {"kind": "caller", "text": "пять", "sound": None},
        {"kind": "stored", "text": "nps = 5", "sound": None},
    ],
    "keypad": {"layout": "list", "keys": [{"keys": "1", "label": "Да", "word": ""}], "at_most": None},
    "handing_over": False,
    "disposition": None,
    "answers": [{"question": "nps", "kind": "nps", "value": "5", "status": "answered", "heard": "пять"}],
    "signals": [],
    "matters": [],
}


class Node(Orders):
    """Checks and compares as the node does, without a process; the rest is noted."""

    async def __call__(self, do: str, **params: Any) -> dict[str, Any]:
        answer = await super().__call__(do, **params)
        match do:
            case "survey_check":
                return check(params["text"], NPS.parent, NO_TOOLS)
            case "survey_compare":
                return compare(**params)
            case "survey_progress":
                return answer or {"publication": None}
        return answer


@pytest.fixture
def control() -> Orders:
    return Node()


@pytest.fixture
async def nps(parts: Parts, clock: ManualClock) -> str:
    """The shipped survey, published from its file; its hash."""
    survey = load_survey(NPS)
    digest = publish(parts.published, survey)
    await queries.publish_survey(
        parts.db,
        hash_=digest,
        survey_id="nps",
        version=str(survey.version),
        title=survey.title,
        json=to_json(survey),
        now=clock.now(),
    )
    await drafts.keep_source(parts.db, digest, NPS.read_text("utf-8"))
    await drafts.released(parts.db, "nps", digest, kind="file", login="", now=clock.now())
    return digest


@pytest.fixture
async def ops(client: Client, parts: Parts) -> str:
    """Signed in as ops; the token of his forms."""
    await sign_in(client, parts, Role.OPS, login="oleg")
    return await csrf_of(client, "/surveys")


async def page(client: Client, path: str, status: int = 200) -> str:
    async with client.get(path, headers=HTML) as reply:
        assert reply.status == status, await reply.text()
        return await reply.text()


async def send(
    client: Client, path: str, csrf: str, status: int = 303, **form: Any
) -> tuple[str, Mapping[str, str]]:
    """A form; its answer and the answer's headers."""
    async with client.post(path, data={"csrf": csrf, **form}, headers=HTML, allow_redirects=False) as reply:
        assert reply.status == status, await reply.text()
        return await reply.text(), reply.headers


async def save(client: Client, csrf: str, text: str, revision: int) -> tuple[int, dict[str, Any]]:
    async with client.post(
        "/surveys/nps/save", json={"text": text, "revision": revision}, headers={"X-CSRF-Token": csrf}
    ) as reply:
        return reply.status, await reply.json()


async def audited(db: Database) -> list[tuple[str, str, str]]:
    changes = select(AuditRow).where(col(AuditRow.subject) == "survey")
    async with db.read() as session:
        rows = (await session.exec(changes)).all()
    return sorted((row.login, row.action, row.subject_id) for row in rows)


async def begun(client: Client, csrf: str, digest: str) -> str:
    """The text of a draft of the published version."""
    await send(client, "/surveys/nps/begin", csrf, 303, **{"from": digest})
    async with client.get("/surveys/nps/draft.yaml") as reply:
        assert reply.headers["Content-Disposition"] == 'attachment; filename="nps-draft.yaml"'
        return await reply.text()
