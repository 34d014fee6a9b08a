"""How long a search in the journal takes: what its page asks, over a year of made-up calls."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from random import Random

from sqlmodel import col, select

from bot.reports.bench import ZONE, Took, timed
from bot.reports.journal import Journal, ScoreRange, page
from bot.reports.sample import AGENTS, DAYS, START, WORDS
from bot.store.database import Database
from bot.store.tables import Attempt
from bot.store.transcripts import question

PERIOD = "year"


async def measure(db: Database, runs: int, seed: int = 1) -> AsyncIterator[Took]:
    """Each kind of search `runs` times, for another employee, word or month each time."""
    chance = Random(seed)
    async with db.read() as session:
        newest = select(col(Attempt.id)).order_by(col(Attempt.created_at)).limit(10_000)
        places = (await session.exec(newest)).all()

    async def once(asked: tuple[Journal, str]) -> None:
        journal, before = asked
        await page(db, journal, before=before)

    for name in _searches(chance):
        far = name == "a page far back"
        asked = [(_searches(chance)[name], chance.choice(places) if far else "") for _ in range(runs)]
        yield await timed(f"journal: {name}", PERIOD, asked, once)


def _searches(chance: Random) -> dict[str, Journal]:
    month = START.date() + timedelta(days=chance.randrange(DAYS - 31))
    employee = (f"agent-{chance.randrange(AGENTS):03}",)
    common, rare = question(chance.choice(WORDS[:8])), question(chance.choice(WORDS[-8:]))
    both = question(f"{chance.choice(WORDS[:12])} {chance.choice(WORDS[-12:])}")
    worst = ScoreRange("nps", 0, 1)
    return {
        "newest": Journal(ZONE),
        "a page far back": Journal(ZONE),
        "employee": Journal(ZONE, employees=employee),
        "outcome": Journal(ZONE, dispositions=("declined",)),
        "low score": Journal(ZONE, score=worst),
        "topic": Journal(ZONE, topics=("rudeness",)),
        "length": Journal(ZONE, longer_s=110),
        "nothing so long": Journal(ZONE, longer_s=3600),
        "month, employee, score": Journal(
            ZONE, first=month, last=month + timedelta(days=31), employees=employee, score=worst
        ),
        "topic and score": Journal(ZONE, topics=("billing",), score=worst),
        "common word": Journal(ZONE, asked=common),
        "rare word": Journal(ZONE, asked=rare),
        "two words": Journal(ZONE, asked=both),
        "beginning of a word": Journal(ZONE, asked=question("пере*")),
        "a word nobody said": Journal(ZONE, asked=question("синхрофазотрон")),
        "word, employee, score": Journal(ZONE, asked=rare, employees=employee, score=worst),
        "word and topic": Journal(ZONE, asked=common, topics=("waiting",)),
    }
