"""Tokens of programs: good for what they were made for, as long as they were."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import select

from bot.accounts.tokens import ApiTokens, Scope
from bot.core.clock import ManualClock
from bot.core.errors import BadInput
from bot.store.database import Database
from bot.store.tables_delivery import ApiTokenRow


@pytest.fixture
def tokens(db: Database, clock: ManualClock) -> ApiTokens:
    return ApiTokens(db, clock)


async def test_only_its_hash_is_kept(tokens: ApiTokens, db: Database) -> None:
    made, token = await tokens.add("crm", [Scope.CALLS])
    async with db.read() as session:
        row = (await session.exec(select(ApiTokenRow))).one()
    assert token not in row.model_dump_json()
    assert token not in repr(made)
    assert (await tokens.find(token)) == made
    for wrong in ("", token[:-1], token.upper(), row.id, token + "x" * 200):
        assert await tokens.find(wrong) is None


async def test_that_it_is_used_is_remembered_by_the_minute(tokens: ApiTokens, clock: ManualClock) -> None:
    _, token = await tokens.add("crm", [Scope.CALLS])
    first = clock.now()
    for seconds, used in ((0, first), (30, first), (31, first + timedelta(seconds=61))):
        clock.advance(seconds)
        await tokens.find(token)
        [shown] = await tokens.list()
        assert shown.used_at == used


async def test_it_ends_by_its_time_or_by_hand(tokens: ApiTokens, clock: ManualClock) -> None:
    _, short = await tokens.add("short", [Scope.CALLS], expires_at=clock.now() + timedelta(hours=1))
    _, long = await tokens.add("long", [Scope.CALLS, Scope.ANNOUNCEMENTS])
    clock.advance(3600)
    assert await tokens.find(short) is None
    await tokens.revoke("long")
    assert await tokens.find(long) is None
    with pytest.raises(BadInput):
        await tokens.revoke("long")
    _, again = await tokens.add("long", [Scope.CALLS])
    assert await tokens.find(long) is None
    assert (await tokens.find(again)) is not None
    assert [token.name for token in await tokens.list()] == ["long", "short"]
