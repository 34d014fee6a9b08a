"""Names for things that must stay distinct across restarts and machines."""

from __future__ import annotations

import uuid


def new_id(prefix: str) -> str:
    """A fresh random id such as `call-9f1c…` (122 random bits, RFC 9562 version 4)."""
    return f"{prefix}-{uuid.uuid4().hex}"


def event_id(call_id: str, seq: int) -> str:
    """The id of the `seq`-th event of a call: stable, so that storing it twice is storing it once."""
    return f"{call_id}-{seq:05d}"


def call_of(attempt_id: str) -> str:
    """The call id of an attempt: one attempt is one call."""
    return f"call-{attempt_id.removeprefix('attempt-')}"
