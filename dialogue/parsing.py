"""What the NLU makes of words, asked of a running Rasa: `/model/parse`, which moves no conversation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable

import aiohttp

from bot.core.context import message_of
from bot.core.directives import Understood
from bot.core.errors import DialogueUnavailable
from bot.surveys.understanding import understand

IN_FLIGHT = 4
"""Requests under way at a time: Rasa parses one after the other, so more only wait there."""

TIMEOUT_S = 20.0

Asked = tuple[str, asyncio.Task[Understood | None]]


class Nlu:
    """The Rasa server at `base_url` that knows us by `token`; `session` is the caller's, who closes it."""

    def __init__(self, base_url: str, session: aiohttp.ClientSession, token: str) -> None:
        self._url = f"{base_url.rstrip('/')}/model/parse"
        self._session = session
        self._headers = {"Authorization": f"Bearer {token}"}
        self._timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)

    async def understand(self, text: str) -> Understood | None:
        """As a call understands it. Raises DialogueUnavailable."""
        body = {"text": message_of(text)}
        try:
            sent = self._session.post(self._url, json=body, headers=self._headers, timeout=self._timeout)
            async with sent as reply:
                if reply.status != 200:
                    raise DialogueUnavailable(f"{self._url}: HTTP {reply.status}")
                return understand(await reply.json())
        except (aiohttp.ClientError, TimeoutError) as error:
            raise DialogueUnavailable(f"{self._url} не отвечает: {type(error).__name__} {error}") from error

    async def understand_each(
        self, texts: AsyncIterable[str] | Iterable[str]
    ) -> AsyncIterator[tuple[str, Understood | None]]:
        """Each text with its meaning, in order, as soon as it is there; a few are asked at a time.

        Raises DialogueUnavailable.
        """
        asked: asyncio.Queue[Asked | None] = asyncio.Queue(maxsize=IN_FLIGHT)

        async def ask() -> None:
            try:
                if isinstance(texts, AsyncIterable):
                    async for text in texts:
                        await asked.put((text, asyncio.create_task(self.understand(text))))
                else:
                    for text in texts:
                        await asked.put((text, asyncio.create_task(self.understand(text))))
            finally:
                await asked.put(None)

        asking = asyncio.create_task(ask())
        try:
            while (pair := await asked.get()) is not None:
                text, answer = pair
                yield text, await answer
            await asking
        finally:
            asking.cancel()
            waiting = [pair[1] for pair in _emptied(asked) if pair is not None]
            for task in waiting:
                task.cancel()
            await asyncio.gather(asking, *waiting, return_exceptions=True)


def _emptied(queue: asyncio.Queue[Asked | None]) -> list[Asked | None]:
    return [queue.get_nowait() for _ in range(queue.qsize())]
