"""How a call reaches another telephone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from telephony.leg import CallLeg


class Dial(Protocol):
    """Rings an address (a SIP URI, or `desk:AGENT@CALL`) for at most so many seconds; the line that answered.

    Raises DialFailed. Cancelling it stops the ringing. `placed` is told the line as soon as it is there:
    its early media can be heard before the answer.
    """

    def __call__(
        self, uri: str, timeout_s: float, placed: Callable[[CallLeg], None] | None = None, /
    ) -> Awaitable[CallLeg]: ...
