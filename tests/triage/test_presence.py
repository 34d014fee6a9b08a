"""The presence board: in the process and in a real Redis, the same tests."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import pytest

from bot.core.clock import SystemClock
from bot.core.errors import SettingsInvalid, Unavailable
from bot.triage.directory import Presence, PresenceState
from bot.triage.presence import LocalBoard, Place, PresenceBoard, PresenceSettings
from bot.triage.presence_redis import RedisBoard
from tests.redis_server import RedisServer

Open = Callable[..., PresenceBoard]
SHORT_S = 0.3


@pytest.fixture(params=["local", "redis"])
async def open_board(request: pytest.FixtureRequest) -> AsyncIterator[Open]:
    """Makes boards of one kind; in Redis they share what is shared."""
    async with AsyncExitStack() as stack:
        prefix = f"t{secrets.token_hex(4)}"

        def make(node: str = "node", ttl_s: float = 60.0) -> PresenceBoard:
            settings = PresenceSettings(node=node, ttl_s=ttl_s, prefix=prefix)
            board: PresenceBoard
            if request.param == "local":
                board = LocalBoard(settings, SystemClock())
            else:
                board = RedisBoard.open(request.getfixturevalue("redis_server").url, settings)
            stack.push_async_callback(board.close)
            return board

        yield make


def place(call: str, agent: str = "anna", limit: int = 1, bound: int | None = None) -> Place:
    return Place(call, agent, limit, "support", bound)


async def until(holds: Callable[[], object]) -> None:
    """Polled: what runs out says nothing when it does."""
    deadline = time.monotonic() + 10
    while not await holds():  # type: ignore[misc]
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


async def test_what_agents_say_and_whose_desk_is_open(open_board: Open) -> None:
    board = open_board()
    assert await board.presences() == {}
    await board.choose("anna", PresenceState.BUSY)
    await board.desk_seen("anna")
    await board.desk_seen("boris")
    assert await board.presences() == {
        "anna": Presence(PresenceState.BUSY, desk=True),
        "boris": Presence(None, desk=True),
    }
    await board.choose("anna", None)
    await board.desk_gone("anna")
    await board.desk_gone("anna")
    assert await board.presences() == {"boris": Presence(None, desk=True)}


async def test_a_desk_that_is_heard_of_no_more_is_closed(open_board: Open) -> None:
    board = open_board(ttl_s=SHORT_S)
    await board.desk_seen("anna")

    async def closed() -> bool:
        return "anna" not in await board.presences()

    assert not await closed()
    await until(closed)


async def test_places_are_taken_up_to_the_limit_and_given_back(open_board: Open) -> None:
    board = open_board()
    assert await board.claim(place("call-1", limit=2))
    assert await board.claim(place("call-1", limit=2)), "twice for one call is once"
    assert await board.claim(place("call-2", limit=2))
    assert not await board.claim(place("call-3", limit=2))
    assert await board.claim(place("call-3", "boris"))
    assert await board.live() == {"anna": 2, "boris": 1}
    await board.release("call-1", "anna")
    await board.release("call-1", "anna")
    assert await board.claim(place("call-4", limit=2))
    assert not await board.claim(place("call-5", limit=0))


async def test_a_departments_places_are_counted_together(open_board: Open) -> None:
    board = open_board()
    assert await board.claim(place("call-1", "anna", 5, bound=2))
    assert await board.claim(place("call-2", "boris", 5, bound=2))
    assert not await board.claim(place("call-3", "carl", 5, bound=2))
    assert await board.claim(Place("call-3", "dora", 5, "sales", 1)), "another department"
    await board.release("call-1", "anna")
    assert await board.claim(place("call-3", "carl", 5, bound=2))


async def test_of_many_who_claim_the_last_place_one_has_it(open_board: Open) -> None:
    board = open_board()
    won = await asyncio.gather(*(board.claim(place(f"call-{n}")) for n in range(20)))
    assert sum(won) == 1


async def test_a_claim_holds_only_while_it_is_renewed(open_board: Open) -> None:
    board = open_board(ttl_s=SHORT_S)
    await board.claim(place("call-live"))
    await board.claim(place("call-dead", "boris"))

    async def boris_free() -> bool:
        await board.renew({"call-live"})
        return "boris" not in await board.live()

    await until(boris_free)
    assert await board.live() == {"anna": 1}, "renewed all the while"

    async def anna_free() -> bool:
        await board.renew(())
        return await board.claim(place("call-next"))

    await until(anna_free)
    await board.renew({"call-live"})
    assert await board.live() == {"anna": 1}, "what has run out is not brought back"


async def test_nodes_share_claims_and_words_but_not_desks(redis_server: RedisServer) -> None:
    prefix = f"t{secrets.token_hex(4)}"
    one, two = (
        RedisBoard.open(redis_server.url, PresenceSettings(node=node, prefix=prefix)) for node in ("a", "b")
    )
    try:
        await one.choose("anna", PresenceState.AVAILABLE)
        await one.desk_seen("anna")
        assert await two.presences() == {"anna": Presence(PresenceState.AVAILABLE, desk=False)}
        won = await asyncio.gather(*((one, two)[n % 2].claim(place(f"call-{n}")) for n in range(20)))
        assert sum(won) == 1
        assert await one.live() == await two.live() == {"anna": 1}
    finally:
        await one.close()
        await two.close()


async def test_a_redis_that_is_away_is_told_and_comes_back(redis_server: RedisServer) -> None:
    board = RedisBoard.open(redis_server.url, PresenceSettings(prefix=f"t{secrets.token_hex(4)}"))
    try:
        assert await board.claim(place("call-1"))
        redis_server.stop()
        with pytest.raises(Unavailable, match="Redis") as refused:
            await board.claim(place("call-2"))
        assert "presence.url" in refused.value.hint
        redis_server.start()
        assert await board.claim(place("call-2")), "it holds nothing that could not be built anew"
    finally:
        await board.close()


def test_a_url_that_names_no_redis_is_refused() -> None:
    with pytest.raises(SettingsInvalid, match=r"presence\.url") as refused:
        RedisBoard.open("http://nowhere", PresenceSettings())
    assert "redis://" in refused.value.hint
