"""The actions without Rasa: trackers by hand, over the action server's own HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer

from bot.core.context import CallContext, TurnSource, UserTurn
from bot.core.directives import Understood
from bot.core.errors import SurveyInvalid
from bot.core.intents import Intent, Topic
from bot.surveys.understanding import understand
from dialogue.actions.conversation import Conversation, advance, begin
from dialogue.actions.server import create_app
from dialogue.actions.shelf import SurveyShelf
from tests.dialogue.surveys import nps_survey, publish

TOKEN = "token"
KNOWN = {"Authorization": f"Bearer {TOKEN}"}


def ranking(**confidences: float) -> dict[str, Any]:
    entries = [{"name": name, "confidence": value} for name, value in confidences.items()]
    return {"intent": entries[0], "intent_ranking": entries}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def context(folder: Path) -> CallContext:
    return CallContext(call_id="c", survey_hash=publish(nps_survey(), folder), direction="outbound")


@pytest_asyncio.fixture
async def webhook(folder: Path) -> AsyncIterator[str]:
    async with TestServer(create_app(SurveyShelf(folder), TOKEN)) as server:
        yield f"http://127.0.0.1:{server.port}/webhook"


class Talk:
    """A tracker that grows as Rasa's would."""

    def __init__(self, http: aiohttp.ClientSession, webhook: str) -> None:
        self._http = http
        self._webhook = webhook
        self.slots: dict[str, Any] = {"conversation": None, "answer": None, "requested_slot": None}

    async def run(self, action: str, message: dict[str, Any], *candidates: dict[str, Any]) -> dict[str, Any]:
        call = {
            "next_action": action,
            "sender_id": "c",
            "tracker": {
                "sender_id": "c",
                "slots": self.slots,
                "latest_message": {"entities": [], "metadata": {}, **message},
                "events": [{"event": "action", "name": "survey_form"}, *candidates],
                "active_loop": {"name": "survey_form"},
                "latest_action_name": "action_listen",
                "paused": False,
                "followup_action": None,
            },
        }
        async with self._http.post(self._webhook, json=call, headers=KNOWN) as reply:
            assert reply.status == 200
            result: dict[str, Any] = await reply.json()
        for event in result["events"]:
            self.slots[event["name"]] = event["value"]
        return result

    async def start(self, context: CallContext, turn_id: str = "turn-0") -> dict[str, Any]:
        metadata = {"turn_id": turn_id, "context": context.model_dump(mode="json")}
        return await self.run("action_start_survey", {"metadata": metadata})

    async def answer(self, text: str, turn_id: str, intent: str = "answer_score") -> dict[str, Any]:
        turn = UserTurn(source=TurnSource.SPEECH, text=text).model_dump(mode="json")
        message = {"text": text, "metadata": {"turn_id": turn_id, "turn": turn}, **ranking(**{intent: 0.9})}
        slot = {"event": "slot", "name": "answer", "value": text}
        return await self.run("validate_survey_form", message, slot)


@pytest.fixture
def talk(http: aiohttp.ClientSession, webhook: str) -> Talk:
    return Talk(http, webhook)


def replies(result: dict[str, Any]) -> list[str]:
    """The kinds of the one reply's directives."""
    assert len(result["responses"]) == 1
    return [directive["kind"] for directive in result["responses"][0]["custom"]["directives"]]


async def test_the_form_asks_for_one_slot_until_the_end(talk: Talk, context: CallContext) -> None:
    assert replies(await talk.start(context)) == ["say", "say", "ask"]
    assert replies(await talk.answer("девять", "turn-1"))[0] == "record"
    assert (talk.slots["answer"], talk.slots["requested_slot"]) == (None, "answer")
    await talk.answer("да", "turn-2", "affirm")
    assert replies(await talk.answer("всё хорошо", "turn-3", "praise"))[-1] == "end"
    assert talk.slots["conversation"]["state"]["stage"] == "ended"


async def test_a_turn_reads_its_conversation_once(
    talk: Talk, context: CallContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is most of what a turn brings: rasa_sdk asks several times which slots the form still wants."""
    read: list[object] = []
    validate = Conversation.model_validate

    def counted(kept: object) -> Conversation:
        read.append(kept)
        return validate(kept)

    await talk.start(context)
    monkeypatch.setattr(Conversation, "model_validate", counted)
    assert replies(await talk.answer("девять", "turn-1"))[0] == "record"
    assert len(read) == 1


async def test_a_repeated_turn_gets_the_same_reply(talk: Talk, context: CallContext) -> None:
    await talk.start(context)
    first = await talk.answer("девять", "turn-1")
    assert await talk.answer("девять", "turn-1") == first
    assert (await talk.answer("девять", "turn-2")) != first


async def test_a_repeated_start_does_not_start_over(talk: Talk, context: CallContext) -> None:
    first = await talk.start(context, "turn-0")
    assert await talk.start(context, "turn-0") == first


async def test_an_interruption_leaves_the_slot_empty(talk: Talk, context: CallContext) -> None:
    """Else the form would take the caller's words for its answer and end."""
    await talk.start(context)
    talk.slots["answer"] = "повторите"
    message = {"text": "повторите", "metadata": {"turn_id": "turn-1"}, **ranking(ask_repeat=0.9)}
    assert replies(await talk.run("action_interruption", message))[-1] == "ask"
    assert talk.slots["answer"] is None


async def test_keys_come_as_entities(talk: Talk, context: CallContext) -> None:
    await talk.start(context)
    entities = [{"entity": "digits", "value": "7"}, {"entity": "turn_id", "value": "turn-1"}]
    message = {"intent": {"name": "dtmf"}, "entities": entities}
    result = await talk.run(
        "validate_survey_form", message, {"event": "slot", "name": "answer", "value": "EXTERNAL: dtmf"}
    )
    recorded = result["responses"][0]["custom"]["directives"][0]
    assert (recorded["kind"], recorded["answer"]["value"]) == ("record", 7)


async def test_a_lost_conversation_is_told(talk: Talk) -> None:
    result = await talk.run("action_outside", {"text": "алло", **ranking(ask_repeat=0.9)})
    assert result["responses"][0]["custom"]["error"] == "dialogue_unavailable"


@pytest.mark.parametrize("metadata", [{}, {"context": {"call_id": "c"}}])
async def test_a_start_without_a_context_is_refused(metadata: dict[str, Any], talk: Talk) -> None:
    result = await talk.run("action_start_survey", {"metadata": metadata})
    assert result["responses"][0]["custom"]["error"] == "bad_input"
    assert talk.slots["conversation"] is None


async def test_an_unknown_survey_is_refused(talk: Talk, context: CallContext) -> None:
    result = await talk.start(context.model_copy(update={"survey_hash": "f" * 64}))
    assert result["responses"][0]["custom"]["error"] == "survey_invalid"


async def test_the_server_speaks_rasas_protocol(http: aiohttp.ClientSession, webhook: str) -> None:
    async with http.get(webhook.replace("webhook", "health")) as reply:
        assert await reply.json() == {"status": "ok"}
    async with http.post(webhook, json={"sender_id": "c"}, headers=KNOWN) as reply:
        assert (reply.status, await reply.json()) == (200, {})
    async with http.post(webhook, data=b"{", headers=KNOWN) as reply:
        assert reply.status == 400
    unknown = {"next_action": "action_dance", "tracker": {}, "sender_id": "c"}
    async with http.post(webhook, json=unknown, headers=KNOWN) as reply:
        assert (reply.status, (await reply.json())["action_name"]) == (404, "action_dance")


@pytest.mark.parametrize("given", [{}, {"Authorization": "Bearer tolen"}, {"Authorization": "токен"}])
async def test_an_action_is_run_for_those_alone_who_know_the_token(
    given: dict[str, str], http: aiohttp.ClientSession, webhook: str
) -> None:
    async with http.post(webhook, json={"sender_id": "c"}, headers=given) as reply:
        assert reply.status == 401


# The pure parts -------------------------------------------------------------------------------


def test_the_shelf_reads_a_survey_once(folder: Path) -> None:
    digest = publish(nps_survey(), folder)
    shelf = SurveyShelf(folder)
    assert shelf.by_hash(digest) == nps_survey()
    (folder / f"{digest}.json").unlink()
    assert shelf.by_hash(digest) is shelf.by_hash(digest)


@pytest.mark.parametrize("digest", ["../secret", "", "0" * 64, "ABCDEF0123", "/etc/passwd"])
def test_the_shelf_stays_in_its_folder(digest: str, folder: Path) -> None:
    with pytest.raises(SurveyInvalid):
        SurveyShelf(folder).by_hash(digest)


def test_the_shelf_refuses_what_is_no_survey(folder: Path) -> None:
    (folder / f"{'a' * 64}.json").write_text("{}")
    with pytest.raises(SurveyInvalid):
        SurveyShelf(folder).by_hash("a" * 64)


def test_what_was_understood_reaches_the_flow(context: CallContext) -> None:
    """The same words, once as an interruption and once as nothing in particular."""
    survey = nps_survey()
    opened = begin(survey, context, "turn-0")
    turn = UserTurn(source=TurnSource.SPEECH, text="оператор нахамил")
    rude = Understood(intent=Intent.COMPLAIN, confidence=0.95, topic=Topic.RUDENESS)
    complained = advance(survey, opened, turn, "turn-1", rude)
    assert complained.reply.understood == rude
    assert complained.state.topic is Topic.RUDENESS
    ignored = advance(survey, opened, turn, "turn-1")
    assert ignored.reply.understood is None
    assert ignored.state.topic is None


def test_a_complaint_is_the_sum_of_its_topics() -> None:
    found = understand(
        ranking(answer_score=0.4, complain_waiting=0.35, complain_rudeness=0.2, nlu_fallback=0.7)
    )
    assert found is not None
    assert (found.intent, found.topic) == (Intent.COMPLAIN, Topic.WAITING)
    assert found.confidence == pytest.approx(0.55)


def test_weak_intents_are_not_understood() -> None:
    found = understand(ranking(nlu_fallback=0.7, request_agent=0.25, goodbye=0.2, out_of_scope=0.1))
    assert found == Understood(intent=Intent.OUT_OF_SCOPE, confidence=0.1)


def test_triggered_intents_are_not_understood() -> None:
    assert understand({"intent": {"name": "dtmf", "confidence": 1.0}}) is None
    assert understand(ranking(start_survey=1.0)) is None
