"""Orders to a live call over a socket: they reach its session, and whatever is wrong is told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest

from bot.call.session import CallSession
from bot.core.control import ControlClient, ControlServer
from bot.core.errors import BadInput
from bot.worker_orders import CallOrders


class Session:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []

    def agent_decides(self, agent_id: str, accepted: bool) -> None:
        self.told.append(("agent_decides", agent_id, accepted))

    def hold(self) -> None:
        self.told.append(("hold",))

    def unhold(self) -> None:
        self.told.append(("unhold",))

    def pass_on(self, to_agent_id: str) -> None:
        self.told.append(("pass_on", to_agent_id))

    async def hang_up(self, side: str) -> None:
        self.told.append(("hang_up", side))


@pytest.fixture
async def session() -> Session:
    return Session()


@pytest.fixture
async def control(tmp_path: Path, session: Session) -> AsyncIterator[ControlClient]:
    server = ControlServer(tmp_path / "w.sock")
    calls = {"call-1": cast(CallSession, session)}
    CallOrders(calls.get).register(server)
    await server.start()
    async with await ControlClient.connect(tmp_path / "w.sock") as client:
        yield client
    await server.close()


async def test_each_order_reaches_its_call(control: ControlClient, session: Session) -> None:
    await control.request("agent_decides", call_id="call-1", agent_id="anna", accepted=True)
    await control.request("hold", call_id="call-1")
    await control.request("unhold", call_id="call-1")
    await control.request("pass_on", call_id="call-1", to_agent_id="boris")
    await control.request("hang_up", call_id="call-1", side="agent")
    assert session.told == [
        ("agent_decides", "anna", True),
        ("hold",),
        ("unhold",),
        ("pass_on", "boris"),
        ("hang_up", "agent"),
    ]


@pytest.mark.parametrize(
    ("order", "params", "told"),
    [
        ("hold", {"call_id": "call-9"}, "call-9"),
        ("hold", {}, "hold.call_id"),
        ("agent_decides", {"call_id": "call-1", "agent_id": "anna"}, "agent_decides.accepted"),
        ("pass_on", {"call_id": "call-1", "to": "boris"}, "pass_on.to"),
        ("hang_up", {"call_id": "call-1", "side": "both"}, "hang_up.side"),
    ],
)
async def test_what_is_wrong_is_told_and_nothing_is_done(
    control: ControlClient, session: Session, order: str, params: dict[str, Any], told: str
) -> None:
    with pytest.raises(BadInput, match=told):
        await control.request(order, **params)
    assert session.told == []
