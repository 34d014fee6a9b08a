"""`python -m bot.sim.bench.bridge_node`: the bridge under test, in a process of its own as a media worker is.

Reads its `Ports` and then orders as JSON lines from stdin, and answers each with one line on stdout. The end
of stdin ends it.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Literal

import structlog
import uvloop
from pydantic import BaseModel

from bot.core.audio import FRAME_S
from telephony.bridge import Bridge
from telephony.leg import CallLeg
from telephony.pacer import Pacer
from telephony.settings import SipSettings, WebRtcSettings
from telephony.sip import SipEndpoint
from telephony.sipleg import SipLeg
from telephony.webrtc import WebRtcEndpoint
from telephony.webrtcleg import WebRtcLeg

ANSWER_S = 10.0


class Ports(BaseModel):
    """All on 127.0.0.1."""

    sip: int
    rtp: tuple[int, int]
    webrtc: tuple[int, int]


class Order(BaseModel):
    """`join` bridges the SIP addresses of `uris`, and the browser of `offer` if there is one: answered with
    its description, and with a second line when both talk. `count` asks for the counters, `part` ends it."""

    do: Literal["join", "count", "part"]
    uris: tuple[str, ...] = ()
    offer: str = ""


class Count(BaseModel):
    """Frame times of both lines since they were joined, and how many of them were concealed."""

    frames: int = 0
    concealed: int = 0


class Told(BaseModel):
    answer: str = ""
    count: Count = Count()


def _tell(told: Told) -> None:
    sys.stdout.write(told.model_dump_json() + "\n")
    sys.stdout.flush()


def _count(legs: Sequence[SipLeg | WebRtcLeg]) -> Count:
    return Count(
        frames=sum(round(leg.media_s / FRAME_S) for leg in legs),
        concealed=sum(leg.stats().concealed_frames for leg in legs),
    )


async def _joined(sip: SipEndpoint, pages: WebRtcEndpoint, order: Order) -> list[SipLeg | WebRtcLeg]:
    legs: list[SipLeg | WebRtcLeg] = [await sip.dial(uri, timeout_s=ANSWER_S) for uri in order.uris]
    if order.offer:
        answer, leg = await pages.answer(order.offer, remote="webrtc:page", local="webrtc:bench")
        _tell(Told(answer=answer))
        await leg.answer()
        legs.append(leg)
    return legs


async def _main() -> None:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    ports = Ports.model_validate_json(await reader.readline())
    pacer = Pacer()
    sip = SipEndpoint(SipSettings(port=ports.sip, rtp_ports=ports.rtp, max_calls=10), pacer=pacer)
    pages = WebRtcEndpoint(WebRtcSettings(ports=ports.webrtc, max_calls=4), pacer=pacer)
    await sip.start()
    legs: list[SipLeg | WebRtcLeg] = []
    try:
        _tell(Told())
        async with AsyncExitStack() as stack:
            async for line in reader:
                order = Order.model_validate_json(line)
                match order.do:
                    case "join":
                        legs = await _joined(sip, pages, order)
                        a, b = legs
                        await stack.enter_async_context(_bridge(a, b).joined())
                        _tell(Told())
                    case "count":
                        _tell(Told(count=_count(legs)))
                    case "part":
                        await stack.aclose()
                        await asyncio.gather(*(leg.hang_up() for leg in legs))
                        _tell(Told())
    finally:
        await pages.stop()
        await sip.stop()


def _bridge(a: CallLeg, b: CallLeg) -> Bridge:
    return Bridge(a, b)


if __name__ == "__main__":
    # stdout belongs to the messages; whatever goes wrong is said on stderr.
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    uvloop.run(_main())
