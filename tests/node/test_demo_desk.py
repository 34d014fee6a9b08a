"""Who takes the demo's unhappy customer: a browser where a desk is open, else the demo's own telephone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.cli import demo_desk
from bot.cli.demo import SCENARIO
from bot.cli.demo_desk import AGENT, TALK_S, TakenAtDesk
from bot.core.control import ControlClient, ControlServer
from bot.core.events import HandoverAccepted
from bot.sim.results import CallReport, SimReport
from bot.sim.scenario import load_scenario

DEAF = ("клиент не слышал агента: перевода не было", "агент не слышал клиента: тон 700 Гц")
OTHER = "пауза 3.20 с, а можно 2.00"


class Board:
    """A node that knows of one agent's desk alone; `looks` counts how often it was asked."""

    def __init__(self) -> None:
        self.open_from = 0
        self.looks = 0

    async def presence(self, params: dict[str, Any]) -> dict[str, Any]:
        assert params == {"agent_id": AGENT}
        self.looks += 1
        return {"desk": self.looks > self.open_from}


@pytest.fixture
def board() -> Board:
    return Board()


@pytest.fixture
async def control(board: Board, tmp_path: Path) -> AsyncIterator[ControlClient]:
    server = ControlServer(tmp_path / "c.sock")
    server.register("presence", board.presence)
    await server.start()
    async with await ControlClient.connect(server.path) as client:
        yield client
    await server.close()


async def test_it_waits_for_the_desk_and_not_for_ever(
    board: Board, control: ControlClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo_desk, "_LOOK_S", 0.01)
    board.open_from = 3
    assert await demo_desk.opened(control, 5.0)
    assert board.looks == 4
    board.open_from = 1_000_000
    assert not await demo_desk.opened(control, 0.05)


def test_only_who_is_handed_over_stays_longer() -> None:
    scenario = load_scenario(SCENARIO)
    longer = demo_desk.with_time_to_talk(scenario)
    for before, after in zip(scenario.calls, longer.calls, strict=True):
        if before.after_transfer is None:
            assert after == before
        else:
            assert after.after_transfer is not None
            assert after.after_transfer.listen_s == TALK_S > before.after_transfer.listen_s
    assert any(call.after_transfer for call in longer.calls)


@pytest.mark.parametrize(("by", "left"), [("button", [OTHER]), ("key", [*DEAF, OTHER])])
def test_no_tone_is_expected_of_a_person(by: Any, left: list[str]) -> None:
    """What else went wrong is told all the same, and of the demo's telephone everything."""
    taken = TakenAtDesk()
    taken.saw(
        HandoverAccepted(
            call_id="call-1", seq=7, at=datetime(2026, 1, 1, tzinfo=UTC), target=AGENT, agent_id=AGENT, by=by
        )
    )
    unhappy = CallReport(name="unhappy", call_id="call-1", failures=[*DEAF, OTHER])
    other = CallReport(name="other", call_id="call-2", failures=[*DEAF])
    judged = taken.judged(SimReport(calls=[unhappy, other]))
    assert [call.failures for call in judged.calls] == [left, [*DEAF]]
