"""The journal's pages and samples against the slow way, over calls that come at the same moment."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from bot.core.answer import AnswerStatus
from bot.core.endings import Disposition
from bot.reports.journal import Journal, JournalPage, ScoreRange, drawn, page, sample, score_range
from bot.store.database import Database
from tests.reports.world import FIRST, ZONE, FakeCall, random_call, store

KINDS = {"nps": "nps", "mark": "score"}


def keeps(journal: Journal, call: FakeCall) -> bool:
    """The slow way."""
    score = journal.score
    codes = [
        reply.number
        for reply in call.replies
        if score and KINDS.get(reply.question) == score.kind and reply.status is AnswerStatus.ANSWERED
    ]
    return (
        (not journal.employees or call.agent in journal.employees)
        and (not journal.surveys or call.survey in journal.surveys)
        and (not journal.campaigns or call.campaign in journal.campaigns)
        and (not journal.topics or bool(call.topics & set(journal.topics)))
        and (not journal.dispositions or (call.final and call.disposition in journal.dispositions))
        and (score is None or any(score.low <= code <= score.high for code in codes if code is not None))
        and (journal.first is None or call.at >= FIRST + timedelta(days=1, hours=-1))
    )


JOURNALS = (
    Journal(ZONE),
    Journal(ZONE, employees=("ann", "bob"), surveys=("a",)),
    Journal(ZONE, score=ScoreRange("nps", 0, 6), campaigns=("spring",)),
    Journal(ZONE, topics=("waiting",), score=ScoreRange("score", 1, 5)),
    Journal(ZONE, dispositions=(Disposition.COMPLETED,), topics=("billing", "rudeness")),
    Journal(ZONE, first=(FIRST + timedelta(days=1)).date()),
    Journal(ZONE, employees=("nobody",)),
)


def ids(found: JournalPage) -> list[str]:
    return [line.attempt.id for line in found.lines]


async def test_pages_lead_through_every_call_once_and_back(db: Database) -> None:
    chance = Random(5)
    calls = [random_call(chance) for _ in range(70)]
    twins = [replace(call, after_s=calls[0].after_s) for call in calls[:20]]
    calls += twins
    await store(db, calls)
    order = sorted(range(len(calls)), key=lambda n: (calls[n].at, f"attempt-c{n}"), reverse=True)
    for journal in JOURNALS:
        expected = [f"attempt-c{n}" for n in order if keeps(journal, calls[n])]
        found = await page(db, journal, limit=7)
        assert found.newer == ""
        seen = ids(found)
        while found.older:
            found = await page(db, journal, before=found.older, limit=7)
            seen += ids(found)
        assert seen == expected, journal
        while found.newer:
            back = await page(db, journal, after=found.newer, limit=7)
            place = expected.index(ids(found)[0])
            assert ids(back) == expected[max(place - 7, 0) : place], journal
            found = back
    drawn_ones = await sample(db, JOURNALS[0], size=10, seed="a")
    assert ids(drawn_ones) == ids(await sample(db, JOURNALS[0], size=10, seed="a"))
    human = {f"attempt-c{n}" for n in order if calls[n].final and calls[n].human}
    assert set(ids(await sample(db, JOURNALS[0], size=500, seed="b"))) == human


def test_each_call_is_as_likely_to_be_drawn() -> None:
    every = [f"attempt-{n}" for n in range(20)]
    times = Counter(each for seed in range(2000) for each in drawn(every, 5, str(seed)))
    # 2000 draws of 5 of 20: 500 each, standard deviation 19.4; five of them leave chance one in 10^5
    assert all(abs(times[each] - 500) < 97 for each in every)


def test_a_later_call_takes_the_place_of_one_at_most() -> None:
    every = [f"attempt-{n}" for n in range(50)]
    before = set(drawn(every, 10, "seed"))
    assert all(len(before - set(drawn([*every, f"new-{n}"], 10, "seed"))) <= 1 for n in range(100))


@pytest.mark.parametrize(
    ("written", "read"), [("nps:0-6", "nps:0-6"), ("7", "nps:7-7"), (" CSAT:2 ", "csat:2-2")]
)
def test_scores_are_read_as_they_are_written(written: str, read: str) -> None:
    assert str(score_range(written)) == read
