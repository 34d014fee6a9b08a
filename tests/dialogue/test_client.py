"""The Rasa client against a server that misbehaves on purpose."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import BaseTestServer, TestServer

from bot.call.dialogue import RasaDialogue
from bot.core.context import CallContext, TurnSource, UserTurn
from bot.core.directives import Say
from bot.core.errors import DialogueUnavailable

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

REPLY = {"directives": [{"kind": "say", "text": "Да.", "purpose": "acknowledgement"}], "understood": None}
CONTEXT = CallContext(call_id="call/1", survey_hash="0" * 64, direction="inbound")
SPEECH = UserTurn(source=TurnSource.SPEECH, text="девять")


class Server:
    """Answers each request with the next of `answers` and keeps what was asked."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.at_once = 0
        self.most_at_once = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((request.path_qs, await request.json()))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            return await self._answer(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])
        finally:
            self.at_once -= 1

    async def _answer(self, answer: Any) -> web.StreamResponse:
        if isinstance(answer, float):
            await asyncio.sleep(answer)
            return web.json_response([{"custom": REPLY}])
        if isinstance(answer, int):
            return web.Response(status=answer)
        return web.json_response(answer)

    def started(self) -> TestServer:
        app = web.Application()
        app.router.add_post("/{path:.*}", self.handle)
        return TestServer(app)


DUE = datetime(2026, 11, 24, 17, tzinfo=UTC)


def client(server: BaseTestServer, http: aiohttp.ClientSession, timeout_s: float = 5.0) -> RasaDialogue:
    return RasaDialogue(f"http://127.0.0.1:{server.port}/", http, token="known", timeout_s=timeout_s)


async def test_speech_goes_with_its_words(http: aiohttp.ClientSession) -> None:
    server = Server([{"custom": REPLY}])
    async with server.started() as running:
        reply = await client(running, http).turn("call/1", SPEECH)
    assert reply.directives == (Say(text="Да.", purpose="acknowledgement"),)
    path, body = server.asked[0]
    assert path == "/webhooks/rest/webhook"
    assert (body["sender"], body["message"]) == ("call/1", "девять")
    assert UserTurn.model_validate(body["metadata"]["turn"]) == SPEECH


async def test_the_start_carries_the_context(http: aiohttp.ClientSession) -> None:
    server = Server([{"custom": REPLY}])
    async with server.started() as running:
        await client(running, http).start(CONTEXT)
    _, body = server.asked[0]
    assert body["message"] == "/start_survey"
    assert CallContext.model_validate(body["metadata"]["context"]) == CONTEXT


@pytest.mark.parametrize(
    ("turn", "name"),
    [
        (UserTurn(source=TurnSource.DTMF, digits="9"), "dtmf"),
        (UserTurn(source=TurnSource.SILENCE), "silence"),
        (UserTurn(source=TurnSource.HANDOVER_FAILED), "handover_failed"),
        (UserTurn(source=TurnSource.HANDOVER_FAILED, text="busy", due=DUE), "handover_failed"),
    ],
)
async def test_what_has_no_words_is_triggered(turn: UserTurn, name: str, http: aiohttp.ClientSession) -> None:
    server = Server({"messages": [{"custom": REPLY}]})
    async with server.started() as running:
        await client(running, http).turn("call/1", turn)
    path, body = server.asked[0]
    assert path == "/conversations/call%2F1/trigger_intent?include_events=NONE"
    assert body["name"] == name
    assert body["entities"].get("digits", "") == turn.digits
    assert body["entities"].get("reason", "") == turn.text
    assert body["entities"].get("due") == (None if turn.due is None else turn.due.isoformat())


@pytest.mark.parametrize(("text", "message"), [("", "[unk]"), (" / ", "[unk]"), ("/dtmf", "dtmf")])
async def test_a_message_is_words(text: str, message: str, http: aiohttp.ClientSession) -> None:
    server = Server([{"custom": REPLY}])
    async with server.started() as running:
        await client(running, http).turn("c", UserTurn(source=TurnSource.SPEECH, text=text))
    assert server.asked[0][1]["message"] == message


@pytest.mark.parametrize(
    "failure",
    [
        500,
        [],
        "neither",
        [{"text": "words"}],
        [{"custom": REPLY}, {"custom": REPLY}],
        [{"custom": {"directives": [{"kind": "dance"}]}}],
    ],
)
async def test_a_failed_try_is_repeated_with_its_id(failure: Any, http: aiohttp.ClientSession) -> None:
    server = Server(failure, [{"custom": REPLY}])
    async with server.started() as running:
        await client(running, http).turn("c", SPEECH)
    first, second = (body for _, body in server.asked)
    assert first == second
    assert first["metadata"]["turn_id"]


async def test_two_failures_are_the_end(http: aiohttp.ClientSession) -> None:
    server = Server(503)
    async with server.started() as running:
        with pytest.raises(DialogueUnavailable, match="HTTP 503"):
            await client(running, http).turn("c", SPEECH)
    assert len(server.asked) == 2


async def test_turns_have_ids_of_their_own(http: aiohttp.ClientSession) -> None:
    server = Server([{"custom": REPLY}])
    async with server.started() as running:
        dialogue = client(running, http)
        await dialogue.turn("c", SPEECH)
        await dialogue.turn("c", SPEECH)
    ids = {body["metadata"]["turn_id"] for _, body in server.asked}
    assert len(ids) == 2


async def test_a_refusal_is_final_and_says_why(http: aiohttp.ClientSession) -> None:
    refusal = {"error": "survey_invalid", "message": "версии нет", "hint": "опубликуйте"}
    server = Server([{"custom": refusal}])
    async with server.started() as running:
        with pytest.raises(DialogueUnavailable, match="версии нет") as raised:
            await client(running, http).turn("c", SPEECH)
    assert raised.value.hint == "опубликуйте"
    assert len(server.asked) == 1


async def test_a_slow_server_is_given_up_in_time(http: aiohttp.ClientSession) -> None:
    server = Server(30.0)
    async with server.started() as running:
        with pytest.raises(DialogueUnavailable, match=r"нет ответа за 0\.2 с"):
            await client(running, http, timeout_s=0.2).turn("c", SPEECH)


async def test_a_dead_server_is_known_at_once(http: aiohttp.ClientSession) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        dead = RasaDialogue(f"http://127.0.0.1:{unused.getsockname()[1]}", http, token="known")
        with pytest.raises(DialogueUnavailable, match="не ответил"):
            await dead.start(CONTEXT)


async def test_one_request_in_flight_a_call(http: aiohttp.ClientSession) -> None:
    server = Server(0.05)
    async with server.started() as running:
        dialogue = client(running, http)
        await asyncio.gather(*(dialogue.turn("same", SPEECH) for _ in range(3)))
        assert server.most_at_once == 1
        await asyncio.gather(*(dialogue.turn(f"call-{number}", SPEECH) for number in range(3)))
        assert server.most_at_once == 3
