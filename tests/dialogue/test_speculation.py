"""Guesses with the real Rasa: they read words, and leave a conversation as it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aiohttp

from bot.call.dialogue import RasaDialogue
from bot.call.speculation import Speculation
from bot.core.context import CallContext
from bot.core.directives import Ask, Record
from bot.core.intents import Intent
from dialogue.running import RunningDialogue
from tests.dialogue.surveys import nps_survey
from tests.dialogue.test_conversations import only, said


async def tracker_of(servers: RunningDialogue, http: aiohttp.ClientSession, call_id: str) -> Any:
    async with http.get(
        f"{servers.rasa_url}/conversations/{call_id}/tracker", headers=servers.headers
    ) as response:
        return await response.json()


async def test_a_turn_that_was_guessed_and_then_went_on_leaves_the_tracker_unchanged(
    servers: RunningDialogue,
    rasa: RasaDialogue,
    http: aiohttp.ClientSession,
    context: CallContext,
    surveys_dir: Path,
) -> None:
    ready: list[str] = []

    async def get(text: str) -> None:
        ready.append(text)

    speculation = Speculation(nps_survey(), context, rasa, get)
    speculation.started(await rasa.start(context))
    before = await tracker_of(servers, http, context.call_id)
    for text in ("восемь", "восемь ой нет", "восемь ой нет девять", "соедините с оператором"):
        speculation.guess(text)
        await speculation.guessed()
        assert speculation.likely is not None
    assert ready
    assert await tracker_of(servers, http, context.call_id) == before

    speculation.guess("восемь ой нет девять")
    await speculation.guessed()
    foreseen = speculation.likely
    turn = said("восемь ой нет девять", confidence=1.0)
    reply = await rasa.turn(context.call_id, turn)
    assert only(reply, Record).answer.value == 9
    assert reply.directives == foreseen
    speculation.committed(turn, reply)
    assert await tracker_of(servers, http, context.call_id) != before

    speculation.guess("да решили")
    await speculation.guessed()
    reply = await rasa.turn(context.call_id, said("да решили", confidence=1.0))
    assert reply.directives == speculation.likely


async def test_words_are_read_as_in_a_turn(rasa: RasaDialogue, context: CallContext) -> None:
    await rasa.start(context)
    for text in ("девять", "оператор нахамил", "больше не звоните", "[unk]", "/restart"):
        parsed = await rasa.parse(text)
        reply = await rasa.turn(context.call_id, said(text))
        if text == "больше не звоните":
            assert parsed is not None
            assert parsed.intent is Intent.OPT_OUT
            break
        assert parsed == reply.understood


async def test_what_is_added_to_an_answer_corrects_it(rasa: RasaDialogue, context: CallContext) -> None:
    await rasa.start(context)
    first = await rasa.turn(context.call_id, said("восемь"))
    added = said("ой нет девять").model_copy(update={"after_s": 0.7})
    reply = await rasa.turn(context.call_id, added)
    assert only(reply, Record).answer.value == 9
    assert only(reply, Ask) == only(first, Ask)
