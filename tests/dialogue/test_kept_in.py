"""Rasa's old packages: known by a token, without our secrets, without a network but loopback."""

from __future__ import annotations

import asyncio
import socket
import subprocess
from pathlib import Path

import aiohttp
import pytest

from bot.call.dialogue import RasaDialogue
from bot.core.errors import DialogueUnavailable
from dialogue.launch import TOKEN, rasa_env, rasa_python
from dialogue.running import RunningDialogue
from tests.dialogue.conftest import SECRET

GUARDED = [
    ("POST", "/webhooks/rest/webhook"),
    ("POST", "/model/parse"),
    ("POST", "/model/train"),
    ("PUT", "/model"),
    ("GET", "/conversations/c/tracker"),
    ("POST", "/conversations/c/trigger_intent"),
    ("GET", "/status"),
    ("GET", "/domain"),
    ("GET", "/"),
]

REACHES = """
import asyncio, socket, sys
import uvloop
from loopback import stay_on_loopback

stay_on_loopback()
here, there = int(sys.argv[1]), "192.0.2.1"  # RFC 5737: nobody has it
plain = {
    "connect": lambda: socket.create_connection((there, 80), 5),
    "connect, IPv6": lambda: socket.socket(socket.AF_INET6).connect(("2001:db8::1", 80)),
    "sendto": lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", (there, 53)),
    "sendmsg": lambda: socket.socket(type=socket.SOCK_DGRAM).sendmsg([b"x"], [], 0, (there, 53)),
    "bind": lambda: socket.socket().bind(("0.0.0.0", 0)),
    "name": lambda: socket.getaddrinfo("example.com", 80),
    "name, old": lambda: socket.gethostbyname("example.com"),
    "loopback": lambda: socket.create_connection(("127.0.0.1", here), 5),
    "localhost": lambda: socket.create_connection(("localhost", here), 5),
}
served = {
    "uvloop": lambda loop: loop.create_connection(asyncio.Protocol, there, 80),
    "uvloop, name": lambda loop: loop.create_connection(asyncio.Protocol, host="example.com", port=80),
    "uvloop, UDP": lambda loop: loop.create_datagram_endpoint(
        asyncio.DatagramProtocol, remote_addr=(there, 53)),
    "uvloop, UDP without end": lambda loop: loop.create_datagram_endpoint(
        asyncio.DatagramProtocol, local_addr=("0.0.0.0", 0)),
    "uvloop, loopback": lambda loop: loop.create_connection(asyncio.Protocol, "127.0.0.1", here),
}

async def reach(opens):
    return await opens(asyncio.get_running_loop())

loop = uvloop.new_event_loop()
for name, opens in {**plain, **served}.items():
    try:
        loop.run_until_complete(reach(opens)) if name in served else opens()
    except PermissionError as error:
        print(name, "refused", sep=": ")
    else:
        print(name, "open", sep=": ")
"""


@pytest.mark.parametrize(("method", "path"), GUARDED)
async def test_rasa_answers_nobody_without_its_token(
    method: str, path: str, servers: RunningDialogue, http: aiohttp.ClientSession
) -> None:
    wrong = {"Authorization": f"Bearer {servers.token[:-1]}"}
    for headers, query in (({}, ""), (wrong, ""), ({}, f"?token={servers.token}")):
        sent = http.request(method, f"{servers.rasa_url}{path}{query}", json={}, headers=headers)
        async with sent as reply:
            assert reply.status == 401


async def test_a_client_with_another_token_is_told_so(
    servers: RunningDialogue, http: aiohttp.ClientSession
) -> None:
    with pytest.raises(DialogueUnavailable, match="HTTP 401"):
        await RasaDialogue(servers.rasa_url, http, token="of the start before").parse("да")


@pytest.mark.parametrize("process", ["rasa", "actions"])
def test_the_environment_of_the_dialogue_has_no_secret_of_ours(
    process: str, servers: RunningDialogue
) -> None:
    pid = getattr(servers, process).pid
    environment = Path(f"/proc/{pid}/environ").read_text()
    names = {line.partition("=")[0] for line in environment.split("\0")}
    assert TOKEN in names
    assert "PATH" in names
    assert SECRET not in environment
    assert not {name for name in names if name.startswith("OTKLIK_")}
    assert servers.token not in Path(f"/proc/{pid}/cmdline").read_text(), "every user reads that"


def test_what_reaches_beyond_loopback_is_refused(unused_tcp_port: int) -> None:
    with socket.create_server(("127.0.0.1", unused_tcp_port)):
        done = subprocess.run(
            [rasa_python(), "-c", REACHES, str(unused_tcp_port)],
            env=rasa_env(),
            capture_output=True,
            text=True,
            check=True,
        )
    told = dict(line.split(": ") for line in done.stdout.splitlines())
    assert {name for name, state in told.items() if state == "open"} == {
        "loopback",
        "localhost",
        "uvloop, loopback",
    }
    assert len(told) == 14


async def test_a_running_rasa_fetches_no_model_from_elsewhere(
    servers: RunningDialogue, http: aiohttp.ClientSession
) -> None:
    """Its own API has it do so, for whoever knows the token. The system takes 0.0.0.0 to loopback all
    the same: a request that got out would be seen here."""
    seen: list[bytes] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readline())
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    async def fetch_from(host: str) -> int:
        body = {"model_server": {"url": f"http://{host}:{port}/model"}}
        sent = http.put(f"{servers.rasa_url}/model", json=body, headers=servers.headers)
        async with sent as reply:
            return reply.status

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert await fetch_from("0.0.0.0") >= 400  # noqa: S104 - nothing is bound
        assert seen == []
        assert await fetch_from("127.0.0.1") >= 400
        assert len(seen) == 1
