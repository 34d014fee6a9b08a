"""Telephone numbers as people write them."""

from __future__ import annotations

import phonenumbers

HOME_REGION = "RU"
"""How a number without a country code is read: 8 495 … is +7 495 …."""


def e164(written: str) -> str | None:
    """`+74950000000` for a public number in any usual writing; None for what is none."""
    try:
        parsed = phonenumbers.parse(written, HOME_REGION)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(parsed):
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
