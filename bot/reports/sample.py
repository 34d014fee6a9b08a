"""A year of made-up calls in an empty database, as many answers as are asked for: what benchmarks measure on.

Everything is drawn from one seed, so that two runs measure the same rows. Rows are what the writer would
have projected; the events themselves are not made.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import func, insert
from sqlmodel import select

from bot.core.answer import AnswerSource, AnswerStatus
from bot.core.endings import Disposition, EndKind
from bot.core.errors import BadInput
from bot.store.database import Database
from bot.store.projection_reports import COPIED, NO_ANSWER
from bot.store.tables import AnswerRow, Attempt, AttemptStatus, Handover, HandoverOutcome, SurveyRow
from bot.store.tables_reports import QuestionPut, SignalRow
from bot.store.tables_transcripts import Transcript
from bot.store.transcripts import folded

START = datetime(2025, 1, 1, tzinfo=UTC)
DAYS = 365
AGENTS = 60
DEPARTMENTS = 6
BATCH = 4000
"""Calls in one transaction."""

_QUESTIONS: list[dict[str, Any]] = [
    {"id": "nps", "kind": "nps", "ask": "Насколько вероятно, что вы порекомендуете нас?"},
    {"id": "csat", "kind": "csat", "ask": "Оцените работу сотрудника", "points": 5, "positive": [4, 5]},
    {"id": "ces", "kind": "ces", "ask": "Было легко?", "direction": "higher_is_easier"},
    {"id": "resolved", "kind": "yes_no", "ask": "Вопрос решён?"},
    {
        "id": "channel",
        "kind": "choice",
        "ask": "Как вы обращались?",
        "options": [{"id": "phone", "say": ["по телефону"]}, {"id": "chat", "say": ["в чате"]}],
    },
    {"id": "visits", "kind": "number", "ask": "Сколько раз вы обращались?", "high": 20},
    {"id": "comment", "kind": "open", "ask": "Что нам улучшить?"},
]
_TOPICS = ("waiting", "rudeness", "unresolved", "billing", "quality")
_COMMENTS = ("всё хорошо", "долго ждал на линии", "сотрудник не разобрался", "спасибо за помощь")
WORDS = (
    "да", "нет", "ну", "я", "вы", "не", "это", "что", "оператор", "спасибо", "вопрос", "решили", "ждал",
    "долго", "звонил", "хорошо", "договор", "оплата", "счёт", "интернет", "телефон", "доставка", "заказ",
    "вернуть", "деньги", "грубо", "вежливо", "помог", "объяснил", "перезвонить", "суд", "курьер", "возмущён",
)  # fmt: skip
_UNREACHED = (
    Disposition.NO_ANSWER,
    Disposition.NO_ANSWER,
    Disposition.BUSY,
    Disposition.VOICEMAIL,
    Disposition.DECLINED,
)
_SURVEYS = ("sample_a", "sample_b", "sample_c")


@dataclass(slots=True)
class Rows:
    """What one transaction inserts, by table."""

    attempts: list[dict[str, Any]] = field(default_factory=list)
    answers: list[dict[str, Any]] = field(default_factory=list)
    put: list[dict[str, Any]] = field(default_factory=list)
    signals: list[dict[str, Any]] = field(default_factory=list)
    handovers: list[dict[str, Any]] = field(default_factory=list)
    transcripts: list[dict[str, Any]] = field(default_factory=list)

    def tables(self) -> tuple[tuple[Any, list[dict[str, Any]]], ...]:
        return (
            (Attempt, self.attempts),
            (AnswerRow, self.answers),
            (QuestionPut, self.put),
            (SignalRow, self.signals),
            (Handover, self.handovers),
            (Transcript, self.transcripts),
        )


def surveys() -> list[SurveyRow]:
    return [
        SurveyRow(
            hash=f"hash-{survey_id}",
            id=survey_id,
            version="1",
            title=f"Опрос {survey_id[-1].upper()}",
            json_=json.dumps({"id": survey_id, "questions": _QUESTIONS}, ensure_ascii=False),
            published_at=START,
        )
        for survey_id in _SURVEYS
    ]


def batches(answers: int, seed: int) -> Iterator[Rows]:
    """Calls until there are exactly so many answers, day after day, as they would come."""
    chance = Random(seed)
    rows, left, number = Rows(), answers, 0
    while left > 0:
        day = START + timedelta(days=DAYS * (answers - left) // answers)
        left -= _call(rows, number, day, left, chance, max(answers // 12, 50))
        number += 1
        if len(rows.attempts) == BATCH:
            yield rows
            rows = Rows()
    yield rows


def _call(rows: Rows, number: int, day: datetime, left: int, chance: Random, phones: int) -> int:
    """One call; how many answers it has, at most `left`."""
    at = day + timedelta(hours=chance.triangular(6, 18, 10))
    inbound = chance.random() < 0.4
    human = inbound or chance.random() < 0.75
    call_id = f"call-{number:08}"
    agent = chance.randrange(AGENTS)
    survey_id = chance.choices(_SURVEYS, (6, 3, 1))[0]
    reached = chance.choices(range(len(_QUESTIONS) + 1), (4, 3, 2, 2, 1, 1, 2, 85))[0] if human else 0
    given = min(reached, left)
    ended = at + timedelta(seconds=20 + 12 * given)
    answered_at = at + timedelta(seconds=chance.uniform(2, 15)) if human else None
    asked_at = answered_at + timedelta(seconds=9) if answered_at else None
    finished = given == len(_QUESTIONS)
    handed = human and given > 0 and chance.random() < 0.06
    if not human:
        disposition = chance.choice(_UNREACHED)
    elif handed:
        disposition = Disposition.TRANSFERRED
    elif finished:
        disposition = Disposition.COMPLETED
    else:
        disposition = Disposition.PARTIAL if given else Disposition.HUNG_UP
    rows.attempts.append(
        {
            "id": f"attempt-{number:08}", "contact_id": None, "survey_id": survey_id,
            "survey_hash": f"hash-{survey_id}", "direction": "inbound" if inbound else "outbound",
            "to_uri": "", "phone": f"7900{chance.randrange(phones):07}", "agent_id": f"agent-{agent:03}",
            "department": f"dept-{agent % DEPARTMENTS}", "campaign_id": None, "conversation_id": "",
            "attribution": "",
            "status": AttemptStatus.FINAL.value, "worker": "", "call_id": call_id,
            "disposition": disposition.value, "end_cause": EndKind.LOCAL_HANGUP.value,
            "duration_s": (ended - at).total_seconds(), "recording": "", "created_at": at,
            "dialled_at": None if inbound else at, "answered_at": answered_at, "asked_at": asked_at,
            "ended_at": ended,
        }
    )  # fmt: skip
    if asked_at is not None:
        answered, words = len(rows.answers), Random(number)  # the other rows stay what they were
        _answers(rows, rows.attempts[-1], given, asked_at, chance)
        _around(rows, call_id, ended, handed, chance)
        said = _said(rows, len(rows.answers) - answered, words)
        rows.transcripts.append({"call_id": call_id, "text": said})
    return given


def _answers(rows: Rows, call: dict[str, Any], given: int, at: datetime, chance: Random) -> None:
    call_id = call["call_id"]
    copied = {name: call[name] for name in COPIED}
    for place, question in enumerate(_QUESTIONS[: given + 1]):
        times = 2 if chance.random() < 0.12 else 1
        put = {"call_id": call_id, "question_id": question["id"], "times": times, "at": at, **copied}
        if place == given:
            rows.put.append({**put, **NO_ANSWER})
            return  # he left at this one
        refused = chance.random() < 0.04
        value, number = (None, None) if refused else _value(question["id"], chance)
        rows.answers.append(
            {
                "event_id": f"{call_id}:{place}", "call_id": call_id, "seq": place, "attempt_id": None,
                "survey_hash": call["survey_hash"], "question_id": question["id"], "kind": question["kind"],
                "status": (AnswerStatus.REFUSED if refused else AnswerStatus.ANSWERED).value,
                "value": value, "number": number, "confidence": 0.9, "source": AnswerSource.SPEECH.value,
                "heard": value or "", "at": at,
            }
        )  # fmt: skip
        told = ("kind", "status", "number", "seq")
        rows.put.append(put | {name: rows.answers[-1][name] for name in told})
        at += timedelta(seconds=12)


def _said(rows: Rows, given: int, chance: Random) -> str:
    """The heard answers, and some words of a talk, common and rare ones as in any language (Zipf's law)."""
    heard = [row["heard"] for row in rows.answers[len(rows.answers) - given :]] if given else []
    shares = [1 / (place + 1) for place in range(len(WORDS))]
    return folded(" ".join([*heard, *chance.choices(WORDS, shares, k=chance.randrange(5, 60))]))


def _value(question_id: str, chance: Random) -> tuple[str, float | None]:
    match question_id:
        case "nps":
            code = chance.choices(range(11), (3, 1, 1, 2, 2, 5, 6, 10, 20, 25, 25))[0]
        case "csat":
            code = chance.choices(range(1, 6), (5, 5, 10, 30, 50))[0]
        case "ces":
            code = chance.choices(range(1, 8), (3, 3, 5, 9, 20, 30, 30))[0]
        case "visits":
            code = chance.randrange(6)
        case "resolved":
            return chance.choice(("yes", "yes", "yes", "no")), None
        case "channel":
            return chance.choice(("phone", "chat")), None
        case _:
            return chance.choice(_COMMENTS), None
    return str(code), float(code)


def _around(rows: Rows, call_id: str, ended: datetime, handed: bool, chance: Random) -> None:
    if chance.random() < 0.15:
        signal = {
            "call_id": call_id, "name": "complaint", "rule": "complaint", "topic": chance.choice(_TOPICS),
            "standing": 1,
        }  # fmt: skip
        rows.signals.append(signal)
    if handed:
        started = ended - timedelta(seconds=200)
        holds = chance.choice((0, 0, 0, 1, 2))
        rows.handovers.append(
            {
                "id": f"{call_id}:handover", "call_id": call_id, "target": "responsible", "form": "bridge",
                "reason": "low_score", "outcome": HandoverOutcome.ENDED.value, "failure": "",
                "started_at": started, "connected_at": started + timedelta(seconds=chance.uniform(4, 40)),
                "ended_at": ended, "ended_by": "caller", "talk_s": chance.uniform(30, 300),
                "holds": holds, "held_s": holds * chance.uniform(5, 60), "agent_id": "",
            }
        )  # fmt: skip


async def fill(db: Database, answers: int, seed: int = 1, told: Callable[[int], None] | None = None) -> int:
    """How many calls it took. `told` hears of every batch how many answers were added. Raises BadInput
    for a database in which there are calls."""
    async with db.write() as session:
        if (await session.exec(select(func.count()).select_from(Attempt))).one():
            raise BadInput(
                "в этой базе есть звонки: измерять можно только на пустой",
                hint="назовите другую базу в --database или не называйте никакой",
            )
        session.add_all(surveys())
    number = 0
    for rows in batches(answers, seed):
        async with db.write() as session:
            connection = await session.connection()
            for table, found in rows.tables():
                if found and db.dialect == "sqlite":
                    await connection.execute(insert(table), found)
                elif found:
                    await _copy(connection, table.__tablename__, found)
        number += len(rows.attempts)
        if told is not None:
            told(len(rows.answers))
    await db.vacuum()  # as autovacuum would have done by the time somebody looks
    return number


async def _copy(connection: Any, table: str, rows: Sequence[dict[str, Any]]) -> None:
    raw = await connection.get_raw_connection()
    columns = list(rows[0])
    records = [tuple(row[column] for column in columns) for row in rows]
    await raw.driver_connection.copy_records_to_table(table, records=records, columns=columns)
