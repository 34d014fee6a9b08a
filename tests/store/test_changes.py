"""Fewer statements for a batch, to the same effect."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from bot.core.context import TurnSource
from bot.core.events import TurnHeard
from bot.store.changes import Change, gathered
from bot.store.projection import project
from bot.store.tables import Attempt
from tests.store.talk import Talk

STATEMENTS = [update(Attempt) for _ in range(3)]
CALLS = ("call-1", "call-2", "call-3")
CHANGES = st.lists(
    st.tuples(st.sampled_from(CALLS), st.sampled_from([0, 1, 2, None])),  # None: one that holds its values
    max_size=30,
)


@given(CHANGES)
def test_a_call_s_changes_keep_their_order_and_nothing_passes_a_statement_of_its_own(
    drawn: list[tuple[str, int | None]],
) -> None:
    """Each change is told by its number in the batch; what stands between two statements of their own is a
    part."""
    own = {n: update(Attempt) for n, (_, which) in enumerate(drawn) if which is None}
    changes = [
        (call, Change(own[n]) if which is None else Change(STATEMENTS[which], {"number": n}))
        for n, (call, which) in enumerate(drawn)
    ]
    executed: list[int] = []
    for statement, values in gathered(changes):
        if values is None:
            executed += [n for n, each in own.items() if each is statement]
            continue
        for value in values:
            which = drawn[value["number"]][1]
            assert which is not None
            assert statement is STATEMENTS[which]
            executed.append(value["number"])
    assert sorted(executed) == list(range(len(drawn)))
    for call in CALLS:
        assert [n for n in executed if drawn[n][0] == call] == [
            n for n, each in enumerate(drawn) if each[0] == call
        ]
    for n in own:
        assert set(executed[: executed.index(n)]) == set(range(n))


def test_a_turn_of_many_calls_is_as_many_statements_as_of_one() -> None:
    changes = []
    for number in range(20):
        talk = Talk(f"call-{number}", f"attempt-{number}")
        heard = talk.event(TurnHeard, question_id="nps", source=TurnSource.SPEECH, text="девять")
        for event in (heard, talk.answer("nps", 9)):
            changes += [(event.call_id, change) for change in project(event, "sqlite")]
    assert [len(each.values or ()) for each in gathered(changes)] == [20, 20, 20, 20]
