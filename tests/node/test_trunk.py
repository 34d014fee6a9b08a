"""A trunk with registration: calls by number go through it, and a node without it does not start."""

from __future__ import annotations

import asyncio
import socket
import tempfile
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bot.core.events import CallStarted
from bot.settings_rooms import store_settings
from bot.store import queries
from bot.store.database import Database
from tests.node.api import post, told_crm
from tests.node.running import RunningNode, node_settings, running_node, start
from tests.telephony.peers import sipp

TRUNK = Path(__file__).parent / "sipp" / "trunk.xml"
NUMBER = "+74950000001"
LONGEST_S = 240
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


async def test_a_number_is_rung_through_a_trunk_that_knows_us(tmp_path: Path) -> None:
    number = NUMBER.replace("+", "[+]")  # as a regular expression, in which sipp looks for it
    async with sipp(TRUNK, tmp_path, count=2, timeout_s=LONGEST_S, number=number) as trunk:
        with ExitStack() as stack:
            node = await asyncio.to_thread(stack.enter_context, running_node(sip=trunk_at(trunk.port)))
            try:
                assert (await node.ask("status"))["registered"]
                assert f"127.0.0.1:{trunk.port}" in node.output(), "ops see which trunk it is"
                found = await call_number(node)
                logs = [node.output(), *(file.read_text() for file in node.settings.log_dir.iterdir())]
                for text in logs:
                    assert not [word for word in SECRETS if word in text], "credentials are nobody's business"
            finally:
                await asyncio.to_thread(stack.close)
        assert (found.attempt.disposition, found.attempt.end_status) == ("busy", 486)
        assert found.attempt.to_uri == f"sip:{NUMBER}@127.0.0.1:{trunk.port}"
        assert found.attempt.phone == NUMBER.removeprefix("+")
        assert await trunk.succeeded(), trunk.log  # which includes that the registration was taken back


def test_a_node_whose_trunk_does_not_answer_says_so_and_ends() -> None:
    with tempfile.TemporaryDirectory(prefix="otk") as folder, socket.socket(type=socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        node = start(node_settings(Path(folder), sip=trunk_at(port)))
        try:
            status = node.process.wait(120)
        finally:
            if node.process.poll() is None:
                node.terminate()
        output = node.output()
        logs = [file.read_text() for file in node.settings.log_dir.iterdir()]
    assert status == 3
    *_, told, hint, log = output.splitlines()
    assert f"127.0.0.1:{port}" in told
    assert "не отвечает" in told
    assert "sip.trunk.domain" in hint
    assert "worker-0.log" in log
    assert "Traceback" not in output
    for text in (output, *logs):
        assert "s3cret" not in text, "the password is nobody's business"
    assert not node.settings.control_socket.exists()
