"""Clients that send a byte now and then (slowloris): headers, and bodies."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.web import server as web_server
from bot.web.parts import Parts
from bot.web.patience import LARGEST_BODY, PATIENCE, Patience
from bot.web.server import WebServer, make_app
from tests.web.conftest import clock as clock
from tests.web.conftest import control as control
from tests.web.conftest import parts as parts
from tests.web.conftest import worker as worker


async def test_headers_that_never_end_are_cut_off(
    parts: Parts, monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    settings = parts.settings
    object.__setattr__(settings, "port", unused_tcp_port)
    monkeypatch.setattr(web_server, "HEADERS_S", 0.2)
    async with WebServer(parts):
        reader, writer = await asyncio.open_connection("127.0.0.1", unused_tcp_port)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nX-A: ")
        async with asyncio.timeout(5):
            assert await reader.read() == b""
        writer.close()


async def test_a_body_that_never_ends_is_told_so_and_cut_off(parts: Parts) -> None:
    app: web.Application = make_app(parts)
    app[PATIENCE] = Patience(body_s=0.1, slowest=1 << 30)
    async with TestServer(app) as started:
        reader, writer = await asyncio.open_connection("127.0.0.1", started.port)
        writer.write(
            b"POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\n\r\nlogin=a"
        )
        async with asyncio.timeout(5):
            assert (await reader.readline()).startswith(b"HTTP/1.1 408 ")
        writer.close()


def test_nobody_buys_time_by_saying_that_much_is_to_come() -> None:
    patience = Patience()
    assert patience.seconds(200 * 2**20, LARGEST_BODY) == patience.seconds(LARGEST_BODY, LARGEST_BODY) < 60
    assert patience.seconds(None, 200 * 2**20) < 60
