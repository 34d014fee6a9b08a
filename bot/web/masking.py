"""Customers' numbers, on every page and stream alike: whole for `RINGERS`, two digits for everybody else.

Whoever sees two digits also finds nobody by some of the others: he may ask for a whole number alone.
"""

from __future__ import annotations

from bot.accounts.roles import RINGERS, Role
from bot.store.phones import phone_key


def sees_numbers(role: Role) -> bool:
    return role in RINGERS


def shown_number(address: str, *, whole: bool) -> str:
    """A caller's number: whole for those who may see it, else its last two digits, as in the logs.

    >>> shown_number("sip:+79001234567@trunk", whole=False)
    '***67'
    """
    number = phone_key(address)
    if not number.isdecimal():
        return address.partition(":")[2].partition("@")[0] if whole else ""
    return f"+{number}" if whole else f"***{number[-2:]}"
