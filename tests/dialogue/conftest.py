"""One real Rasa and one real action server for all tests of this folder."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from bot.call.dialogue import RasaDialogue
from bot.core.context import CallContext
from bot.core.ids import new_id
from dialogue.running import RunningDialogue, running_dialogue
from dialogue.training import train
from tests.dialogue.surveys import nps_survey, publish

SECRET = "nobody-s-business"
"""In the environment from which the servers are started."""


@pytest.fixture(scope="session")
def surveys_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("surveys")


@pytest.fixture(scope="session")
def servers(surveys_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDialogue]:
    train()
    log = tmp_path_factory.mktemp("dialogue") / "log.txt"
    with pytest.MonkeyPatch.context() as ours:
        ours.setenv("OTKLIK_TEST_PASSWORD", SECRET)
        ours.setenv("PGPASSWORD", SECRET)
        with running_dialogue(surveys_dir, log) as running:
            yield running


@pytest_asyncio.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def rasa(servers: RunningDialogue, http: aiohttp.ClientSession) -> RasaDialogue:
    """Patient: the machine that tests may be busy, and its speed is measured elsewhere."""
    return RasaDialogue(servers.rasa_url, http, token=servers.token, timeout_s=20.0)


@pytest.fixture
def context(surveys_dir: Path) -> CallContext:
    """A call of its own, of a published survey."""
    digest = publish(nps_survey(), surveys_dir)
    return CallContext(call_id=new_id("call"), survey_hash=digest, direction="outbound")
