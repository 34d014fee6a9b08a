"""Mail addresses: those that people have, not all that RFC 5322 can write."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

_ADDRESS = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?"
)
"""As HTML's `<input type=email>` has it (4.10.5.1.5)."""


def is_address(written: str) -> bool:
    """
    >>> is_address("olga@example.ru"), is_address("olga"), is_address("ольга@example.ru")
    (True, False, False)
    """
    return _ADDRESS.fullmatch(written) is not None


def _checked(written: str) -> str:
    if not is_address(written):
        raise ValueError("нужен адрес почты, как olga@example.ru")
    return written


def _checked_or_empty(written: str) -> str:
    return _checked(written) if written else ""


MailAddress = Annotated[str, AfterValidator(_checked)]
MailAddressOrNone = Annotated[str, AfterValidator(_checked_or_empty)]
