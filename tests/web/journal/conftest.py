"""Three calls in the journal, and what its tests ask of a page."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestServer
from pytest_aiohttp import AiohttpClient
from sqlmodel import col, select

from bot.store.account_tables import AuditRow
from bot.web.parts import Parts
from bot.web.server import make_app
from tests.web.calls import record, store, talk
from tests.web.conftest import Client


@pytest.fixture
async def client(parts: Parts, aiohttp_client: AiohttpClient, tmp_path: Path) -> Client:
    """With three calls: the second one is recorded, and the third one goes on."""
    record(tmp_path / "recordings", "call-1")
    calls = [talk("call-0", 0, score=9), talk("call-1", 1), talk("call-2", 2, score=5, ended=False)]
    await store(parts.db, tmp_path / "spool", calls)
    settings = replace(parts.settings, recordings=tmp_path / "recordings", recording_keys=tmp_path / "keys")
    return await aiohttp_client(TestServer(make_app(replace(parts, settings=settings))))


def found(text: str) -> list[str]:
    """The calls of the journal's page, as they stand."""
    return re.findall(r'href="/calls/(call-\d)"', text)


async def audit(parts: Parts, action: str) -> list[tuple[str, str, dict[str, Any]]]:
    statement = select(AuditRow).where(col(AuditRow.action) == action).order_by(col(AuditRow.at))
    async with parts.db.read() as session:
        return [(row.subject, row.subject_id, row.details) for row in (await session.exec(statement)).all()]
