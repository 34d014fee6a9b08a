"""All calls of the matrix at once, on one stage; each test then looks at its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

from bot.core.routing import HandoverForm
from tests.handover.cases import ON_STAGE, case_of
from tests.handover.edges import BY_ID
from tests.handover.specials import Specials, play_specials
from tests.handover.stage import Play, Stage, Times, times_of

AT_ONCE = 8
"""Calls that run side by side: two phones each, on two cores."""

Measured = dict[str, dict[str, Times]]
Outcomes = dict[tuple[str, HandoverForm], Play | Exception]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--handover-times", type=Path, default=None, help="write each edge's measured times to this JSON file"
    )


class Matrix:
    def __init__(self, outcomes: Outcomes) -> None:
        self._outcomes = outcomes

    def play(self, edge: str, form: HandoverForm) -> Play:
        found = self._outcomes[edge, form]
        if isinstance(found, Exception):
            raise found
        return found

    def times(self) -> Measured:
        told: Measured = {}
        for (edge, form), play in self._outcomes.items():
            if isinstance(play, Play):
                told.setdefault(edge, {})[form] = times_of(play.sink.events)
        return told


@pytest.fixture(scope="session")
def measured(request: pytest.FixtureRequest) -> Iterator[Measured]:
    """Each edge's times by form; whoever plays an edge adds to it."""
    made: Measured = {}
    yield made
    file = request.config.getoption("--handover-times", default=None)  # known where this folder is asked for
    if file is not None:
        file.write_text(json.dumps(made, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


async def _play_all(folder: Path, wanted: Collection[tuple[str, str]]) -> Outcomes:
    gate = asyncio.Semaphore(AT_ONCE)
    outcomes: Outcomes = {}

    async with Stage(folder).open() as stage:

        async def play(edge: str, form: HandoverForm) -> None:
            async with gate:
                try:
                    outcomes[edge, form] = await stage.play(edge, form, case_of(edge, form))
                except Exception as error:  # told by the test of this edge, and by no other
                    outcomes[edge, form] = error

        every = [(edge, form) for edge in ON_STAGE for form in BY_ID[edge].forms]
        await asyncio.gather(*(play(*each) for each in every if each in wanted))
    return outcomes


@pytest.fixture(scope="session")
def specials(tmp_path_factory: pytest.TempPathFactory, measured: Measured) -> Specials:
    """The edges that take two calls, a browser, or a telephone that is not ours."""
    played = asyncio.run(play_specials(tmp_path_factory.mktemp("specials")))
    for name, play in played.plays.items():
        if name in BY_ID:
            measured.setdefault(name, {})[play.form] = times_of(play.sink.events)
    return played


@pytest.fixture(scope="session")
def matrix(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, measured: Measured
) -> Matrix:
    wanted = {
        (item.originalname.removeprefix("test_"), item.callspec.params["form"])
        for item in request.session.items
        if isinstance(item, pytest.Function)
        and item.path.name == "test_matrix.py"
        and hasattr(item, "callspec")
        and "form" in item.callspec.params
    }
    made = Matrix(asyncio.run(_play_all(tmp_path_factory.mktemp("handover"), wanted)))
    measured.update(made.times())
    return made
