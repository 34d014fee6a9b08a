"""What an account may do."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """A page or an order names the roles that may have it; no role includes another."""

    AGENT = "agent"  # takes handovers: his own desk, cases and callbacks
    ADMIN = "admin"  # sees every call as it goes, and looks after the accounts
