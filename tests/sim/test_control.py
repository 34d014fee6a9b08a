from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.core.control import ControlClient, ControlServer, undo_with_the_connection
from bot.core.errors import BadInput, NodeUnavailable, OtklikError, PortInUse, SurveyInvalid
from bot.core.events import Ringing


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ControlServer]:
    server = ControlServer(tmp_path / "run" / "control.sock")

    async def echo(params: dict[str, Any]) -> dict[str, Any]:
        await asyncio.sleep(params.get("after_s", 0))
        return params

    async def broken_survey(params: dict[str, Any]) -> dict[str, Any]:
        raise SurveyInvalid("нет такого опроса", hint="их два: nps, csat")

    async def bug(params: dict[str, Any]) -> dict[str, Any]:
        raise ZeroDivisionError("bug")

    server.register("echo", echo)
    server.register("broken_survey", broken_survey)
    server.register("bug", bug)
    await server.start()
    yield server
    await server.close()


@pytest.fixture
async def client(server: ControlServer) -> AsyncIterator[ControlClient]:
    async with await ControlClient.connect(server.path) as client:
        yield client


def ringing(seq: int) -> Ringing:
    return Ringing(call_id="call-1", seq=seq, at=datetime(2026, 1, 1, tzinfo=UTC))


async def test_answers_a_request(client: ControlClient) -> None:
    assert await client.request("echo", text="девять") == {"text": "девять"}


async def test_a_slow_request_does_not_hold_up_the_next(client: ControlClient) -> None:
    slow = asyncio.create_task(client.request("echo", after_s=0.3, n=1))
    assert await client.request("echo", n=2) == {"n": 2}
    assert not slow.done()
    assert (await slow)["n"] == 1


async def test_an_error_arrives_as_its_class(client: ControlClient) -> None:
    with pytest.raises(SurveyInvalid) as caught:
        await client.request("broken_survey")
    assert (caught.value.message, caught.value.hint) == ("нет такого опроса", "их два: nps, csat")


async def test_a_bug_in_a_handler_is_reported_and_the_node_lives_on(client: ControlClient) -> None:
    with pytest.raises(OtklikError, match="ZeroDivisionError"):
        await client.request("bug")
    assert await client.request("echo") == {}


async def test_an_unknown_request_names_the_known_ones(client: ControlClient) -> None:
    with pytest.raises(BadInput) as caught:
        await client.request("ecko")
    assert "echo" in caught.value.hint


async def test_a_line_that_is_no_json_is_refused(server: ControlServer) -> None:
    reader, writer = await asyncio.open_unix_connection(server.path)
    writer.write(b"hello\n")
    assert b'"bad_input"' in await reader.readline()
    writer.close()
    await writer.wait_closed()


async def test_events_are_seen_from_watch_on(server: ControlServer, client: ControlClient) -> None:
    server.broadcast(ringing(1))
    await client.watch()
    server.broadcast(ringing(2))
    server.broadcast(ringing(3))
    seen = [event async for event in _first(client.events(), 2)]
    assert seen == [ringing(2), ringing(3)]


async def _first(events: AsyncIterator[Any], count: int) -> AsyncIterator[Any]:
    for _ in range(count):
        yield await anext(events)


async def test_the_end_of_the_node_ends_events_and_requests(
    server: ControlServer, client: ControlClient
) -> None:
    await client.watch()
    pending = asyncio.create_task(client.request("echo", after_s=30))
    await client.request("echo")
    await server.close()
    with pytest.raises(NodeUnavailable):
        await pending
    assert [event async for event in client.events()] == []
    with pytest.raises(NodeUnavailable):
        await client.request("echo")


async def test_no_node(tmp_path: Path) -> None:
    with pytest.raises(NodeUnavailable) as caught:
        await ControlClient.connect(tmp_path / "none.sock")
    assert "otklik serve" in caught.value.hint


async def test_only_one_node_listens_and_a_dead_ones_socket_is_taken_over(
    server: ControlServer, tmp_path: Path
) -> None:
    with pytest.raises(PortInUse):
        await ControlServer(server.path).start()
    stale = tmp_path / "stale.sock"
    first = await asyncio.start_unix_server(lambda r, w: None, stale)
    first.close()
    await first.wait_closed()
    if not stale.exists():  # Python 3.13 removes it on close
        stale.touch()
    second = ControlServer(stale)
    await second.start()
    await second.close()
    assert not stale.exists()


async def test_the_socket_is_private(server: ControlServer) -> None:
    assert stat.S_IMODE(server.path.stat().st_mode) == 0o600


async def test_what_lasts_as_long_as_its_connection_is_undone_with_it(server: ControlServer) -> None:
    """In the order of undoing, however the other end goes; and nobody else's."""
    done: list[str] = []
    undone: asyncio.Queue[str] = asyncio.Queue()

    async def put(params: dict[str, Any]) -> dict[str, Any]:
        undo_with_the_connection(lambda: undone.put_nowait(params["what"]))
        done.append(params["what"])
        return {}

    server.register("put", put)
    async with await ControlClient.connect(server.path) as stays:
        await stays.request("put", what="another's")
        reader, writer = await asyncio.open_unix_connection(server.path)
        for what in ("first", "second"):
            writer.write(b'{"id": 1, "do": "put", "what": "%s"}\n' % what.encode())
            await reader.readline()
        writer.transport.abort()  # as of a process that was killed
        assert [await undone.get() for _ in range(2)] == ["second", "first"]
        assert undone.empty()
    assert await undone.get() == "another's"
    with pytest.raises(BadInput, match="no connection"):
        await server.ask("put", what="from within")
