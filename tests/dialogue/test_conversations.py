"""Whole conversations with the real Rasa server and the real action server."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import pytest

from bot.call.dialogue import RasaDialogue
from bot.core.answer import AnswerStatus
from bot.core.context import CallContext, TurnSource, UserTurn, Word
from bot.core.directives import Ask, End, Offer, OptOut, Record, Signal, Transfer, TurnReply
from bot.core.endings import Disposition
from bot.core.errors import DialogueUnavailable
from bot.core.ids import new_id
from bot.core.intents import Intent, Topic
from dialogue.running import RunningDialogue
from tests.dialogue.surveys import nps_survey, publish

Kind = TypeVar("Kind")


def said(text: str, confidence: float = 0.9) -> UserTurn:
    words = tuple(
        Word(text=word, start=0.3 * place, end=0.3 * place + 0.2, confidence=confidence)
        for place, word in enumerate(text.split())
    )
    return UserTurn(source=TurnSource.SPEECH, text=text, words=words)


def pressed(digits: str) -> UserTurn:
    return UserTurn(source=TurnSource.DTMF, digits=digits)


SILENCE = UserTurn(source=TurnSource.SILENCE)
NOBODY = UserTurn(source=TurnSource.HANDOVER_FAILED)


def only(reply: TurnReply, kind: type[Kind]) -> Kind:
    """The one directive of this kind."""
    found = [directive for directive in reply.directives if isinstance(directive, kind)]
    assert len(found) == 1, f"{kind.__name__} in {reply.directives}"
    return found[0]


async def test_a_satisfied_customer_answers_all(rasa: RasaDialogue, context: CallContext) -> None:
    opening = await rasa.start(context)
    assert [directive.kind for directive in opening.directives] == ["say", "say", "ask"]
    assert only(opening, Ask).question_id == "nps"

    scored = await rasa.turn(context.call_id, said("ну наверное девять", confidence=0.8))
    assert only(scored, Record).answer.value == 9
    assert only(scored, Record).answer.confidence == pytest.approx(0.8)
    assert scored.understood is not None
    assert scored.understood.intent is Intent.ANSWER_SCORE

    resolved = await rasa.turn(context.call_id, said("да решили"))
    assert only(resolved, Record).answer.value == "yes"

    closing = await rasa.turn(context.call_id, said("всё понравилось"))
    assert only(closing, Record).answer.value == "всё понравилось"
    assert only(closing, End).disposition is Disposition.COMPLETED


async def test_an_unhappy_customer_is_offered_a_human(rasa: RasaDialogue, context: CallContext) -> None:
    await rasa.start(context)
    await rasa.turn(context.call_id, pressed("2"))
    await rasa.turn(context.call_id, said("нет не решили"))
    offered = await rasa.turn(context.call_id, said("очень долго ждал и оператор нахамил"))
    assert only(offered, Offer).offer == "human"
    assert offered.understood is not None
    assert offered.understood.intent is Intent.COMPLAIN
    assert offered.understood.topic in {Topic.WAITING, Topic.RUDENESS}

    accepted = await rasa.turn(context.call_id, said("да соедините"))
    assert only(accepted, Transfer).target == "responsible"

    failed = await rasa.turn(context.call_id, NOBODY)
    assert only(failed, End).disposition is Disposition.CALLBACK


async def test_an_interruption_comes_back_to_the_question(rasa: RasaDialogue, context: CallContext) -> None:
    await rasa.start(context)
    repeated = await rasa.turn(context.call_id, said("повторите пожалуйста"))
    assert only(repeated, Ask).question_id == "nps"
    introduced = await rasa.turn(context.call_id, said("а кто это"))
    assert introduced.understood is not None
    assert introduced.understood.intent is Intent.ASK_IDENTITY
    assert only(introduced, Ask).question_id == "nps"
    complained = await rasa.turn(context.call_id, said("оператор нахамил"))
    assert only(complained, Signal).topic is Topic.RUDENESS
    answered = await rasa.turn(context.call_id, said("три"))
    assert only(answered, Record).answer.value == 3


async def test_a_long_call_is_no_heavier_than_a_short_one(
    servers: RunningDialogue, http: aiohttp.ClientSession, rasa: RasaDialogue, context: CallContext
) -> None:
    """Rasa goes through all that it keeps of a call a dozen times a turn: of earlier turns it is little."""

    async def kept() -> list[dict[str, Any]]:
        url = f"{servers.rasa_url}/conversations/{context.call_id}/tracker?include_events=ALL"
        async with http.get(url, headers=servers.headers) as reply:
            return list((await reply.json())["events"])

    await rasa.start(context)
    for turn in (SILENCE, said("повторите пожалуйста")):
        await rasa.turn(context.call_id, turn)
    short = await kept()
    for _ in range(3):
        await rasa.turn(context.call_id, said("а кто это"))
        await rasa.turn(context.call_id, said("повторите пожалуйста"))
    events = await kept()
    assert len(events) == len(short)
    assert len(json.dumps(events)) < 1.5 * len(json.dumps(short))
    assert sum(event["event"] == "slot" and event["name"] == "conversation" for event in events) == 1
    assert only(await rasa.turn(context.call_id, said("да решили")), Record).answer.value == "yes"


async def test_no_more_calls_ends_at_once(rasa: RasaDialogue, context: CallContext) -> None:
    await rasa.start(context)
    reply = await rasa.turn(context.call_id, said("больше не звоните"))
    assert only(reply, OptOut)
    assert only(reply, End).disposition is Disposition.OPTED_OUT


async def test_a_turn_after_the_end_changes_nothing(rasa: RasaDialogue, context: CallContext) -> None:
    await rasa.start(context)
    await rasa.turn(context.call_id, said("больше не звоните"))
    for turn in (said("алло"), SILENCE, pressed("5")):
        assert (await rasa.turn(context.call_id, turn)).directives == ()


async def test_the_last_answer_is_corrected_after_the_end(
    rasa: RasaDialogue, context: CallContext, surveys_dir: Path
) -> None:
    """And withdrawn: then the survey goes on, though Rasa's form has been closed."""
    survey = nps_survey()
    short = survey.model_copy(update={"questions": survey.questions[:1], "triage": ()})
    call = context.model_copy(update={"survey_hash": publish(short, surveys_dir)})
    await rasa.start(call)
    assert only(await rasa.turn(call.call_id, said("восемь")), End).disposition is Disposition.COMPLETED
    soon = {"after_s": 0.8}
    corrected = await rasa.turn(call.call_id, said("ой нет девять").model_copy(update=soon))
    assert only(corrected, Record).answer.value == 9
    assert only(corrected, End).disposition is Disposition.COMPLETED
    withdrawn = await rasa.turn(call.call_id, said("не девять").model_copy(update=soon))
    assert only(withdrawn, Record).answer.status is AnswerStatus.NO_ANSWER
    assert only(withdrawn, Ask).question_id == "nps"
    assert only(await rasa.turn(call.call_id, SILENCE), Ask).question_id == "nps"
    assert only(await rasa.turn(call.call_id, said("десять")), Record).answer.value == 10


async def test_keys_and_silence(rasa: RasaDialogue, context: CallContext) -> None:
    await rasa.start(context)
    asked_again = await rasa.turn(context.call_id, SILENCE)
    assert only(asked_again, Ask).attempt == 2
    assert asked_again.understood is None
    keyed = await rasa.turn(context.call_id, pressed("10"))
    assert only(keyed, Record).answer.value == 10
    assert only(keyed, Record).answer.heard == "10"


async def test_endless_silence_ends_the_call(rasa: RasaDialogue, context: CallContext) -> None:
    reply = await rasa.start(context)
    for _ in range(12):
        if isinstance(reply.directives[-1], End):
            break
        reply = await rasa.turn(context.call_id, SILENCE)
    assert only(reply, End).disposition is Disposition.NO_INPUT


async def test_nonsense_is_asked_again(rasa: RasaDialogue, context: CallContext) -> None:
    await rasa.start(context)
    for nonsense in ("бурбулятор квазар", "[unk] [unk] [unk]"):
        reply = await rasa.turn(context.call_id, said(nonsense))
        assert {directive.kind for directive in reply.directives} <= {"say", "ask"}
        assert only(reply, Ask).question_id == "nps"
        assert reply.understood is not None
        assert reply.understood.intent is Intent.OUT_OF_SCOPE


async def test_words_are_never_a_command(rasa: RasaDialogue, context: CallContext) -> None:
    await rasa.start(context)
    reply = await rasa.turn(context.call_id, said("/restart"))
    assert only(reply, Ask).question_id == "nps"
    answered = await rasa.turn(context.call_id, said("восемь"))
    assert only(answered, Record).answer.value == 8


async def test_two_calls_do_not_mix(rasa: RasaDialogue, context: CallContext) -> None:
    other = context.model_copy(update={"call_id": new_id("call")})
    await rasa.start(context)
    await rasa.start(other)
    await rasa.turn(context.call_id, said("девять"))
    await rasa.turn(other.call_id, SILENCE)
    first = await rasa.turn(context.call_id, said("да"))
    second = await rasa.turn(other.call_id, said("один"))
    assert only(first, Record).question_id == "resolved"
    assert only(second, Record).answer.value == 1


async def test_a_new_survey_is_asked_without_training(
    rasa: RasaDialogue, context: CallContext, surveys_dir: Path
) -> None:
    changed = publish(nps_survey("Посоветуете ли вы нас друзьям, от нуля до десяти?"), surveys_dir)
    reply = await rasa.start(context.model_copy(update={"survey_hash": changed}))
    assert only(reply, Ask).text == "Посоветуете ли вы нас друзьям, от нуля до десяти?"


async def test_an_unknown_survey_is_refused(rasa: RasaDialogue, context: CallContext) -> None:
    with pytest.raises(DialogueUnavailable, match="версии 0000"):
        await rasa.start(context.model_copy(update={"survey_hash": "0" * 64}))


async def test_a_call_that_rasa_forgot_is_refused(rasa: RasaDialogue) -> None:
    for turn in (said("девять"), pressed("9")):
        with pytest.raises(DialogueUnavailable, match="утерян"):
            await rasa.turn(new_id("call"), turn)


# A turn that is sent twice --------------------------------------------------------------------


async def send(http: aiohttp.ClientSession, servers: RunningDialogue, url: str, body: dict[str, Any]) -> Any:
    async with http.post(url, json=body, headers=servers.headers) as reply:
        return await reply.json()


async def test_a_repeated_start_is_one_start(
    servers: RunningDialogue, http: aiohttp.ClientSession, rasa: RasaDialogue, context: CallContext
) -> None:
    metadata = {"turn_id": "turn-1", "context": context.model_dump(mode="json")}
    body = {"sender": context.call_id, "message": "/start_survey", "metadata": metadata}
    url = f"{servers.rasa_url}/webhooks/rest/webhook"
    assert await send(http, servers, url, body) == await send(http, servers, url, body)
    answered = await rasa.turn(context.call_id, said("девять"))
    assert only(answered, Record).answer.value == 9


@pytest.mark.parametrize("text", ["девять", "оператор нахамил", "больше не звоните"])
async def test_repeated_speech_is_one_turn(
    text: str, servers: RunningDialogue, http: aiohttp.ClientSession, rasa: RasaDialogue, context: CallContext
) -> None:
    """An answer, an interruption, and one that ends the call: each way through the rules."""
    await rasa.start(context)
    metadata = {"turn_id": "turn-2", "turn": said(text).model_dump(mode="json")}
    body = {"sender": context.call_id, "message": text, "metadata": metadata}
    url = f"{servers.rasa_url}/webhooks/rest/webhook"
    first, second = await send(http, servers, url, body), await send(http, servers, url, body)
    assert len(first) == 1
    assert first == second


async def test_a_repeated_key_is_one_turn(
    servers: RunningDialogue, http: aiohttp.ClientSession, rasa: RasaDialogue, context: CallContext
) -> None:
    await rasa.start(context)
    body = {"name": "dtmf", "entities": {"turn_id": "turn-3", "digits": "7"}}
    url = f"{servers.rasa_url}/conversations/{context.call_id}/trigger_intent?include_events=NONE"
    first, second = await send(http, servers, url, body), await send(http, servers, url, body)
    assert first["messages"] == second["messages"]
    following = await rasa.turn(context.call_id, said("да"))
    assert only(following, Record).question_id == "resolved"


async def test_a_rasa_that_hangs_is_given_up(
    servers: RunningDialogue, http: aiohttp.ClientSession, rasa: RasaDialogue, context: CallContext
) -> None:
    await rasa.start(context)
    hasty = RasaDialogue(servers.rasa_url, http, token=servers.token, timeout_s=0.3)
    with stopped(servers.rasa.pid):
        began = time.monotonic()
        with pytest.raises(DialogueUnavailable, match="нет ответа за"):
            await hasty.turn(context.call_id, said("девять"))
        assert time.monotonic() - began >= 2 * 0.3


async def test_a_turn_that_was_given_up_moves_once(
    servers: RunningDialogue, http: aiohttp.ClientSession, rasa: RasaDialogue, context: CallContext
) -> None:
    """Two tries are lost while Rasa hangs; whether they arrived or not, the third is the same turn."""
    await rasa.start(context)
    body = {"name": "dtmf", "entities": {"turn_id": "turn-4", "digits": "9"}}
    url = f"{servers.rasa_url}/conversations/{context.call_id}/trigger_intent?include_events=NONE"
    with stopped(servers.rasa.pid):
        for _ in range(2):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(send(http, servers, url, body), timeout=0.2)
    reply = TurnReply.model_validate((await send(http, servers, url, body))["messages"][0]["custom"])
    assert only(reply, Record).question_id == "nps"
    following = await rasa.turn(context.call_id, said("нет"))
    assert only(following, Record).question_id == "resolved"


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """A process that is there and does nothing."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)
