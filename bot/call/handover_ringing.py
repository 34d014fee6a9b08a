"""An agent's telephone rings, and never for nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from bot.call.handover_parts import Parts, Reason, dial_reason
from bot.call.waiting import first_of
from bot.core.errors import DialFailed
from telephony.leg import CallLeg


async def ring(
    parts: Parts,
    address: str,
    over: asyncio.Future[Reason],
    button: asyncio.Future[bool],
    placed: Callable[[CallLeg], None],
) -> CallLeg | Reason:
    """The agent's line, or why there is none.

    Stops at once when the caller is `over`, and when the agent declines by `button`: the phone is
    silent when this returns, and also when it is cancelled.
    """
    dialling = asyncio.ensure_future(parts.room.dial(address, parts.room.settings.handover_ring_s, placed))
    try:
        await first_of(dialling, over, button)
        if button.done() and button.result():  # said yes already, and is about to pick up
            await first_of(dialling, over)
        if over.done():
            return over.result()
        if not dialling.done():
            return "declined"
        return dialling.result()
    except DialFailed as error:
        return dial_reason(error)
    finally:
        if over.done() or not dialling.done() or _cancelled():
            await _silence(dialling)


def _cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _silence(dialling: asyncio.Future[CallLeg]) -> None:
    """Stop the ringing; whoever has picked up in this very moment is hung up on."""
    dialling.cancel()
    with suppress(asyncio.CancelledError, DialFailed):
        late = await dialling
        await late.hang_up()
