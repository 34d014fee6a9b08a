"""How a call reaches another telephone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from telephony.leg import CallLeg


class Caller(BaseModel):
    """Whom a telephone shows as ringing; what is empty is as the settings say."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: str = ""
    label: str = ""


class Dial(Protocol):
    """Rings an address (a SIP URI, or `desk:AGENT@CALL`) for at most so many seconds; the line that answered.

    Raises DialFailed. Cancelling it stops the ringing. `placed` is told the line as soon as it is there:
    its early media can be heard before the answer.
    """

    def __call__(
        self, uri: str, timeout_s: float, placed: Callable[[CallLeg], None] | None = None, /
    ) -> Awaitable[CallLeg]: ...
