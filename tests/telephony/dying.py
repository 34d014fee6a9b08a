"""A process whose SIP stack dies during a call. Its last line is what it was told."""

from __future__ import annotations

import asyncio
import sys

from baresip._native import ffi, lib

from bot.core.errors import OtklikError
from telephony.sip import SipEndpoint
from tests.ports import free_port
from tests.telephony.peers import SipSettings


async def main(uri: str) -> None:
    told = asyncio.Event()
    endpoint = SipEndpoint(SipSettings(port=free_port()), on_dead=told.set)
    await endpoint.start()
    leg = await endpoint.dial(uri, timeout_s=5)
    lib.bp_cmd(lib.BP_CMD_STOP, 0, ffi.NULL)  # behind the back of everyone: its thread is gone
    words = [(await leg.ended).kind.value]
    await told.wait()
    words.append("told")
    try:
        await endpoint.dial(uri)
    except OtklikError as error:
        words.append(error.code)
    words.append(str(await endpoint.taken()))
    await endpoint.stop()
    sys.stdout.write(" ".join(words) + "\n")


asyncio.run(main(sys.argv[1]))
