"""All calls of the matrix on one stage, some at once; each test then looks at its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import Literal

import pytest

from bot.core.routing import HandoverForm
from tests.handover.cases import ON_STAGE, case_of
from tests.handover.edges import BY_ID
from tests.handover.specials import SPECIALS, Played
from tests.handover.stage import Play, Stage, Times, held_up, times_of

AT_ONCE = 4
"""Calls that run side by side: two phones each, on two cores that other tests use as well."""

LONG = ("agent_drops_in_talk", "accepted", "refer_refused", "refer_202_silent", "refer_failed_late")

Measured = dict[str, dict[str, Times]]
Key = tuple[str, HandoverForm | Literal["special"]]
"""An edge and its form; a special has but one."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--handover-times", type=Path, default=None, help="write each edge's measured times to this JSON file"
    )


class Matrix:
    """What came of every call that this run wants to see. One that its test did not like is forgotten: where
    the test is tried again (tests/conftest.py), its call is made again, and nothing else beside it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._found: dict[Key, Played | Exception] = {}
        self._shown: Key | None = None

    def play(self, edge: str, form: HandoverForm) -> Play:
        return self._show((edge, form)).play

    def special(self, name: str) -> Played:
        """An edge that takes two calls, a browser, or a telephone that is not ours."""
        return self._show((name, "special"))

    def _show(self, key: Key) -> Played:
        if key not in self._found:
            asyncio.run(self.perform([key]))
        self._shown = key
        found = self._found[key]
        if isinstance(found, Exception):
            raise found
        return found

    async def perform(self, keys: Iterable[Key]) -> None:
        """Side by side: much of each call is waiting for somebody."""
        gate = asyncio.Semaphore(AT_ONCE)

        async with Stage(self._folder).open() as stage:

            async def one(key: Key) -> None:
                async with gate:
                    try:
                        self._found[key] = await self._one(stage, *key)
                    except Exception as error:  # told by the test of this edge, and by no other
                        self._found[key] = error

            await asyncio.gather(*map(one, keys))

    async def _one(self, stage: Stage, name: str, form: HandoverForm | Literal["special"]) -> Played:
        if form == "special":
            return await SPECIALS[name](stage, self._folder)
        return Played((await stage.play(name, form, case_of(name, form)),))

    def nothing_shown(self) -> None:
        self._shown = None

    def forget(self) -> int:
        """What was shown last is not used; how often its telephones were held up."""
        found = self._found.pop(self._shown, None) if self._shown is not None else None
        return sum(play.stalls for play in found.plays) if isinstance(found, Played) else 0

    def times(self) -> Iterator[tuple[str, HandoverForm, Times]]:
        for (edge, _), found in self._found.items():
            if edge in BY_ID and isinstance(found, Played):
                yield edge, found.plays[0].form, times_of(found.plays[0].sink.events)


MATRIX = pytest.StashKey[Matrix]()
"""A last try begins with a new session's fixtures, and what was played stays played."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """A failure tells whether a telephone of its call was held up."""
    matrix = item.config.stash.get(MATRIX, None)
    if matrix is None:
        return (yield)
    matrix.nothing_shown()
    try:
        return (yield)
    except Exception as error:
        stalls = matrix.forget()
        if stalls and isinstance(error, AssertionError):
            raise held_up(stalls, error) from error
        raise


@pytest.fixture(scope="session")
def measured(request: pytest.FixtureRequest) -> Iterator[Measured]:
    """Each edge's times by form; whoever plays an edge adds to it."""
    made: Measured = {}
    yield made
    file = request.config.getoption("--handover-times", default=None)  # known where this folder is asked for
    if file is not None:
        file.write_text(json.dumps(made, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def wanted(items: Iterable[pytest.Item]) -> Iterator[Key]:
    """What these tests want to see. Calls that take long come first: none is left alone at the end."""
    asked = [item for item in items if isinstance(item, pytest.Function) and "matrix" in item.fixturenames]
    names = {(item.originalname.removeprefix("test_"), _form(item)) for item in asked}
    for name in SPECIALS:
        if any(edge.startswith(name) and form is None for edge, form in names):
            yield name, "special"
    for edge in sorted(ON_STAGE, key=lambda each: each not in LONG):
        yield from ((edge, form) for form in BY_ID[edge].forms if (edge, form) in names)


def _form(item: pytest.Function) -> str | None:
    return item.callspec.params.get("form") if hasattr(item, "callspec") else None


@pytest.fixture(scope="session")
def matrix(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, measured: Measured
) -> Iterator[Matrix]:
    made = request.config.stash.get(MATRIX, None)
    if made is None:
        made = Matrix(tmp_path_factory.mktemp("handover"))
        asyncio.run(made.perform([*wanted(request.session.items)]))
        request.config.stash[MATRIX] = made
    yield made
    for edge, form, times in made.times():
        measured.setdefault(edge, {})[form] = times
