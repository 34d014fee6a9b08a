"""The process that lints and compares drafts (bot/draft_process.py), as control asks it.

It is started with the first question, and ended when nobody has asked anything for a while: it holds the
words of a recogniser and a voice to measure with.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
from typing import Any

import structlog

from bot.core.control import error_from_wire
from bot.core.errors import Unavailable
from bot.settings import Settings
from bot.settings_load import as_environment
from bot.words import words

log = structlog.get_logger()

PATIENCE_S = 60.0
"""For one answer; the first thorough one reads a recogniser's words, a few seconds."""

IDLE_S = 600.0
LINE_LIMIT = 8 * 2**20
"""Bytes of an answer: a survey with every wording it can say is some 100 kB."""


class DraftChecks:
    """`await checks.check(text)`, one question at a time. `close` it in the end."""

    def __init__(self, settings: Settings, *, idle_s: float = IDLE_S) -> None:
        self._settings = settings
        self._idle_s = idle_s
        self._process: asyncio.subprocess.Process | None = None
        self._lock = asyncio.Lock()
        self._ending: asyncio.TimerHandle | None = None
        self._end: asyncio.Task[None] | None = None

    async def check(self, text: str, *, thorough: bool = True) -> dict[str, Any]:
        """`problems`, and `survey` where there are no errors. Without `thorough` what needs a voice or a
        recogniser's words is left open. Raises Unavailable."""
        return await self._ask({"do": "check", "text": text, "thorough": thorough})

    async def compare(self, a: str, b: str, language: str) -> dict[str, Any]:
        """What changed from one version to another, both as JSON. Raises Unavailable."""
        return await self._ask({"do": "compare", "a": a, "b": b, "language": language})

    async def hear(self, pcm: bytes, language: str) -> str:
        """The words of a sound, 16 bit mono at 8 kHz, as a call would hear them. Raises Unavailable."""
        sound = base64.b64encode(pcm).decode()
        found = await self._ask({"do": "hear", "pcm": sound, "language": language})
        return str(found["text"])

    async def close(self) -> None:
        if self._ending is not None:
            self._ending.cancel()
        async with self._lock:
            await self._stop()
        if self._end is not None:
            await self._end

    async def _ask(self, order: dict[str, Any]) -> dict[str, Any]:
        async with self._lock:
            if self._ending is not None:
                self._ending.cancel()
            try:
                async with asyncio.timeout(PATIENCE_S):
                    answer = await self._exchange(order)
            except TimeoutError as error:
                await self._stop()
                raise Unavailable(
                    words(
                        f"проверка не уложилась в {PATIENCE_S:g} с", f"the check took over {PATIENCE_S:g} s"
                    ),
                    hint=words("упростите условия или разделите опрос", "make its conditions simpler"),
                ) from error
            except BaseException:  # cancelled, too: its answer must not be taken for the next one
                await self._stop()
                raise
            self._ending = asyncio.get_running_loop().call_later(self._idle_s, self._idle)
        if "error" in answer:
            told = answer["error"]
            raise error_from_wire(told["code"], told["message"], told["hint"])
        return answer

    async def _exchange(self, order: dict[str, Any]) -> dict[str, Any]:
        process = self._process or await self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(order, ensure_ascii=False).encode() + b"\n")
            await process.stdin.drain()
            line = await process.stdout.readline()
        except ConnectionError:
            line = b""
        if not line:
            await self._stop()
            raise Unavailable(
                words("проверка опросов не отвечает", "surveys cannot be checked now"),
                hint=words("повторите; причина — в журнале узла", "try again; the node's log tells why"),
            )
        answer: dict[str, Any] = json.loads(line)
        return answer

    async def _start(self) -> asyncio.subprocess.Process:
        """Its errors go where ours go, into the node's log."""
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot.draft_process"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, **as_environment(self._settings)},
            cwd=self._settings.home,
            limit=LINE_LIMIT,
        )
        return self._process

    def _idle(self) -> None:
        async def end() -> None:
            async with self._lock:
                await self._stop()

        self._end = asyncio.ensure_future(end())

    async def _stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            if process.returncode is None:
                process.kill()  # it holds nothing that is not elsewhere
            await process.wait()
            log.info("draft checks stopped", status=process.returncode)
