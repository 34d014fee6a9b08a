"""Whose talk an incoming call is about: what is known of it, and where each value came from.

The values themselves stand in the call's context and in `CallStarted`; here are only their sources,
and for what is not known the reason. Nothing in here is personal.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict


class Source(StrEnum):
    """Where a value came from; of several that say something the first in this order counts."""

    ANNOUNCEMENT = "announcement"  # told before the call, by the API
    USER_TO_USER = "user_to_user"  # RFC 7433
    HEADER = "header"  # an X-header of the INVITE
    ROUTE = "route"  # the called number's own
    ASSERTED = "asserted"  # P-Asserted-Identity, RFC 3325
    FROM = "from"
    CONTACT = "contact"  # the customer is known by his number


class Missing(StrEnum):
    """Why a value is not known."""

    NOT_SENT = "not_sent"
    MALFORMED = "malformed"  # it was sent, and cannot be read
    WITHHELD = "withheld"  # the caller hides his number
    NO_NUMBER = "no_number"  # an extension or a name, not a telephone
    UNKNOWN_CALLER = "unknown_caller"  # there is a number, and no customer of it


Value = Literal["survey", "agent", "department", "conversation_id", "customer", "phone"]
VALUES: tuple[Value, ...] = get_args(Value)


class Attribution(BaseModel):
    """Each value's source, or None; then `missing` has the reason. `announcement` is the id of the one
    that was used; `malformed` names the headers that could not be read."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    survey: Source | None = None
    agent: Source | None = None
    department: Source | None = None
    conversation_id: Source | None = None
    customer: Source | None = None
    phone: Source | None = None
    missing: dict[Value, Missing] = {}
    announcement: str = ""
    malformed: tuple[str, ...] = ()

    def source(self, value: Value) -> Source | None:
        found: Source | None = getattr(self, value)
        return found
