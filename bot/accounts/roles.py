"""What an account may do."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """A page or an order names the roles that may have it; no role includes another."""

    AGENT = "agent"  # takes handovers: his own desk, cases and callbacks
    OPS = "ops"  # surveys, contacts, campaigns: who is asked what, and when
    MANAGER = "manager"  # results, the journal of calls, cases, exports
    ADMIN = "admin"  # sees and does everything, and looks after the accounts
    AUDITOR = "auditor"  # reads what the others see, and who looked at it; changes nothing


READERS = (Role.MANAGER, Role.ADMIN, Role.AUDITOR)
"""Who reads results and calls."""

TAKERS = (Role.MANAGER, Role.ADMIN)
"""Who may take customers' names and numbers away in a file."""

OPERATORS = (Role.OPS, Role.ADMIN)
"""Who changes surveys, contacts and campaigns."""

RINGERS = (Role.OPS, Role.MANAGER, Role.ADMIN)
"""Who rings customers or calls them back, and so sees their numbers whole; everybody else two digits."""

OBSERVERS = (Role.OPS, Role.MANAGER, Role.ADMIN, Role.AUDITOR)
"""Who sees how surveys and campaigns go."""
