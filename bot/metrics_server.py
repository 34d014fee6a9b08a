"""`GET /metrics` for Prometheus, on an address of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Self

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from bot.core.errors import PortInUse


class MetricsServer:
    """`async with MetricsServer(host, port, text):` serves until it is left. `text` is awaited for each
    request."""

    def __init__(self, host: str, port: int, text: Callable[[], Awaitable[bytes]]) -> None:
        self._host, self._port, self._text = host, port, text
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Raises PortInUse."""
        app = web.Application()
        app.router.add_get("/metrics", self._metrics)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        try:
            await web.TCPSite(runner, self._host, self._port).start()
        except OSError as error:
            await self._stack.aclose()
            raise PortInUse(
                f"{self._host}:{self._port} (metrics.port) занять нельзя: {error.strerror}",
                hint="задайте другой metrics.port, или 0, чтобы не отдавать метрики",
            ) from error
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _metrics(self, request: web.Request) -> web.Response:
        return web.Response(body=await self._text(), headers={"Content-Type": CONTENT_TYPE_LATEST})
