"""Waiting for whichever comes first."""

from __future__ import annotations

import asyncio
from typing import Any


async def first_of(*futures: asyncio.Future[Any], timeout_s: float | None = None) -> None:
    """Returns when one of them is done (or the time is over); cancels none and raises nothing."""
    await asyncio.wait(futures, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)


async def end(*futures: asyncio.Future[Any] | None) -> None:
    """Cancels those that are not done, and returns when all have ended. Whose failures matter awaits
    them before; here they are let go."""
    ending = {future for future in futures if future is not None}
    for future in ending:
        future.cancel()
    if ending:
        await asyncio.gather(*ending, return_exceptions=True)
