"""One call with everything that is kept of it: what its page shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import col, select

from bot.core.errors import BadInput
from bot.core.events import AnswerRecorded, CallEvent
from bot.reports.definitions import Asked, Version, definitions
from bot.store import corrections, notes, queries
from bot.store.database import Database
from bot.store.projection_cases import case_of
from bot.store.queries import Call
from bot.store.tables_cases import CaseRow
from bot.store.tables_corrections import CorrectionRow
from bot.store.tables_notes import CallNoteRow
from bot.store.tables_reports import QuestionPut, SignalRow
from bot.words import words


@dataclass(frozen=True, slots=True)
class OneCall:
    """`asked` are the questions that were put or answered, in the survey's order; of a version that is not
    known here only what the events tell of them. `topics` are those that count, `recorded` those that were
    noticed. `corrected` is every correction, the oldest first."""

    call: Call
    events: tuple[CallEvent, ...]
    version: Version | None
    asked: tuple[Asked, ...]
    topics: tuple[str, ...]
    recorded: tuple[str, ...]
    corrected: tuple[CorrectionRow, ...]
    notes: tuple[CallNoteRow, ...]
    case: CaseRow | None

    @property
    def standing(self) -> dict[tuple[str, str], CorrectionRow]:
        return corrections.standing(self.corrected)

    def question(self, question_id: str) -> Asked:
        """Raises BadInput for one that this call does not have."""
        found = next((each for each in self.asked if each.id == question_id), None)
        if found is None:
            raise BadInput(
                words(f"вопроса «{question_id}» в этом звонке нет", f"no question «{question_id}» here")
            )
        return found


async def one_call(db: Database, call_id: str) -> OneCall | None:
    call = await queries.call(db, call_id)
    if call is None:
        return None
    events = await queries.events(db, call_id)
    async with db.read() as session:
        version = (await definitions(session)).versions.get(call.attempt.survey_hash)
        put = select(col(QuestionPut.question_id)).where(col(QuestionPut.call_id) == call_id)
        questions = set((await session.exec(put)).all()) | {row.question_id for row in call.answers}
        signals = select(SignalRow).where(col(SignalRow.call_id) == call_id, col(SignalRow.topic) != "")
        noticed = (await session.exec(signals)).all()
        case = await session.get(CaseRow, case_of(call_id))
    return OneCall(
        call=call,
        events=tuple(events),
        version=version,
        asked=_asked(version, questions, events),
        topics=tuple(sorted({each.topic for each in noticed if each.standing > 0 and not each.denied})),
        recorded=tuple(sorted({each.topic for each in noticed if each.standing > 0 and not each.by_hand})),
        corrected=tuple(await corrections.corrections(db, call_id)),
        notes=tuple(await notes.notes(db, [call_id])),
        case=case,
    )


def _asked(version: Version | None, questions: set[str], events: Sequence[CallEvent]) -> tuple[Asked, ...]:
    known = version.questions if version else {}
    found = sorted(
        (known[each] for each in questions if each in known), key=lambda each: (each.place, each.id)
    )
    kinds = {each.question_id: each.question_kind for each in events if isinstance(each, AnswerRecorded)}
    strange = [Asked(each, kinds.get(each, "open"), 1000) for each in sorted(questions - set(known))]
    return (*found, *strange)
