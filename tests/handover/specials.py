"""Edges that take more than a caller and a simulated telephone: a second call, a browser, another's phone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from bot.sim.agents import AgentDoes
from telephony.settings import WebRtcSettings
from telephony.tones import goertzel_dbfs, tone
from telephony.webrtc import WebRtcEndpoint
from telephony.webrtcleg import WebRtcLeg
from tests.call.fakes import Desk
from tests.handover.cases import TWO, button
from tests.handover.stage import AGENT_HZ, CALLER_HZ, Case, Play, Stage
from tests.sim.test_baresip import baresip
from tests.telephony.browsers import Browser

REJOIN_S = 1.5
"""A page may be loaded anew for so long."""


@dataclass
class Played:
    """What came of an edge: its calls, and how loud the caller was at a page that came back."""

    plays: tuple[Play, ...]
    page_heard_dbfs: float = -120.0

    @property
    def play(self) -> Play:
        (play,) = self.plays
        return play


async def _claims(stage: Stage, folder: Path) -> Played:
    desk = Desk()
    first = Case({"agent": AgentDoes.ACCEPTS_BY_KEY})
    plays = await asyncio.gather(
        stage.play("two_agents_claim", "bridge", first, desk),
        _second(stage, "two_agents_claim_too", desk),
    )
    return Played(tuple(plays))


async def _second(stage: Stage, name: str, desk: Desk) -> Play:
    """Rings for the same agent, once there is one."""
    async with asyncio.timeout(20):
        while not desk.people:  # noqa: ASYNC110  the desk of the tests tells nobody
            await asyncio.sleep(0.05)
    return await stage.play(name, "bridge", Case(), desk)


async def _voice(stage: Stage, folder: Path) -> Played:
    case = Case({"agent": AgentDoes.ACCEPTS_BY_VOICE})
    return Played((await stage.play("accepted_by_voice", "bridge", case),))


async def _button(stage: Stage, folder: Path) -> Played:
    async with baresip(folder) as uri:
        case = Case({"agent": uri}, button(accepted=True))
        return Played((await stage.play("accepted_by_button", "bridge", case),))


async def _page_closed(stage: Stage, folder: Path) -> Played:
    page = Browser()

    async def act(play: Play, leg: Callable[[], WebRtcLeg]) -> None:
        await play.joined()
        page.say(tone(3.0, 8000, hz=AGENT_HZ))
        await asyncio.sleep(2.5)  # longer than what counts as no talk at all
        await page.close()
        assert not leg().ended.done(), "it may be loaded anew"
        await play.cut_off()
        play.caller_does(TWO)

    return Played((await _at_desk(stage, "agent_browser_closed", page, act, 20.0),))


async def _page_returns(stage: Stage, folder: Path) -> Played:
    page, again = Browser(), Browser()
    heard_dbfs: list[float] = []

    async def act(play: Play, leg: Callable[[], WebRtcLeg]) -> None:
        await play.joined()
        await page.close()
        await again.rejoin(leg())
        again.listen()
        again.say(tone(4.0, 8000, hz=AGENT_HZ))
        await asyncio.sleep(1.5)
        heard_dbfs.append(goertzel_dbfs(again.heard(), CALLER_HZ))

    try:
        play = await _at_desk(stage, "agent_browser_reconnects", page, act, 5.0)
    finally:
        await again.close()
    return Played((play,), *heard_dbfs)


async def _at_desk(
    stage: Stage,
    name: str,
    page: Browser,
    act: Callable[[Play, Callable[[], WebRtcLeg]], Awaitable[None]],
    listen_s: float,
) -> Play:
    """An agent who takes his caller in the browser."""
    endpoint = WebRtcEndpoint(WebRtcSettings(rejoin_s=REJOIN_S))
    legs: list[WebRtcLeg] = []

    async def accept() -> WebRtcLeg:
        legs.append(await page.call(endpoint))
        return legs[0]

    stage.browsers[f"{name}-bridge"] = accept
    case = Case(act=lambda play: act(play, lambda: legs[0]), browser=True, listen_s=listen_s)
    try:
        return await stage.play(name, "bridge", case)
    finally:
        await endpoint.stop()


SPECIALS: dict[str, Callable[[Stage, Path], Awaitable[Played]]] = {
    "two_agents_claim": _claims,
    "accepted_by_voice": _voice,
    "accepted_by_button": _button,
    "agent_browser_closed": _page_closed,
    "agent_browser_reconnects": _page_returns,
}
