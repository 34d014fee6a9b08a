"""How pages of the journal show moments, lengths and numbers."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from bot.accounts.roles import READERS, Role
from bot.store.tables import Attempt, Contact
from bot.web.masking import shown_number

JOURNAL_READERS = (Role.OPS, *READERS)
"""Who sees calls: ops without the sound."""

CORRECTORS = (Role.MANAGER, Role.ADMIN)
"""Who puts right what was recorded, and moves cases."""


def moment(at: datetime | None, zone: ZoneInfo, form: str = "%d.%m.%Y %H:%M") -> str:
    return at.astimezone(zone).strftime(form) if at is not None else ""


def length(seconds: float | None) -> str:
    """«2:05», «1:00:07»; "" where it is not known.

    >>> length(125.4)
    '2:05'
    """
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def number_of(attempt: Attempt, *, whole: bool) -> str:
    """The customer's; "" for a call from a page."""
    address = f"tel:+{attempt.phone}" if attempt.phone.isdecimal() else attempt.to_uri
    return shown_number(address, whole=whole) if address else ""


def customer(contact: Contact | None) -> str:
    if contact is None:
        return ""
    return " ".join(filter(None, (contact.first_name, contact.middle_name, contact.last_name)))
