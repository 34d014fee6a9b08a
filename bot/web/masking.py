"""Numbers for those who may not see them whole."""

from __future__ import annotations

from bot.store.phones import phone_key


def shown_number(address: str, *, whole: bool) -> str:
    """A caller's number: whole for those who may see it, else its last two digits, as in the logs.

    >>> shown_number("sip:+79001234567@trunk", whole=False)
    '***67'
    """
    number = phone_key(address)
    if not number.isdecimal():
        return address.partition(":")[2].partition("@")[0] if whole else ""
    return f"+{number}" if whole else f"***{number[-2:]}"
