from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.core.clock import ManualClock
from bot.settings import PROJECT
from bot.store.database import Database
from bot.surveys.loader import load_survey
from bot.surveys.schema import Calling, Survey
from tests.campaigns.stage import MONDAY_NOON, Stage
from tests.databases import database_at


@pytest.fixture(scope="session")
def survey() -> Survey:
    """One that leaves the number of attempts to the campaign."""
    shipped = load_survey(PROJECT / "survey_defs" / "nps.yaml")
    return shipped.model_copy(update={"calling": Calling(max_attempts=9, hours_between=0.25)})


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    async with database_at(tmp_path / "otklik.sqlite") as database:
        yield database


@pytest.fixture
def stage(db: Database, survey: Survey) -> Stage:
    return Stage(db, ManualClock(MONDAY_NOON), survey)
