"""SSRF: a webhook's target that leads into the company's network, or answers to do harm."""

from __future__ import annotations

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from aiohttp import AddrInfoType, web
from aiohttp.abc import ResolveResult
from aiohttp.test_utils import TestServer

from bot.core.clock import SystemClock
from bot.core.errors import BadInput
from bot.delivery import posting
from bot.delivery.addresses import checked, is_public
from bot.delivery.backoff import Backoff
from bot.delivery.endpoints import Endpoint
from bot.delivery.posting import READ, Postman, retry_after_s
from tests.delivery.test_addresses import Names
from tests.delivery.test_posting import endpoint

WITHIN = (
    # Names and addresses as they are written by people
    "localhost", "LOCALHOST", "localhost.", "db.localhost", "127.0.0.1", "127.1.2.3", "0.0.0.0",  # noqa: S104
    "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.0.1", "169.254.169.254", "100.64.0.1",
    "192.0.0.8", "192.88.99.1", "198.18.0.1", "224.0.0.1", "255.255.255.255", "127.0.0.1.",
    # What only a C library takes for an address
    "2130706433", "0x7f000001", "0x7f.1", "0X7F.0.0.1", "017700000001", "0177.0.0.1", "127.1", "10.1",
    "127.0.1", "0", "0x", "127.0.0.0x1",
    # What IDNA makes of letters of other widths
    "①②⑦.0.0.1", "１２７.0.0.1", "127。0。0。1", "ｌocalhost",
    # IPv6, and IPv4 within it
    "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[fe80::1]", "[fe80::1%25eth0]", "[fd00::1]", "[fec0::1]",
    "[ff02::1]", "[::ffff:127.0.0.1]", "[::ffff:a00:1]", "[::127.0.0.1]", "[::ffff:0:7f00:1]",
    "[2002:7f00:1::]", "[2002:a00:1::1]", "[64:ff9b::127.0.0.1]", "[64:ff9b::a00:1]", "[64:ff9b:1::a00:1]",
    "[2001:0:7f00:1::1]", "[2001::1]", "[3fff::1]", "[5f00::1]",
)  # fmt: skip


@pytest.mark.parametrize("host", WITHIN)
def test_no_writing_of_an_inner_address_is_taken(host: str) -> None:
    with pytest.raises(BadInput):
        checked(f"https://{host}/hook", private=False)


@pytest.mark.parametrize("url", [
    "https://crm.example.ru@127.0.0.1/", "https://127.0.0.1\\@crm.example.ru/", "https://crm.example.ru\n.x/",
    "https://crm.example.ru/\r\nX-Injected: 1", "https:///127.0.0.1/", "//127.0.0.1/", "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_FLUSHALL", "https://[::1", "https://127.0.0.1:99999/", "jar:https://x!/",
])  # fmt: skip
def test_no_url_is_read_in_two_ways(url: str) -> None:
    with pytest.raises(BadInput):
        checked(url, private=False)


@pytest.mark.parametrize("address", ["8.8.8.8", "2a00:1148::1", "64:ff9b::8.8.8.8", "2002:808:808::1"])
def test_what_is_public_stays_so(address: str) -> None:
    assert is_public(address)


class Listening:
    """A server on loopback: `asked` is what reached it."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answer = web.Response(text="inner secret")

    async def take(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        return self.answer


@pytest.fixture
def inner() -> Listening:
    return Listening()


@pytest.fixture
async def server(inner: Listening) -> AsyncIterator[TestServer]:
    app = web.Application()
    app.router.add_post("/{any:.*}", inner.take)
    async with TestServer(app, host="127.0.0.1") as started:
        yield started


def bare(host: str, port: int | None, path: str = "/") -> Endpoint:
    return endpoint(f"http://{host}:{port}{path}")


@pytest.mark.parametrize("host", ["2130706433", "127.1", "0x7f.1", "①②⑦.0.0.1", "127.0.0.1"])
async def test_the_socket_refuses_what_the_settings_let_through(
    host: str, server: TestServer, inner: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if nothing looked at the URL: the last fence holds by itself."""
    monkeypatch.setattr(posting, "checked", lambda url, *, private: url)
    async with Postman(SystemClock()) as postman:
        tried = await postman.post(bare(host, server.port), "msg_1", "{}")
    assert "within a private network" in tried.error or "not a canonical" in tried.error  # aiohttp's own
    assert inner.asked == []


async def test_a_name_that_changes_its_mind_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: public when it is looked at, loopback ever after."""
    connected: list[str] = []

    class Rebinding(Names):
        async def resolve(
            self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
        ) -> list[ResolveResult]:
            found = await super().resolve(host, port, family)
            self.hosts = ("127.0.0.1",)
            return found

    def noted(found: AddrInfoType) -> socket.socket:
        connected.append(str(found[4][0]))
        raise OSError("nothing leaves this test")

    monkeypatch.setattr("bot.delivery.addresses.ThreadedResolver", lambda: Rebinding("93.184.216.34"))
    monkeypatch.setattr(posting, "public_socket", noted)
    async with Postman(SystemClock()) as postman:
        await postman.post(endpoint("https://crm.example.ru:1/"), "msg_1", "{}")
    assert connected == ["93.184.216.34"]


async def test_a_redirect_into_the_network_is_not_followed(server: TestServer, inner: Listening) -> None:
    inner.answer = web.Response(status=307, headers={"Location": f"http://127.0.0.1:{server.port}/admin"})
    async with Postman(SystemClock()) as postman:
        own = replace(bare("127.0.0.1", server.port, "/hook"), private=True)
        tried = await postman.post(own, "msg_1", "{}")
    assert (tried.status, inner.asked) == (307, ["/hook"])


async def test_an_answer_that_unfolds_is_not_unfolded(server: TestServer, inner: Listening) -> None:
    bomb = gzip.compress(bytes(50_000_000), 9)
    inner.answer = web.Response(body=bomb, headers={"Content-Encoding": "gzip"})
    async with Postman(SystemClock()) as postman:
        own = replace(bare("127.0.0.1", server.port), private=True)
        tried = await postman.post(own, "msg_1", "{}")
    assert tried.status == 200
    assert len(tried.body_head or "") <= READ


@pytest.mark.parametrize(
    "written", ["9" * 400, "1e400", "inf", "nan", "-1", "٣", "Sun, 99 Mar 2026 09:05:00 GMT"]
)
def test_no_receiver_puts_the_next_try_off_for_ever(written: str) -> None:
    asked = retry_after_s(written, lambda: datetime(2026, 3, 1, tzinfo=UTC))
    next_s = Backoff().next_s(1, 0.5, asked)
    assert next_s is not None
    assert next_s <= 24 * 3600


async def test_a_receiver_that_never_ends_its_answer_is_left(inner: Listening, unused_tcp_port: int) -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"HTTP/1.1 200 OK\r\n")
        await reader.read()
        writer.close()

    slow = await asyncio.start_server(drip, "127.0.0.1", unused_tcp_port)
    limits = posting.Limits(connect_s=0.2, whole_s=0.2)
    async with slow, Postman(SystemClock(), limits) as postman:
        own = replace(bare("127.0.0.1", unused_tcp_port), private=True)
        tried = await postman.post(own, "msg_1", "{}")
    assert tried.error == "timeout"
