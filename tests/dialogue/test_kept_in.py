"""Rasa's old packages: known by a token, without our secrets, a network but loopback, other processes."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from bot.call.dialogue import RasaDialogue
from bot.core.errors import DialogueUnavailable
from dialogue.launch import TOKEN, rasa_env, rasa_python
from dialogue.running import RunningDialogue
from tests.dialogue.conftest import SECRET

LISTEN = "0A"
"""How proc(5) lists the state of a socket that listens."""

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
import asyncio, multiprocessing.util, os, socket, subprocess, sys
import uvloop
from loopback import stay_on_loopback

stay_on_loopback()
here, there, name = int(sys.argv[1]), "192.0.2.1", "example.com"  # RFC 5737: nobody has it
true = ("/bin/true", ["true"])
plain = {
    "connect": lambda: socket.create_connection((there, 80), 5),
    "connect, IPv6": lambda: socket.socket(socket.AF_INET6).connect(("2001:db8::1", 80)),
    "sendto": lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", (there, 53)),
    "sendmsg": lambda: socket.socket(type=socket.SOCK_DGRAM).sendmsg([b"x"], [], 0, (there, 53)),
    "bind": lambda: socket.socket().bind(("0.0.0.0", 0)),
    "name": lambda: socket.getaddrinfo(name, 80),
    "name, old": lambda: socket.gethostbyname(name),
    "name of an address": lambda: socket.getnameinfo((there, 80), 0),
    "name of an address, old": lambda: socket.gethostbyaddr(there),
    "connects by itself": lambda: __import__("psycopg2"),
    "child": lambda: subprocess.run(["true"]),
    "child, shell": lambda: os.system("true"),
    "child, fork": lambda: os.fork() or os._exit(0),
    "child, terminal": lambda: os.forkpty()[0] or os._exit(0),
    "child, spawn": lambda: os.posix_spawn(*true, {}),
    "child, multiprocessing": lambda: multiprocessing.util.spawnv_passfds(b"/bin/true", [b"true"], []),
    "another program": lambda: os.execv(*true),
    "open: address": lambda: socket.create_connection(("127.0.0.1", here), 5),
    "open: name": lambda: socket.create_connection(("localhost", here), 5),
}
TCP, UDP, CHILD = asyncio.Protocol, asyncio.DatagramProtocol, asyncio.SubprocessProtocol
served = {
    "connect": lambda loop: loop.create_connection(TCP, there, 80),
    "connect, name": lambda loop: loop.create_connection(TCP, host=name, port=80),
    "connect from": lambda loop: loop.create_connection(TCP, "127.0.0.1", here, local_addr=(there, 0)),
    "sock_connect": lambda loop: loop.sock_connect(socket.socket(), (there, 80)),
    "sock_connect, name": lambda loop: loop.sock_connect(socket.socket(), (name, 80)),
    "name": lambda loop: loop.getaddrinfo(name, 80),
    "name of an address": lambda loop: loop.getnameinfo((there, 80)),
    "server": lambda loop: loop.create_server(TCP, "0.0.0.0", 0),
    "server, everywhere": lambda loop: loop.create_server(TCP, None, 0),
    "server, name": lambda loop: loop.create_server(TCP, name, 0),
    "server, several": lambda loop: loop.create_server(TCP, ["127.0.0.1", "::"], 0),
    "UDP": lambda loop: loop.create_datagram_endpoint(UDP, remote_addr=(there, 53)),
    "UDP without end": lambda loop: loop.create_datagram_endpoint(UDP, ("127.0.0.1", 0)),
    "UDP from loopback": lambda loop: loop.create_datagram_endpoint(UDP, ("127.0.0.1", 0), (there, 53)),
    "child": lambda loop: loop.subprocess_exec(CHILD, "true"),
    "child, shell": lambda loop: loop.subprocess_shell(CHILD, "true"),
    "open: connect": lambda loop: loop.create_connection(TCP, "127.0.0.1", here),
    "open: sock_connect": lambda loop: loop.sock_connect(socket.socket(), ("127.0.0.1", here)),
    "open: name": lambda loop: loop.getaddrinfo("localhost", here),
    "open: server": lambda loop: loop.create_server(TCP, "127.0.0.1", 0),
}

async def reach(opens):
    return await opens(asyncio.get_running_loop())

asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())  # as Sanic does
loop = asyncio.new_event_loop()
for door, ways in (("Python", plain), ("uvloop", served)):
    for way, opens in ways.items():
        try:
            loop.run_until_complete(reach(opens)) if ways is served else opens()
        except (PermissionError, ImportError) as error:
            print(door, way, "refused" if "Rasa is kept" in str(error) else repr(error), sep=" / ")
        except OSError as error:
            print(door, way, repr(error), sep=" / ")
        else:
            print(door, way, "open", sep=" / ")
print("end")
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
    *lines, end = done.stdout.splitlines()
    assert end == "end", "no program took its place"
    told = {f"{door} / {way}": state for door, way, state in (line.split(" / ") for line in lines)}
    assert len(told) == 39
    assert told == {way: "open" if "/ open:" in way else "refused" for way in told}


@pytest.mark.parametrize("process", ["rasa", "actions"])
def test_both_listen_on_loopback_alone(process: str, servers: RunningDialogue) -> None:
    url = servers.rasa_url if process == "rasa" else servers.actions_url
    ours = sockets(getattr(servers, process).pid)
    loopback = socket.inet_aton("127.0.0.1")[::-1].hex().upper()  # proc(5): a number of the machine's order
    assert {local for _, local, state in ours if state == LISTEN} == {f"{loopback}:{URL(url).port:04X}"}
    assert {kind for kind, *_ in ours} == {"tcp"}, "no datagrams, no IPv6, nothing raw"


def sockets(pid: int) -> set[tuple[str, str, str]]:
    """A process's sockets of the network, as the kernel lists them: kind, local address and state."""
    held = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            held.add(str(descriptor.readlink()))
    found = set()
    for kind in ("tcp", "tcp6", "udp", "udp6", "raw", "raw6"):
        for line in Path(f"/proc/{pid}/net/{kind}").read_text().splitlines()[1:]:
            _, local, _, state, *_, inode = line.split()[:10]
            if f"socket:[{inode}]" in held:
                found.add((kind, local, state))
    return found


async def test_a_running_rasa_looks_up_nobody(servers: RunningDialogue, http: aiohttp.ClientSession) -> None:
    """No name server knows of `invalid` (RFC 6761): that no model comes proves nothing. Rasa swallows why."""
    body = {"model_server": {"url": "http://name.invalid/model"}}
    sent = http.put(f"{servers.rasa_url}/model", json=body, headers=servers.headers)
    async with sent as reply:
        assert reply.status >= 400
    assert "'name.invalid' is refused" in written_by(servers.rasa)


def written_by(process: subprocess.Popen[bytes]) -> str:
    return Path(f"/proc/{process.pid}/fd/2").readlink().read_text()


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
