"""The rows of an export, read from the database in pieces of one and the same state of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from sqlalchemy import and_, func, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.endings import Disposition
from bot.reports.definitions import Definitions, definitions
from bot.reports.export.columns import Cell, Code, Column, Given, Kind, Layout, layout
from bot.reports.slices import MACHINES, dialect_of, select_rows
from bot.store.corrections import of_calls
from bot.store.database import Database
from bot.store.tables import AnswerRow, Attempt, Contact, Handover
from bot.store.tables_corrections import Subject
from bot.store.tables_reports import QuestionPut, SignalRow, stands
from bot.words import words

PIECE = 1000
"""Calls read at a time: what an export holds in memory."""


def call_columns(*, personal: bool) -> tuple[Column, ...]:
    """What every call has. Who the customer is is personal data, and so is the company's own name for
    the talk, which leads to him."""
    yes_no = (Code(0, "no", words("нет", "no")), Code(1, "yes", words("да", "yes")))
    ways = (
        Code(1, "outbound", words("исходящий", "outbound")),
        Code(2, "inbound", words("входящий", "inbound")),
    )
    ends = (
        Code(0, "open", words("ещё идёт", "not over yet")),
        *(Code(number, each.value, each.value) for number, each in enumerate(Disposition, start=1)),
    )
    columns = (
        Column("call_id", words("звонок", "call"), Kind.TEXT),
        Column("at", words("когда звонили", "time of the call"), Kind.MOMENT),
        Column("survey", words("опрос", "survey"), Kind.TEXT),
        Column("survey_version", words("версия опроса", "version of the survey"), Kind.TEXT),
        Column("direction", words("направление", "direction"), Kind.CODE, ways),
        Column("employee", words("сотрудник, о ком опрос", "employee it is about"), Kind.TEXT),
        Column("department", words("отдел", "department"), Kind.TEXT),
        Column("campaign", words("кампания", "campaign"), Kind.TEXT),
        Column("disposition", words("итог звонка", "disposition"), Kind.CODE, ends),
        Column("dialled", words("набран или принят", "dialled or came in"), Kind.CODE, yes_no),
        Column("answered", words("ответил человек", "answered by a human"), Kind.CODE, yes_no),
        Column("began", words("опрос начат", "survey began"), Kind.CODE, yes_no),
        Column("completed", words("опрос пройден", "survey completed"), Kind.CODE, yes_no),
        Column("handed_over", words("соединён с сотрудником", "joined with an agent"), Kind.CODE, yes_no),
        Column("call_s", words("от ответа до конца, с", "from answer to end, s"), Kind.NUMBER),
        Column(
            "topics",
            words("темы: по словам, правилам и намерениям", "topics: by words, rules and intents"),
            Kind.TEXT,
        ),
        Column(
            "corrected",
            words("исправлено вручную: вопросы, темы", "corrected by hand: questions, topics"),
            Kind.TEXT,
        ),
    )
    if not personal:
        return columns
    return (
        *columns,
        Column("phone", words("телефон клиента", "customer's phone"), Kind.TEXT),
        Column("contact_id", words("клиент", "customer"), Kind.TEXT),
        Column("first_name", words("имя", "first name"), Kind.TEXT),
        Column("middle_name", words("отчество", "middle name"), Kind.TEXT),
        Column("last_name", words("фамилия", "last name"), Kind.TEXT),
        Column("conversation_id", words("разговор в системе компании", "the company's talk"), Kind.TEXT),
    )


class Chosen(Protocol):
    """Which calls are wanted: a report's `Scope`, or the filters of the journal. `zone` is the clock by which
    their moments are told."""

    @property
    def zone(self) -> str: ...

    def of_calls(self, dialect: str) -> list[Any]: ...


@dataclass(frozen=True, slots=True)
class Piece:
    """Some rows; `answers` counts the answers in them."""

    rows: list[list[Cell]]
    answers: int


@dataclass(slots=True)
class _Around:
    """What belongs to the calls of one piece, by call."""

    answers: dict[str, dict[str, Given]] = field(default_factory=lambda: defaultdict(dict))
    put: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    topics: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    corrected: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    handed: set[str] = field(default_factory=set)
    contacts: dict[str, Contact] = field(default_factory=dict)


class CallTable:
    """The table of one scope: `columns`, `total` rows, and the rows themselves in order of time."""

    def __init__(
        self,
        session: AsyncSession,
        scope: Chosen,
        known: Definitions,
        laid: Layout,
        total: int,
        personal: bool,
    ) -> None:
        self._session = session
        self._known = known
        self._layout = laid
        self._personal = personal
        self._conditions = scope.of_calls(dialect_of(session))
        self._zone = ZoneInfo(scope.zone)
        self._own = call_columns(personal=personal)
        self.columns = (*self._own, *laid.columns)
        self.total = total

    async def pieces(self) -> AsyncIterator[Piece]:
        """Keyset pagination: a piece costs the same at the end of a million rows as at its beginning."""
        after: list[Any] = []
        while True:
            statement = (
                select(Attempt)
                .where(*self._conditions, *after)
                .order_by(col(Attempt.created_at), col(Attempt.id))
                .limit(PIECE)
            )
            attempts = (await self._session.exec(statement)).all()
            if not attempts:
                return
            around = await self._around(attempts)
            yield Piece(
                [self._row(each, around) for each in attempts], sum(map(len, around.answers.values()))
            )
            last = attempts[-1]
            at = col(Attempt.created_at)
            after = [or_(at > last.created_at, and_(at == last.created_at, col(Attempt.id) > last.id))]
            self._session.expunge_all()

    async def _around(self, attempts: Sequence[Attempt]) -> _Around:
        ids = [each.call_id for each in attempts if each.call_id]
        found = _Around()
        answers = select_rows(
            col(AnswerRow.call_id),
            col(AnswerRow.question_id),
            col(AnswerRow.status),
            col(AnswerRow.value),
            col(AnswerRow.number),
        )
        rows: Any = await self._session.exec(answers.where(col(AnswerRow.call_id).in_(ids)))
        for call_id, question_id, *given in rows:
            found.answers[call_id][question_id] = Given(*given)
        for call_id, standing in (await of_calls(self._session, ids)).items():
            for (subject, question_id), row in standing.items():
                found.corrected[call_id].append(question_id or subject)
                if subject == Subject.ANSWER:
                    found.answers[call_id][question_id] = Given(row.status, row.value, row.number)
        put = select(col(QuestionPut.call_id), col(QuestionPut.question_id))
        for call_id, question_id in await self._session.exec(put.where(col(QuestionPut.call_id).in_(ids))):
            found.put[call_id].add(question_id)
        topics = select(col(SignalRow.call_id), col(SignalRow.topic)).where(
            col(SignalRow.call_id).in_(ids), stands(), col(SignalRow.topic) != ""
        )
        for call_id, topic in await self._session.exec(topics):
            found.topics[call_id].add(topic)
        handed = select(col(Handover.call_id)).where(
            col(Handover.call_id).in_(ids), col(Handover.connected_at).is_not(None)
        )
        found.handed = set(await self._session.exec(handed))
        if self._personal:
            wanted = {each.contact_id for each in attempts if each.contact_id}
            contacts = await self._session.exec(select(Contact).where(col(Contact.id).in_(wanted)))
            found.contacts = {each.id: each for each in contacts}
        return found

    def _row(self, call: Attempt, around: _Around) -> list[Cell]:
        call_id = call.call_id or ""
        answers, put = around.answers.get(call_id, {}), around.put.get(call_id, set())
        cells = self._call(call, around)
        places = {
            place: question_id
            for question_id in {*answers, *put}
            if (place := self._layout.place.get((call.survey_hash, question_id))) is not None
        }
        for place, question in enumerate(self._layout.questions):
            question_id = places.get(place)
            given = answers.get(question_id) if question_id is not None else None
            cells += question.cells(given, put=question_id in put if question_id else False)
        return cells

    def _call(self, call: Attempt, around: _Around) -> list[Cell]:
        call_id = call.call_id or ""
        human = call.answered_at is not None and call.disposition not in MACHINES
        rung = human or call.dialled_at is not None or call.direction == "inbound"
        began = human and call.asked_at is not None
        version = self._known.versions.get(call.survey_hash)
        lasted = (call.ended_at - call.answered_at) if call.ended_at and call.answered_at else None
        values: dict[str, Cell] = {
            "call_id": call_id,
            "at": call.created_at.astimezone(self._zone),
            "survey": call.survey_id,
            "survey_version": version.version if version else call.survey_hash[:12],
            "direction": 1 if call.direction == "outbound" else 2,
            "employee": call.agent_id,
            "department": call.department,
            "campaign": call.campaign_id or "",
            "disposition": _end(call.disposition),
            "dialled": int(rung),
            "answered": int(human),
            "began": int(began),
            "completed": int(began and call.disposition == Disposition.COMPLETED),
            "handed_over": int(human and call_id in around.handed),
            "call_s": round(lasted.total_seconds(), 3) if lasted is not None else None,
            "topics": ",".join(sorted(around.topics.get(call_id, ()))),
            "corrected": ",".join(sorted(around.corrected.get(call_id, ()))),
        }
        if self._personal:
            contact = around.contacts.get(call.contact_id or "")
            values |= {
                "phone": call.phone,
                "contact_id": call.contact_id or "",
                "first_name": contact.first_name if contact else "",
                "middle_name": contact.middle_name if contact else "",
                "last_name": contact.last_name if contact else "",
                "conversation_id": call.conversation_id,
            }
        return [values[column.name] for column in self._own]


def _end(disposition: str | None) -> int:
    return 0 if disposition is None else list(Disposition).index(Disposition(disposition)) + 1


@asynccontextmanager
async def open_table(db: Database, scope: Chosen, *, personal: bool) -> AsyncIterator[CallTable]:
    """The table of the scope; what is stored meanwhile is not in it."""
    where = scope.of_calls(db.dialect)
    async with db.read() as session:
        known = await definitions(session)
        total = (await session.exec(select(func.count()).select_from(Attempt).where(*where))).one()
        hashes = (await session.exec(select(col(Attempt.survey_hash)).where(*where).distinct())).all()
        named = (
            select(
                col(Attempt.survey_id),
                col(Attempt.survey_hash),
                col(AnswerRow.question_id),
                col(AnswerRow.kind),
            )
            .join(AnswerRow, col(AnswerRow.call_id) == col(Attempt.call_id))
            .where(*where)
            .distinct()
        )
        asked: Any = (await session.exec(named)).all()
        laid = layout(known, [tuple(each) for each in asked], hashes, personal=personal)
        yield CallTable(session, scope, known, laid, total, personal)
