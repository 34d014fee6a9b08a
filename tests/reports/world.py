"""Made-up calls as values, the rows they are stored as, and the figures of reports counted the slow way."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from hypothesis import strategies as st
from sqlalchemy import delete

from bot.core.answer import AnswerStatus
from bot.core.endings import Disposition
from bot.reports.measures import Scale
from bot.reports.slices import MACHINES
from bot.store.database import Database
from bot.store.tables import AnswerRow, Attempt, AttemptStatus, Handover, SurveyRow
from bot.store.tables_reports import QuestionPut, SignalRow

ZONE = "Europe/Berlin"  # its clocks change on 2025-03-30
FIRST = datetime(2025, 3, 25, tzinfo=UTC)

SCALES = {
    ("a1", "nps"): Scale("nps", 0, 10),
    ("a1", "csat"): Scale("csat", 1, 5, (4, 5)),
    ("a2", "nps"): Scale("nps", 0, 10),
    ("a2", "csat"): Scale("csat", 1, 3, (3,)),
    ("b1", "ces"): Scale("ces", 1, 7, (), "lower_is_easier"),
    ("b1", "mark"): Scale("score", 1, 10),
    ("lost", "nps"): Scale("nps", 0, 10),
}
KINDS = {"nps": "nps", "csat": "csat", "ces": "ces", "mark": "score", "why": "open"}
QUESTIONS = {
    "a1": ("nps", "csat", "why"),
    "a2": ("nps", "csat", "why"),
    "b1": ("ces", "mark"),
    "lost": ("nps", "csat"),
}
"""`lost` is a version that was published elsewhere: what its csat means is not known here."""

SURVEYS = {"a1": "a", "a2": "a", "b1": "b", "lost": "c"}

_DEFINED = {
    "nps": {"id": "nps", "kind": "nps", "ask": "Порекомендуете?"},
    "why": {"id": "why", "kind": "open", "ask": "Почему?"},
    "ces": {"id": "ces", "kind": "ces", "ask": "Легко?", "direction": "lower_is_easier"},
    "mark": {"id": "mark", "kind": "score", "ask": "Сколько?", "low": 1, "high": 10},
}
_CSAT = {
    "a1": {"id": "csat", "kind": "csat", "ask": "Довольны?", "points": 5, "positive": [4, 5]},
    "a2": {"id": "csat", "kind": "csat", "ask": "Довольны?", "points": 3, "positive": [3]},
}


@dataclass(frozen=True)
class Reply:
    question: str
    status: AnswerStatus
    number: int | None = None


@dataclass(frozen=True)
class FakeCall:
    """`replies` are in the order of the survey's questions; `left` says that the next one was put, too."""

    after_s: int
    version: str = "a1"
    agent: str = "ann"
    campaign: str | None = None
    phone: int = 1
    inbound: bool = True
    answered: bool = True
    final: bool = True
    disposition: Disposition = Disposition.COMPLETED
    replies: tuple[Reply, ...] = ()
    left: bool = False
    times: int = 1
    talk_s: int = 60
    topics: frozenset[str] = frozenset()
    withdrawn: frozenset[str] = frozenset()
    complains: bool = True
    wait_s: int | None = None
    """Of a handover that was joined; None where none was tried."""
    holds: int | None = None
    """In that handover's talk, 10 s each; None where they were not seen."""

    @property
    def at(self) -> datetime:
        return FIRST + timedelta(seconds=self.after_s)

    @property
    def survey(self) -> str:
        return SURVEYS[self.version]

    @property
    def put(self) -> list[str]:
        asked = QUESTIONS[self.version]
        return list(asked[: len(self.replies) + self.left]) if self.answered else []

    @property
    def human(self) -> bool:
        return self.answered and not (self.final and self.disposition in MACHINES)


@st.composite
def fake_calls(draw: st.DrawFn) -> FakeCall:
    version = draw(st.sampled_from(sorted(QUESTIONS)))
    given = draw(st.integers(0, len(QUESTIONS[version])))
    replies = []
    answered = draw(st.booleans()) or draw(st.booleans())
    for question in QUESTIONS[version][: given if answered else 0]:
        status = draw(st.sampled_from([AnswerStatus.ANSWERED] * 3 + list(AnswerStatus)))
        scale = SCALES.get((version, question), Scale("csat", 1, 5))
        coded = status is AnswerStatus.ANSWERED and question != "why"
        replies.append(Reply(question, status, draw(st.integers(scale.low, scale.high)) if coded else None))
    topics = st.frozensets(st.sampled_from(["waiting", "rudeness", "billing"]), max_size=2)
    return FakeCall(
        after_s=draw(st.integers(0, 14 * 86400)),
        version=version,
        agent=draw(st.sampled_from(["ann", "bob", ""])),
        campaign=draw(st.sampled_from(["spring", "on-request", None])),
        phone=draw(st.integers(1, 4)),
        inbound=draw(st.booleans()),
        answered=answered,
        final=draw(st.sampled_from([True, True, True, False])),
        disposition=draw(st.sampled_from([Disposition.COMPLETED, *Disposition])),
        replies=tuple(replies),
        left=draw(st.booleans()),
        times=draw(st.integers(1, 3)),
        talk_s=draw(st.integers(0, 300)),
        topics=draw(topics),
        withdrawn=draw(topics),
        complains=draw(st.booleans()),
        wait_s=draw(st.none() | st.integers(0, 60)),
        holds=draw(st.none() | st.integers(0, 2)),
    )


def random_call(chance: Random) -> FakeCall:
    """As `fake_calls`, for a crowd."""
    version = chance.choice(sorted(QUESTIONS))
    answered = chance.random() < 0.8
    replies = []
    for question in QUESTIONS[version][: chance.randint(0, 3) if answered else 0]:
        status = chance.choice([AnswerStatus.ANSWERED] * 4 + list(AnswerStatus))
        scale = SCALES.get((version, question), Scale("csat", 1, 5))
        coded = status is AnswerStatus.ANSWERED and question != "why"
        replies.append(Reply(question, status, chance.randint(scale.low, scale.high) if coded else None))
    topics = ["waiting", "rudeness", "billing"]
    return FakeCall(
        after_s=chance.randint(0, 14 * 86400), version=version, agent=chance.choice(["ann", "bob", ""]),
        campaign=chance.choice(["spring", "on-request", None]),
        phone=chance.randint(1, 90), inbound=chance.random() < 0.5, answered=answered,
        final=chance.random() < 0.9,
        disposition=chance.choice([Disposition.COMPLETED] * 9 + list(Disposition)),
        replies=tuple(replies), left=chance.random() < 0.3, times=chance.randint(1, 3),
        talk_s=chance.randint(0, 300), topics=frozenset(chance.sample(topics, chance.randint(0, 2))),
        withdrawn=frozenset(chance.sample(topics, chance.randint(0, 1))), complains=chance.random() < 0.5,
        wait_s=chance.choice([None, None, chance.randint(0, 60)]),
        holds=chance.choice([None, 0, 1, 2]),
    )  # fmt: skip


async def store(db: Database, calls: Sequence[FakeCall]) -> None:
    """These calls and no others."""
    rows: list[object] = [
        SurveyRow(
            hash=version, id=SURVEYS[version], version=version[1:], title=f"Опрос {version}",
            json_=json.dumps({"questions": [_CSAT[version] if q == "csat" else _DEFINED[q] for q in asked]}),
            published_at=FIRST + timedelta(seconds=place),
        )
        for place, (version, asked) in enumerate(QUESTIONS.items())
        if version != "lost"
    ]  # fmt: skip
    for number, call in enumerate(calls):
        rows += _rows(f"c{number}", call)
    async with db.write() as session:
        for table in (SurveyRow, Attempt, AnswerRow, QuestionPut, SignalRow, Handover):
            await session.exec(delete(table))
        session.add_all(rows)


def _rows(call_id: str, call: FakeCall) -> Iterable[object]:
    answered_at = call.at + timedelta(seconds=3) if call.answered else None
    yield Attempt(
        id=f"attempt-{call_id}", call_id=call_id, survey_id=call.survey, survey_hash=call.version,
        direction="inbound" if call.inbound else "outbound", to_uri="", phone=f"7900{call.phone}",
        agent_id=call.agent, department="dept", campaign_id=call.campaign, created_at=call.at,
        status=AttemptStatus.FINAL if call.final else AttemptStatus.LIVE,
        disposition=call.disposition if call.final else None,
        dialled_at=None if call.inbound else call.at, answered_at=answered_at,
        asked_at=answered_at if call.put else None,
        ended_at=call.at + timedelta(seconds=3 + call.talk_s) if call.final else None,
    )  # fmt: skip
    for place, reply in enumerate(call.replies):
        number = None if reply.number is None else float(reply.number)
        words = "+7 на =что-то" if reply.status is AnswerStatus.ANSWERED else None
        yield AnswerRow(
            event_id=f"{call_id}:{place}", call_id=call_id, seq=place, survey_hash=call.version,
            question_id=reply.question, kind=KINDS[reply.question], status=reply.status,
            value=words if reply.number is None else str(reply.number), number=number,
            confidence=1.0, source="speech", at=call.at,
        )  # fmt: skip
    replied = {reply.question: reply for reply in call.replies}
    for question in call.put:
        put = QuestionPut(
            call_id=call_id, question_id=question, times=call.times, at=call.at, created_at=call.at,
            survey_id=call.survey, survey_hash=call.version, agent_id=call.agent, department="dept",
            campaign_id=call.campaign,
        )  # fmt: skip
        if reply := replied.get(question):
            put.kind, put.status, put.seq = KINDS[question], reply.status, 1
            put.number = None if reply.number is None else float(reply.number)
        yield put
    name = "complaint" if call.complains else "low_score"
    for topic in call.topics | call.withdrawn:
        yield SignalRow(call_id=call_id, name=name, rule="r", topic=topic, standing=int(topic in call.topics))
    if call.wait_s is not None:
        started = call.at + timedelta(seconds=5)
        yield Handover(
            id=f"h-{call_id}", call_id=call_id, target="t", form="bridge", started_at=started,
            connected_at=started + timedelta(seconds=call.wait_s), talk_s=float(call.talk_s),
            holds=call.holds, held_s=None if call.holds is None else call.holds * 10.0,
        )  # fmt: skip


# The slow way ---------------------------------------------------------------------------------


def codes(calls: Iterable[FakeCall]) -> dict[Scale, Counter[int]]:
    found: dict[Scale, Counter[int]] = defaultdict(Counter)
    for call in calls:
        for reply in call.replies:
            scale = SCALES.get((call.version, reply.question))
            if scale is not None and reply.number is not None:
                found[scale][reply.number] += 1
    return dict(found)


def funnel(calls: Sequence[FakeCall]) -> tuple[int, ...]:
    began = [call for call in calls if call.human and call.put]
    completed = [call for call in began if call.final and call.disposition is Disposition.COMPLETED]
    handed = [call for call in calls if call.human and call.wait_s is not None]
    return (len(calls), sum(call.human for call in calls), len(began), len(completed), len(handed))


@dataclass
class Asked:
    put: int = 0
    dropped: int = 0
    reasked: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)


def questions(calls: Iterable[FakeCall]) -> dict[tuple[str, str], Asked]:
    found: dict[tuple[str, str], Asked] = defaultdict(Asked)
    elsewhere = (Disposition.TRANSFERRED, Disposition.CALLBACK)
    for call in calls:
        replied = {reply.question: reply for reply in call.replies}
        for question in call.put:
            each = found[call.survey, question]
            each.put += 1
            each.reasked += call.times > 1
            if question in replied:
                each.outcomes[replied[question].status.value] += 1
            elif call.final and call.disposition not in elsewhere:
                each.dropped += 1
    return dict(found)


def repeated(calls: Sequence[FakeCall], within: Callable[[FakeCall], bool], days: int) -> tuple[int, int]:
    """(contacts, followed by another), for those of `calls` that are `within`; all calls may follow."""
    inbound = sorted((call for call in calls if call.inbound), key=lambda call: call.after_s)
    contacts = again = 0
    for place, call in enumerate(inbound):
        if within(call):
            contacts += 1
            later = [each for each in inbound[place + 1 :] if each.phone == call.phone]
            again += any(each.after_s - call.after_s <= days * 86400 for each in later)
    return contacts, again


def clock(call: FakeCall) -> tuple[int, int]:
    local = call.at.astimezone(ZoneInfo(ZONE))
    return local.weekday(), local.hour
