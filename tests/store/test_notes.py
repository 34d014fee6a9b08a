"""What an agent writes about a talk, and what is known of a customer from before; on both databases."""

from __future__ import annotations

import pytest

from bot.core.errors import BadInput
from bot.core.events import CaseOpened, HandoverConnected, HandoverRinging, HandoverStarted
from bot.store import cases, notes, queries
from bot.store.database import Database
from bot.store.projection_cases import case_of
from bot.store.tables_cases import CaseStep
from tests.store.talk import START, Talk
from tests.store.test_cases import DUE, Keep, call, keep

__all__ = ["keep"]

RANG = {"target": "responsible", "agent_id": "anna"}


async def handed_over(keep: Keep, *more: str) -> Talk:
    talk = call(1)
    events = [
        talk.started,
        talk.event(HandoverStarted, target="responsible", form="bridge", reason="low_score"),
        talk.event(HandoverRinging, **RANG),
        talk.event(HandoverConnected, **RANG),
    ]
    if "case" in more:
        events.append(talk.event(CaseOpened, reason="angry", owner_id="anna", due_at=DUE))
    await keep(*events)
    return talk


async def test_a_note_is_kept_with_its_handover_and_in_the_case(db: Database, keep: Keep) -> None:
    talk = await handed_over(keep, "case")
    row = await notes.write(db, talk.call_id, "anna", "later", " Ждём склад ", DUE)
    found = await queries.call(db, talk.call_id)
    assert found is not None
    (handover,) = found.handovers
    assert (row.handover_id, row.text) == (handover.id, "Ждём склад")
    assert [note.id for note in await notes.notes(db, [talk.call_id, "call-9"])] == [row.id]
    case = await cases.case(db, case_of(talk.call_id))
    assert case is not None
    last = case.history[-1]
    assert (last.step, last.agent_id, last.text) == (CaseStep.NOTE, "anna", "Ждём склад")


async def test_a_note_without_a_case_and_of_somebody_who_was_not_rung(db: Database, keep: Keep) -> None:
    talk = await handed_over(keep)
    row = await notes.write(db, talk.call_id, "boris", "other", "", START)
    assert row.handover_id == ""
    assert await cases.case(db, case_of(talk.call_id)) is None


@pytest.mark.parametrize(("outcome", "text"), [("great", ""), ("solved", "я" * (notes.LONGEST + 1))])
async def test_a_note_that_will_not_do_is_refused_whole(db: Database, outcome: str, text: str) -> None:
    with pytest.raises(BadInput):
        await notes.write(db, "call-1", "anna", outcome, text, START)
    assert await notes.notes(db, ["call-1"]) == []


async def test_earlier_calls_are_those_of_the_same_phone_that_were_talked_in(
    db: Database, keep: Keep
) -> None:
    stranger = Talk("call-4", "attempt-4", direction="inbound", remote="sip:+79990000000@trunk")
    talks = [call(number) for number in (1, 2, 3)]
    await keep(talks[0].started, talks[0].answered(), talks[0].answer("nps", 3), talks[0].ended())
    await keep(talks[1].started, talks[1].ended())  # nobody answered
    await keep(stranger.started, stranger.answered(), stranger.ended())
    await keep(talks[2].started, talks[2].answered())
    now = await queries.call(db, talks[2].call_id)
    assert now is not None
    (earlier,) = await notes.earlier_calls(db, now)
    assert earlier.attempt.call_id == talks[0].call_id
    assert [row.number for row in earlier.answers] == [3]
