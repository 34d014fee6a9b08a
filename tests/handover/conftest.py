"""All calls of the matrix at once, on one stage; each test then looks at its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.core.routing import HandoverForm
from tests.handover.cases import ON_STAGE, case_of
from tests.handover.edges import BY_ID
from tests.handover.specials import Specials, play_specials
from tests.handover.stage import Play, Stage, Times, held_up, times_of

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
        self.shown: Play | None = None
        """The one that the test of this moment looks at."""

    def play(self, edge: str, form: HandoverForm) -> Play:
        found = self._outcomes[edge, form]
        if isinstance(found, Exception):
            raise found
        self.shown = found
        return found

    def times(self) -> Measured:
        told: Measured = {}
        for (edge, form), play in self._outcomes.items():
            if isinstance(play, Play):
                told.setdefault(edge, {})[form] = times_of(play.sink.events)
        return told


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """A failure tells whether a telephone of its call was held up."""
    matrix = item.funcargs.get("matrix") if isinstance(item, pytest.Function) else None
    if isinstance(matrix, Matrix):
        matrix.shown = None
    try:
        return (yield)
    except AssertionError as error:
        play = matrix.shown if isinstance(matrix, Matrix) else None
        if play is not None and play.stalls:
            raise held_up(play.stalls, error) from error
        raise


@pytest.fixture(scope="session")
def measured(request: pytest.FixtureRequest) -> Iterator[Measured]:
    """Each edge's times by form; whoever plays an edge adds to it."""
    made: Measured = {}
    yield made
    file = request.config.getoption("--handover-times", default=None)  # known where this folder is asked for
    if file is not None:
        file.write_text(json.dumps(made, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


@dataclass
class Played:
    matrix: Outcomes = field(default_factory=dict)
    specials: Specials | None = None


async def _play_all(folder: Path, wanted: Collection[tuple[str, str]], *, specials: bool) -> Played:
    """Everything at once: much of each call is waiting for somebody."""
    gate = asyncio.Semaphore(AT_ONCE)
    played = Played()

    async with Stage(folder).open() as stage:

        async def play(edge: str, form: HandoverForm) -> None:
            async with gate:
                try:
                    played.matrix[edge, form] = await stage.play(edge, form, case_of(edge, form))
                except Exception as error:  # told by the test of this edge, and by no other
                    played.matrix[edge, form] = error

        async def others() -> None:
            played.specials = await play_specials(stage, folder)

        every = [(edge, form) for edge in ON_STAGE for form in BY_ID[edge].forms]
        plays = [play(*each) for each in every if each in wanted]
        await asyncio.gather(*plays, *([others()] if specials else []))
    return played


@pytest.fixture(scope="session")
def played(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, measured: Measured
) -> Played:
    """What the tests of this run want to see."""
    items = [
        item
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.path.name == "test_matrix.py"
    ]
    wanted = {
        (item.originalname.removeprefix("test_"), item.callspec.params["form"])
        for item in items
        if hasattr(item, "callspec") and "form" in item.callspec.params
    }
    specials = any("specials" in item.fixturenames for item in items)
    made = asyncio.run(_play_all(tmp_path_factory.mktemp("handover"), wanted, specials=specials))
    measured.update(Matrix(made.matrix).times())
    for name, play in (made.specials.plays if made.specials is not None else {}).items():
        if name in BY_ID:
            measured.setdefault(name, {})[play.form] = times_of(play.sink.events)
    return made


@pytest.fixture(scope="session")
def specials(played: Played) -> Specials:
    """The edges that take two calls, a browser, or a telephone that is not ours."""
    assert played.specials is not None
    return played.specials


@pytest.fixture(scope="session")
def matrix(played: Played) -> Matrix:
    return Matrix(played.matrix)
