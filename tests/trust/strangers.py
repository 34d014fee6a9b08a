"""INVITEs from an allowed and from a strange address to a real SIP endpoint: run in a network of its own.

    unshare --net python -m tests.trust.strangers

Writes one JSON object: the final answer that each caller got, and whose calls were offered to the node.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from contextlib import suppress
from typing import Any

from bot.core.errors import LegClosed
from telephony.settings import SipSettings
from telephony.sip import SipEndpoint, SipLeg
from tests.trust.two_networks import ALLOWED, NODE, SIP, SOUND, STRANGER, Outside

CALLERS = {"trunk": ALLOWED, "allowed": SOUND, "stranger": STRANGER}
_SDP = "v=0\r\no=- 1 1 IN IP4 {0}\r\ns=-\r\nc=IN IP4 {0}\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n"


def invite(name: str, own: str) -> bytes:
    body = _SDP.format(own.partition(":")[0])
    return (
        f"INVITE sip:100@{NODE} SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bK{name}\r\n"
        f"From: <sip:{name}@pbx.test>;tag={name}\r\nTo: <sip:100@{NODE}>\r\n"
        f"Call-ID: {name}\r\nCSeq: 1 INVITE\r\n"
        f"Contact: <sip:{name}@{own}>\r\nMax-Forwards: 70\r\nContent-Type: application/sdp\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def ring(name: str, caller: socket.socket) -> int:
    """The status of the final answer."""
    host, port = caller.getsockname()
    caller.sendto(invite(name, f"{host}:{port}"), (NODE, SIP))
    while (status := int(caller.recv(65_535).split()[1])) < 200:
        pass
    return status


async def play() -> dict[str, Any]:
    outside = Outside()
    callers = {name: outside.udp(address) for name, address in CALLERS.items()}
    offered: list[str] = []
    tasks: set[asyncio.Task[None]] = set()

    async def answer(leg: SipLeg) -> None:
        offered.append(leg.call_id)
        with suppress(LegClosed):  # nobody confirms it: the 200 alone is looked at
            await leg.answer()

    def take(leg: SipLeg) -> None:
        tasks.add(asyncio.create_task(answer(leg)))

    settings = SipSettings(
        host=NODE, port=SIP, trunks=(f"{ALLOWED}:5060",), allowed=(SOUND,), ack_timeout_s=0.5
    )
    endpoint = SipEndpoint(settings, on_call=take)
    await endpoint.start()
    try:
        statuses = {name: await asyncio.to_thread(ring, name, caller) for name, caller in callers.items()}
        await asyncio.gather(*tasks)
        return {"statuses": statuses, "offered": offered, "lines": len(endpoint.legs)}
    finally:
        await endpoint.stop()


if __name__ == "__main__":
    json.dump(asyncio.run(play()), sys.stdout)
