"""A trunk with registration: calls by number go through it, and a node without it does not start."""

from __future__ import annotations

import asyncio
import re
import socket
import tempfile
from contextlib import ExitStack, closing
from datetime import datetime
from functools import partialmethod
from pathlib import Path
from typing import Any, cast
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from baresip import UserAgent

from bot.core.errors import TrunkUnreachable
from bot.core.events import CallStarted
from bot.settings_rooms import store_settings
from bot.store import queries
from bot.store.database import Database
from tests.node.api import post, told_crm
from tests.node.running import RunningNode, node_settings, running_node, start
from tests.ports import free_port
from tests.telephony.peers import SipEndpoint, SipSettings, sipp

TRUNK = Path(__file__).parent / "sipp" / "trunk.xml"
NUMBER = "+74950000001"
LONGEST_S = 240
DEBUG = {"OTKLIK_LOG_LEVEL": "debug"}
SECRETS = ("s3cret", "Authorization:", "nonce=", "response=")
"""The password, and what a digest is made of: it can be guessed at from a log, offline."""


def trunk_at(port: int) -> dict[str, Any]:
    return {
        "trunk": {
            "domain": f"127.0.0.1:{port}",
            "registration": True,
            "auth_user": "trunk-login",
            "password": "s3cret",
        }
    }


def noon() -> str:
    """A zone in which customers may be rung now."""
    zones = (f"Etc/GMT{offset:+d}" for offset in range(-14, 13))
    return next(name for name in zones if datetime.now(ZoneInfo(name)).hour == 12)


async def call_number(node: RunningNode) -> queries.Call:
    """A CRM asks to ring the number, and is told how it ended; the call as SQL has it. Its campaign rings on
    every day of the year."""
    definition = {
        "id": "talks", "title": "После разговора", "survey": "nps", "purpose": "service",
        "calling": {"holidays": True}, "pacing": {"agents": False},
    }  # fmt: skip
    await node.ask("campaign_create", definition=definition, standing=True)
    await node.ask("campaign_start", campaign="talks")
    async with told_crm(node) as crm:
        body = {
            "phone": "8 (495) 000-00-01", "survey": "nps", "timezone": noon(),
            "conversation_id": "talk-1", "about": "счёт",
        }  # fmt: skip
        asked = await post(node, "calls", body)
        told = await crm.hears("call.completed")
    assert told["request_id"] == asked["id"]
    assert (told["disposition"], told["conversation_id"], told["phone"]) == ("busy", "talk-1", "…01")
    async with Database.open(store_settings(node.settings)) as database:
        found = await queries.call(database, told["call_id"])
        events = await queries.events(database, told["call_id"])
    assert found is not None
    [started] = [event for event in events if isinstance(event, CallStarted)]
    assert (started.conversation_id, started.about) == ("talk-1", "счёт")
    return found


class Refusing(asyncio.DatagramProtocol):
    """A registrar that challenges whoever registers, and again whoever answers; `digests` are the answers."""

    def __init__(self) -> None:
        self.digests: list[str] = []
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        assert self._transport is not None
        request = data.decode()
        self.digests += re.findall(r'\bresponse="([0-9a-f]{32})"', request)
        own = [
            line for line in request.splitlines() if line.startswith(("Via:", "From:", "Call-ID:", "CSeq:"))
        ]
        [called] = [line for line in request.splitlines() if line.startswith("To:")]
        challenge = f'Digest realm="trunk", nonce="{uuid4().hex}", algorithm=MD5, qop="auth"'
        answer = ("SIP/2.0 401 Unauthorized", *own, f"{called};tag=peer", f"WWW-Authenticate: {challenge}")
        self._transport.sendto("\r\n".join([*answer, "Content-Length: 0", "", ""]).encode(), addr)


def told_by(node: RunningNode) -> dict[str, str]:
    """All that a node has written for people: on the terminal and in its logs."""
    files = [file for file in node.settings.log_dir.rglob("*") if file.is_file()]
    return {"terminal": node.output()} | {file.name: file.read_text() for file in files}


async def test_a_number_is_rung_through_a_trunk_that_knows_us(tmp_path: Path) -> None:
    number = NUMBER.replace("+", "[+]")  # as a regular expression, in which sipp looks for it
    async with sipp(TRUNK, tmp_path, count=2, timeout_s=LONGEST_S, number=number) as trunk:
        with ExitStack() as stack:
            node = await asyncio.to_thread(stack.enter_context, running_node(DEBUG, sip=trunk_at(trunk.port)))
            try:
                assert (await node.ask("status"))["registered"]
                assert f"127.0.0.1:{trunk.port}" in node.output(), "ops see which trunk it is"
                found = await call_number(node)
                for name, text in told_by(node).items():
                    assert not [word for word in SECRETS if word in text], name
            finally:
                await asyncio.to_thread(stack.close)
        assert (found.attempt.disposition, found.attempt.end_status) == ("busy", 486)
        assert found.attempt.to_uri == f"sip:{NUMBER}@127.0.0.1:{trunk.port}"
        assert found.attempt.phone == NUMBER.removeprefix("+")
        assert await trunk.succeeded(), trunk.log  # which includes that the registration was taken back


async def test_a_node_that_its_trunk_refuses_says_so_and_ends() -> None:
    loop = asyncio.get_running_loop()
    port = free_port()
    transport, trunk = await loop.create_datagram_endpoint(Refusing, local_addr=("127.0.0.1", port))
    with closing(transport), tempfile.TemporaryDirectory(prefix="otk") as folder:
        node = start(node_settings(Path(folder), sip=trunk_at(port)), DEBUG)
        try:
            status = await asyncio.to_thread(node.process.wait, 120)
        finally:
            if node.process.poll() is None:
                await asyncio.to_thread(node.terminate)
        logs = told_by(node)
    assert status == 3
    *_, told, hint, log = logs["terminal"].splitlines()
    assert f"127.0.0.1:{port}" in told
    assert "отказал: 401" in told
    assert "sip.trunk.password" in hint
    assert "worker-0.log" in log
    assert "Traceback" not in logs["terminal"]
    assert not node.settings.control_socket.exists()
    assert trunk.digests, "it did answer the challenge"
    assert '"level": "debug"' in logs["control.log"], "no log is more talkative"
    for name, text in logs.items():
        assert not [word for word in (*SECRETS, *trunk.digests) if word in text], name


async def test_a_trunk_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(UserAgent, "register", partialmethod(UserAgent.register, timeout=0.5))
    with socket.socket(type=socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        domain = f"127.0.0.1:{silent.getsockname()[1]}"
        settings = SipSettings(port=free_port(), domain=domain, register=True, password="s3cret")
        with pytest.raises(TrunkUnreachable) as refused:
            await SipEndpoint(settings).start()
    assert f"регистратор {domain}" in refused.value.message
    assert "не отвечает" in refused.value.message
    assert "sip.trunk.domain" in refused.value.hint
    assert "s3cret" not in str(refused.value)
