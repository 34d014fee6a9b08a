"""Stored calls for the tests of pages: events as a worker spools them, drained by the real writer."""

from __future__ import annotations

import json
import wave
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from bot.call.spool import Spool, SpoolReader
from bot.core.answer import Answer, AnswerSource, AnswerStatus
from bot.core.clock import ManualClock
from bot.core.context import TurnSource, Word
from bot.core.endings import Disposition, EndKind
from bot.core.events import (
    Answered,
    AnswerRecorded,
    CallbackPromised,
    CallEnded,
    CallEvent,
    CallStarted,
    CaseOpened,
    PromptEnded,
    PromptStarted,
    RecordingStarted,
    ReplyMeasured,
    SignalRaised,
    TurnHeard,
)
from bot.core.intents import Topic
from bot.store.database import Database
from bot.store.queries import publish_survey
from bot.store.writer import Writer
from tests.store.talk import START

SURVEY = {
    "id": "nps",
    "questions": [
        {"id": "nps", "kind": "nps", "ask": "Порекомендуете нас?"},
        {"id": "solved", "kind": "yes_no", "ask": "Вопрос решён?"},
        {"id": "why", "kind": "open", "ask": "Почему?"},
    ],
}


def talk(
    call_id: str, number: int = 0, *, score: int = 2, ended: bool = True, **started: Any
) -> list[CallEvent]:
    """An unhappy customer: scores, is asked whether it is solved and why, and is owed a call."""
    about: dict[str, Any] = {
        "direction": "inbound", "remote": f"sip:+7900123456{number}@trunk", "survey_id": "nps",
        "survey_hash": "hash-1", "attempt_id": f"attempt-{call_id}", "agent_id": "anna",
        "department": "support",
    } | started  # fmt: skip
    events: list[CallEvent] = []

    def add(kind: Any, media_s: float | None = None, **fields: Any) -> None:
        at = START + timedelta(minutes=number, seconds=len(events))
        events.append(kind(call_id=call_id, seq=len(events), at=at, media_s=media_s, **fields))

    heard = Answer(
        status=AnswerStatus.ANSWERED, value=score, confidence=0.55, source=AnswerSource.SPEECH, heard="два",
        alternatives=(3,),
    )  # fmt: skip
    words = (Word(text="два", start=5.0, end=5.5, confidence=0.5),)
    add(CallStarted, **about)
    add(Answered, codec="PCMA", rate=8000)
    add(RecordingStarted, 1.0, file=f"{call_id}.wav")
    add(PromptStarted, 2.0, prompt=1, purpose="question", text="Порекомендуете <b>нас</b>?", duration_s=2.0,
        question_id="nps")  # fmt: skip
    add(PromptEnded, 4.0, prompt=1, heard_s=2.0, completed=True)
    add(TurnHeard, 6.0, question_id="nps", source=TurnSource.SPEECH, text="два", words=words, started_s=5.0,
        ended_s=5.5)  # fmt: skip
    add(AnswerRecorded, 6.0, question_id="nps", question_kind="nps", answer=heard)
    add(ReplyMeasured, question_id="nps", gap_ms=431.0, endpointing_ms=300.0, recognition_ms=40.0,
        dialogue_ms=61.0, first_audio_ms=30.0)  # fmt: skip
    add(TurnHeard, 9.0, question_id="why", source=TurnSource.SPEECH, text=f"очень долго ждала {call_id}",
        started_s=8.0, ended_s=9.0)  # fmt: skip
    add(SignalRaised, name="complaint", rule="complaint", topic=Topic.WAITING, words="долго ждала")
    add(CaseOpened, reason="unhappy", topic=Topic.WAITING, words="долго ждала", owner_id="anna")
    add(CallbackPromised, when="завтра", by="agent", owner_id="anna")
    if ended:
        add(CallEnded, cause=EndKind.LOCAL_HANGUP, disposition=Disposition.CALLBACK, duration_s=12.0 + number)
    return events


async def store(db: Database, folder: Path, calls: Iterable[list[CallEvent]]) -> None:
    title = "Оценка разговора"
    survey = {"hash_": "hash-1", "survey_id": "nps", "version": "1", "title": title}
    await publish_survey(db, **survey, json=json.dumps(SURVEY, ensure_ascii=False), now=START)
    async with Spool.open(folder, "media-1") as spool:
        for call in calls:
            for event in call:
                await spool.commit(event)
    await Writer(db, SpoolReader(folder), ManualClock(START)).drain_once()


def record(folder: Path, call_id: str, seconds: float = 10.0, rate: int = 8000) -> Path:
    """The caller hums in its first half, the bot in the second."""
    folder.mkdir(exist_ok=True)
    count = round(seconds * rate)
    hum = (8000 * np.sin(np.arange(count) / 8)).astype(np.int16)
    both = np.zeros((count, 2), np.int16)
    both[: count // 2, 0] = hum[: count // 2]
    both[count // 2 :, 1] = hum[count // 2 :]
    file = folder / f"{call_id}.wav"
    with wave.open(str(file), "wb") as sound:
        sound.setnchannels(2)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(both.tobytes())
    return file
