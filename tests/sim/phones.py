"""Simulated phones for the tests of this room."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from bot.sim.rtp import RtpSession
from bot.sim.sip_agent import ReferPolicy, SipAgent
from bot.sim.sip_call import SipCall


class Phone:
    """An agent that takes every call by `on_call`, and keeps what happened."""

    def __init__(self, agent: SipAgent, calls: asyncio.Queue[SipCall]) -> None:
        self.agent, self.calls = agent, calls

    @property
    def uri(self) -> str:
        return self.agent.uri


OnCall = Callable[[SipCall, RtpSession], Any]


async def answer(call: SipCall, rtp: RtpSession) -> None:
    call.ring()
    await call.answer(rtp)


def rejecting(status: int) -> OnCall:
    async def reject(call: SipCall, rtp: RtpSession) -> None:
        call.reject(status)

    return reject


async def ring_forever(call: SipCall, rtp: RtpSession) -> None:
    call.ring()


@asynccontextmanager
async def phone(
    user: str,
    on_call: OnCall = answer,
    *,
    rtp: RtpSession | None = None,
    refer: ReferPolicy = ReferPolicy.DIAL,
    codecs: tuple[str, ...] = ("PCMA",),
    t1: float = 0.5,
    port: int = 0,
) -> AsyncIterator[Phone]:
    calls: asyncio.Queue[SipCall] = asyncio.Queue()
    session = rtp or RtpSession.open()

    async def on_invite(call: SipCall) -> None:
        calls.put_nowait(call)
        await on_call(call, session)

    agent = SipAgent(user, on_invite, refer=refer, codecs=codecs, t1=t1, on_transferred=calls.put_nowait)
    await agent.open(port=port)
    try:
        yield Phone(agent, calls)
    finally:
        await agent.close()
        await session.close()


@asynccontextmanager
async def media() -> AsyncIterator[RtpSession]:
    session = RtpSession.open()
    try:
        yield session
    finally:
        await session.close()


async def until(condition: Callable[[], bool], within_s: float = 5.0) -> None:
    """Wait for something that has no event of its own."""
    for _ in range(round(within_s / 0.01)):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise TimeoutError("the condition did not come true")
