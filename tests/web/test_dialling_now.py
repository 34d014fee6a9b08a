"""What goes on now: the board is what the journal says, pages hear of it at once and see what they may."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from random import Random
from typing import Any

import pytest
from sqlmodel import col, select

from bot.accounts.roles import OBSERVERS, Role
from bot.core.answer import Answer, AnswerSource, AnswerStatus
from bot.core.clock import ManualClock
from bot.core.endings import Disposition, EndKind
from bot.core.errors import Unavailable
from bot.core.events import (
    Answered,
    AnswerRecorded,
    CallEnded,
    CallEvent,
    HandoverConnected,
    HandoverEnded,
    HandoverRinging,
    HandoverStarted,
    PromptEnded,
    PromptPaused,
    PromptResumed,
    PromptStarted,
    ReplyMeasured,
    Ringing,
)
from bot.store import campaigns as store
from bot.store.projection import project
from bot.store.tables import Attempt, AttemptStatus
from bot.store.tables_campaigns import CampaignRow
from bot.web.board import Board, Phase, Speaker
from bot.web.parts import Parts
from tests.campaigns.stage import campaign
from tests.store.talk import Talk
from tests.web.conftest import Client, Orders, sign_in
from tests.web.test_dialling_campaigns import told
from tests.web.test_dialling_contacts import page

NUMBER = "79001234567"


def whole_talk(number: int, chance: Random) -> list[CallEvent]:
    """A call as it may go, to a point that chance chooses: not answered, asked, handed over, ended."""
    talk = Talk(
        f"call-{number}", f"attempt-{number}", remote=f"sip:+7900123{number:04}@trunk",
        direction=chance.choice(("outbound", "inbound")),
    )  # fmt: skip
    events = [talk.started]
    if events[0].direction == "outbound":  # type: ignore[union-attr]
        events.append(talk.event(Ringing))
    if chance.random() < 0.8:
        events.append(talk.answered())
        for prompt in range(chance.randrange(1, 4)):
            said = {"prompt": prompt, "purpose": "question", "text": "…", "duration_s": 2.0}
            events.append(talk.event(PromptStarted, **said, question_id="nps"))
            events.append(talk.event(PromptEnded, prompt=prompt, heard_s=2.0, completed=True))
        events.append(talk.answer("nps", 2))
        if chance.random() < 0.4:
            events.append(talk.event(HandoverStarted, target="responsible", form="bridge", reason="low"))
            events.append(talk.event(HandoverRinging, target="responsible", agent_id="ivanova"))
            events.append(talk.event(HandoverConnected, target="responsible", agent_id="ivanova"))
            if chance.random() < 0.5:
                events.append(talk.event(HandoverEnded, target="responsible", talk_s=9.0, by="agent"))
    if chance.random() < 0.6:
        events.append(talk.ended(chance.choice((Disposition.COMPLETED, Disposition.BUSY))))
    return events


async def journal(parts: Parts, events: Sequence[CallEvent]) -> None:
    async with parts.db.write() as session:
        connection = await session.connection()
        for event in events:
            for change in project(event, parts.db.dialect, "node/worker-0"):
                await connection.execute(*change)


async def test_the_board_is_what_the_journal_says(parts: Parts) -> None:
    """Forty calls, their events mixed as they would come."""
    chance = Random(7)
    talks = [whole_talk(number, chance) for number in range(40)]
    events: list[CallEvent] = []
    while any(talks):
        events.append(chance.choice([talk for talk in talks if talk]).pop(0))
    board = parts.live.board
    step = 40
    for start in range(0, len(events), step):
        piece = events[start : start + step]
        for event in piece:
            parts.live.publish(event)
        await journal(parts, piece)
        stored = {attempt.call_id: attempt for attempt, _ in await store.live_attempts(parts.db)}
        shown = {call.call_id: call for call in board.calls}
        assert shown.keys() == stored.keys(), start
        for call_id, attempt in stored.items():
            call = shown[call_id or ""]
            talking = call.phase not in (Phase.DIALLING, Phase.RINGING)
            assert talking == (attempt.answered_at is not None), call
            assert (call.attempt_id, call.survey_id, call.direction) == (
                attempt.id, attempt.survey_id, attempt.direction,
            )  # fmt: skip
    async with parts.db.read() as session:
        over = select(Attempt).where(col(Attempt.status) == AttemptStatus.FINAL)
        ended = {row.call_id: row.disposition for row in (await session.exec(over)).all()}
    assert {each.call_id: each.disposition for each in board.ended} == ended
    assert 10 < len(ended) < 40


def test_who_has_the_word() -> None:
    talk, board = Talk("call-1", "attempt-1"), Board()
    said: dict[str, Any] = {"prompt": 1, "purpose": "question", "text": "…", "duration_s": 2.0}
    steps: list[tuple[CallEvent, Phase, Speaker]] = [
        (talk.started, Phase.DIALLING, Speaker.NOBODY),
        (talk.event(Ringing), Phase.RINGING, Speaker.NOBODY),
        (talk.answered(), Phase.TALKING, Speaker.CUSTOMER),
        (talk.event(PromptStarted, **said, question_id="nps"), Phase.TALKING, Speaker.BOT),
        (talk.event(PromptPaused, prompt=1, heard_s=1.0, voice_s=1.0), Phase.TALKING, Speaker.CUSTOMER),
        (talk.event(PromptResumed, prompt=1, because="noise"), Phase.TALKING, Speaker.BOT),
        (talk.event(PromptEnded, prompt=1, heard_s=2.0, completed=True), Phase.TALKING, Speaker.CUSTOMER),
        (
            talk.event(HandoverStarted, target="t", form="bridge", reason="r"),
            Phase.HANDOVER,
            Speaker.CUSTOMER,
        ),
        (talk.event(HandoverRinging, target="t", agent_id="ivanova"), Phase.HANDOVER, Speaker.CUSTOMER),
        (
            talk.event(PromptStarted, **said | {"purpose": "whisper"}),
            Phase.HANDOVER,
            Speaker.CUSTOMER,
        ),
        (talk.event(HandoverConnected, target="t", agent_id="ivanova"), Phase.WITH_AGENT, Speaker.BOTH),
        (talk.event(PromptStarted, **said), Phase.WITH_AGENT, Speaker.BOTH),
        (talk.event(HandoverEnded, target="t", talk_s=5.0, by="agent"), Phase.TALKING, Speaker.CUSTOMER),
    ]
    for event, phase, speaker in steps:
        board.take(event)
        call = board.call("call-1")
        assert call is not None
        assert (call.phase, call.speaker) == (phase, speaker), event
        assert call.since <= event.at
    assert call.question_id == "nps"
    assert not board.take(talk.event(PromptEnded, prompt=9, heard_s=2.0, completed=True))
    assert board.take(talk.ended())
    assert board.calls == []
    assert not board.take(talk.answered())  # of a call that is not known, nothing is made up


async def heard(reply: Any) -> AsyncIterator[tuple[str, str]]:
    """The server-sent events of a stream, with what they say."""
    name, lines = "", list[str]()
    async for raw in reply.content:
        line = raw.decode().rstrip("\r\n")
        if line.startswith("event:"):
            name = line.removeprefix("event:").strip()
        elif line.startswith("data:"):
            lines.append(line.removeprefix("data:").strip())
        elif not line and lines:
            yield name, "\n".join(lines)
            name, lines = "", []


LAG_S = 2.0
"""Within which a page hears of what happened."""


async def until(stream: AsyncIterator[tuple[str, str]], name: str, words: str) -> str:
    async with asyncio.timeout(LAG_S):
        async for part, html in stream:
            if part == name and words in html:
                return html
    raise AssertionError("the stream has ended")


async def test_the_page_hears_within_two_seconds_and_only_what_changed(
    client: Client, parts: Parts, control: Orders, clock: ManualClock
) -> None:
    await sign_in(client, parts, Role.OPS)
    control.answers["agents"] = {"agents": [
        {"id": "ivanova", "name": "Иванова", "active": True, "presence": "available", "on_shift": True,
         "desk": False, "live": 0}
    ]}  # fmt: skip
    control.answers["status"] = {"ready": True, "free_lines": 3, "trunk": "", "call_ids": ["call-1"]}
    assert "Звонков сейчас нет" in await page(client, "/now")
    talk = Talk("call-1", "attempt-1", remote=f"sip:+{NUMBER}@trunk")
    async with client.get("/now/live") as reply:
        stream = heard(reply)
        await until(stream, "agents", "Иванова")
        parts.live.publish(talk.started)
        assert f"+{NUMBER}" in await until(stream, "calls", "набираем")
        parts.live.publish(talk.answered())
        parts.live.publish(
            talk.event(
                ReplyMeasured, question_id="nps", gap_ms=312.0, endpointing_ms=1, recognition_ms=1,
                dialogue_ms=1, first_audio_ms=1,
            )
        )  # fmt: skip
        part, _ = await anext(stream)
        assert part in ("node", "calls")  # the agents are as they were
        await until(stream, "calls", "опрос")
        parts.live.publish(talk.ended())
        await until(stream, "ended", "пройден")
        control.answers["agents"] = Unavailable("узел ещё запускается")
        await until(stream, "agents", "узел ещё запускается")  # no event told of it
        clock.advance(parts.settings.session_s + 1)
        async with asyncio.timeout(5):
            assert [each async for each in stream if each[0] == "calls"] == []


async def test_calls_that_the_worker_no_longer_has_leave_the_board(
    client: Client, parts: Parts, control: Orders
) -> None:
    await sign_in(client, parts, Role.ADMIN)
    for number in (1, 2):
        parts.live.publish(Talk(f"call-{number}", f"a-{number}").started)
    control.answers["status"] = {"ready": True, "call_ids": ["call-2"]}
    await page(client, "/now")
    assert [call.call_id for call in parts.live.board.calls] == ["call-2"]
    parts.live.worker_lost()
    assert parts.live.board.calls == []


@pytest.mark.parametrize("role", OBSERVERS)
async def test_the_stream_of_events_shows_each_what_he_may_see(
    client: Client, parts: Parts, role: Role
) -> None:
    """Every observer sees every call; its number is whole for those who dial, words for admins."""
    await sign_in(client, parts, role)
    talk = Talk("call-1", "attempt-1", remote=f"sip:+{NUMBER}@trunk")
    said, source = "всё плохо", AnswerSource.SPEECH
    given = Answer(status=AnswerStatus.ANSWERED, value=said, confidence=1, source=source, heard=said)
    happened: list[CallEvent] = [
        talk.started,
        talk.event(Answered, codec="PCMA", rate=8000),
        talk.event(AnswerRecorded, question_id="reason", question_kind="open", answer=given),
        talk.event(CallEnded, cause=EndKind.LOCAL_HANGUP, disposition=Disposition.COMPLETED, duration_s=1),
    ]
    async with client.get("/live") as reply:
        for event in happened:
            parts.live.publish(event)
        stream, seen = heard(reply), list[dict[str, Any]]()
        async with asyncio.timeout(5):
            async for name, data in stream:
                assert name == "call"
                seen.append(json.loads(data))
                if len(seen) == len(happened):
                    break
    assert [each["kind"] for each in seen] == ["call_started", "answered", "answer_recorded", "call_ended"]
    whole = role is not Role.AUDITOR
    assert (NUMBER in json.dumps(seen)) is whole
    assert seen[0]["remote"] == (f"sip:+{NUMBER}@trunk" if whole else "***67")
    assert ("всё плохо" in json.dumps(seen, ensure_ascii=False)) is (role is Role.ADMIN)


async def test_a_stream_that_cannot_go_on_ends_and_the_browser_asks_anew(
    client: Client, parts: Parts, control: Orders, clock: ManualClock
) -> None:
    await sign_in(client, parts, Role.MANAGER)
    definition = campaign("after").model_dump_json()
    row = CampaignRow(
        id="after", survey_id="nps", definition=definition, created_at=clock.now(), changed_at=clock.now()
    )
    await store.create(parts.db, row, None, clock.now())
    control.answers["campaign"] = told()
    async with client.get("/campaigns/after/live") as reply:
        stream = heard(reply)
        await until(stream, "head", "идёт")
        control.answers["campaign"] = Unavailable("узел останавливается")
        async with asyncio.timeout(LAG_S * 2):
            assert all([name != "head" async for name, _ in stream])
        assert reply.status == 200
