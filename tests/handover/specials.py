"""Edges that take more than a caller and a simulated telephone: a second call, a browser, another's phone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
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
class Specials:
    plays: dict[str, Play] = field(default_factory=dict)
    page_heard_dbfs: float = -120.0


async def play_specials(stage: Stage, folder: Path) -> Specials:
    told = Specials()
    await asyncio.gather(_claims(stage, told), _phones(stage, told, folder))
    await asyncio.gather(_page_closed(stage, told), _page_returns(stage, told))
    return told


async def _claims(stage: Stage, told: Specials) -> None:
    desk = Desk()
    first = Case({"agent": AgentDoes.ACCEPTS_BY_KEY})
    names = ("two_agents_claim", "two_agents_claim_too")
    plays = await asyncio.gather(
        stage.play(names[0], "bridge", first, desk),
        _second(stage, names[1], desk),
    )
    told.plays.update(zip(names, plays, strict=True))


async def _second(stage: Stage, name: str, desk: Desk) -> Play:
    """Rings for the same agent, once there is one."""
    async with asyncio.timeout(20):
        while not desk.people:  # noqa: ASYNC110  the desk of the tests tells nobody
            await asyncio.sleep(0.05)
    return await stage.play(name, "bridge", Case(), desk)


async def _phones(stage: Stage, told: Specials, folder: Path) -> None:
    voice = Case({"agent": AgentDoes.ACCEPTS_BY_VOICE})
    told.plays["accepted_by_voice"] = await stage.play("accepted_by_voice", "bridge", voice)
    async with baresip(folder) as uri:
        case = Case({"agent": uri}, button(accepted=True))
        told.plays["accepted_by_button"] = await stage.play("accepted_by_button", "bridge", case)


async def _page_closed(stage: Stage, told: Specials) -> None:
    page = Browser()

    async def act(play: Play, leg: Callable[[], WebRtcLeg]) -> None:
        await play.joined()
        page.say(tone(3.0, 8000, hz=AGENT_HZ))
        await asyncio.sleep(2.5)  # longer than what counts as no talk at all
        await page.close()
        assert not leg().ended.done(), "it may be loaded anew"
        await play.cut_off()
        play.caller_does(TWO)

    told.plays["agent_browser_closed"] = await _at_desk(stage, "agent_browser_closed", page, act, 20.0)


async def _page_returns(stage: Stage, told: Specials) -> None:
    page, again = Browser(), Browser()

    async def act(play: Play, leg: Callable[[], WebRtcLeg]) -> None:
        await play.joined()
        await page.close()
        await again.rejoin(leg())
        again.listen()
        again.say(tone(4.0, 8000, hz=AGENT_HZ))
        await asyncio.sleep(1.5)
        told.page_heard_dbfs = goertzel_dbfs(again.heard(), CALLER_HZ)

    try:
        told.plays["agent_browser_reconnects"] = await _at_desk(
            stage, "agent_browser_reconnects", page, act, 5.0
        )
    finally:
        await again.close()


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
