"""The Rasa server as one call sees it: `bot.core.ports.Dialogue` over HTTP on loopback.

A turn moves Rasa's tracker and cannot be taken back, yet a reply can be lost on its way. So each
turn carries an id of its own; a second try repeats the id, and the action that finds its last
turn's id again answers with the reply it gave before and moves nothing (`dialogue/actions`).

Speech goes to the REST channel, where the NLU reads it. Keys, silence and a handover's failure
have no words: they are intents, triggered by name.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote
from weakref import WeakValueDictionary

import aiohttp
import structlog
from pydantic import ValidationError

from bot.core.context import CallContext, TurnSource, UserTurn, message_of
from bot.core.directives import TurnReply, Understood
from bot.core.errors import DialogueUnavailable
from bot.core.ids import new_id
from bot.surveys.understanding import understand

TRIES = 2
"""One retry: what fails twice is down, and the caller is waiting."""

_log = structlog.get_logger(__name__)


class _TryAgain(Exception):
    """This try brought no usable reply; another one may."""


class RasaDialogue:
    """Talks to the Rasa server at `base_url` through `session`, which the caller owns and closes.

    The server knows its node by `token`. `timeout_s` bounds each try from the first byte sent to the
    last received. A second turn of a call waits until its first is answered.
    """

    def __init__(
        self, base_url: str, session: aiohttp.ClientSession, *, token: str, timeout_s: float = 2.0
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._session = session
        self._headers = {"Authorization": f"Bearer {token}"}
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def start(self, context: CallContext) -> TurnReply:
        """Open the conversation of a call. Raises DialogueUnavailable."""
        metadata = {"turn_id": new_id("turn"), "context": context.model_dump(mode="json")}
        return await self._say(context.call_id, "/start_survey", metadata)

    async def turn(self, call_id: str, turn: UserTurn) -> TurnReply:
        """What the survey does about this turn of the caller. Raises DialogueUnavailable."""
        turn_id = new_id("turn")
        if turn.source is TurnSource.SPEECH:
            metadata = {"turn_id": turn_id, "turn": turn.model_dump(mode="json")}
            return await self._say(call_id, message_of(turn.text), metadata)
        entities = {"turn_id": turn_id}
        if turn.source is TurnSource.DTMF:
            entities["digits"] = turn.digits
        if turn.text:
            entities["reason"] = turn.text
        if turn.due is not None:
            entities["due"] = turn.due.isoformat()
        return await self._trigger(call_id, turn.source.value, entities)

    async def parse(self, text: str) -> Understood | None:
        """What the NLU makes of these words, moving no conversation. Raises DialogueUnavailable."""
        try:
            answer = await self._post("/model/parse", {"text": message_of(text)})
        except _TryAgain as failure:
            raise DialogueUnavailable(f"диалог {self._base_url} не разобрал слова: {failure}") from failure
        if not isinstance(answer, Mapping):
            raise DialogueUnavailable(f"диалог {self._base_url} разобрал слова не по договору")
        return understand(answer)

    async def _say(self, call_id: str, message: str, metadata: Mapping[str, object]) -> TurnReply:
        body = {"sender": call_id, "message": message, "metadata": metadata}
        return await self._exchange(call_id, "/webhooks/rest/webhook", body)

    async def _trigger(self, call_id: str, intent: str, entities: Mapping[str, str]) -> TurnReply:
        # Without `include_events` the answer holds the whole tracker.
        path = f"/conversations/{quote(call_id, safe='')}/trigger_intent?include_events=NONE"
        return await self._exchange(call_id, path, {"name": intent, "entities": entities})

    async def _exchange(self, call_id: str, path: str, body: Mapping[str, object]) -> TurnReply:
        lock = self._turns.setdefault(call_id, asyncio.Lock())
        reason = ""
        async with lock:
            for attempt in range(1, TRIES + 1):
                try:
                    return _reply(await self._post(path, body))
                except _TryAgain as failure:
                    reason = str(failure)
                    _log.warning("dialogue gave no reply", call_id=call_id, attempt=attempt, reason=reason)
        raise DialogueUnavailable(
            f"диалог {self._base_url} не ответил: {reason}",
            hint="работают ли Rasa и сервер действий? otklik doctor",
        )

    async def _post(self, path: str, body: Mapping[str, object]) -> object:
        url = f"{self._base_url}{path}"
        try:
            sent = self._session.post(url, json=body, headers=self._headers, timeout=self._timeout)
            async with sent as response:
                if response.status != 200:
                    raise _TryAgain(f"HTTP {response.status}")
                return await response.json()
        except TimeoutError as error:
            raise _TryAgain(f"нет ответа за {self._timeout.total} с") from error
        except (aiohttp.ClientError, ValueError) as error:
            raise _TryAgain(f"{type(error).__name__}: {error}") from error


def _reply(answer: object) -> TurnReply:
    """The one reply in Rasa's answer: a list of messages, or an object with `messages`."""
    messages = answer.get("messages") if isinstance(answer, Mapping) else answer
    if not isinstance(messages, Sequence) or len(messages) != 1 or not isinstance(messages[0], Mapping):
        raise _TryAgain("ход кончился без ответа")
    custom: Any = messages[0].get("custom")
    if isinstance(custom, Mapping) and "error" in custom:
        raise DialogueUnavailable(
            f"диалог отказал: {custom.get('message', '')} ({custom['error']})",
            hint=str(custom.get("hint", "")),
        )
    try:
        return TurnReply.model_validate(custom)
    except ValidationError as error:
        raise _TryAgain(f"ответ не по договору, ошибок: {error.error_count()}") from error
