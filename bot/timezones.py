"""Whose clock a caller's words are read by: his own where it is known, else the company's.

A number of a fixed line tells its place; one of a mobile network belongs to a whole country, and then
it tells nothing where the country has more zones than one.
"""

from __future__ import annotations

import phonenumbers
from phonenumbers import timezone

from bot.core.phone_numbers import HOME_REGION

_UNKNOWN = "Etc/Unknown"


def zone_of_number(number: str) -> str | None:
    """The one zone of a telephone number in any usual writing; None where it has several, or is no number."""
    try:
        parsed = phonenumbers.parse(number, HOME_REGION)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(parsed):
        return None
    zones = timezone.time_zones_for_number(parsed)
    return zones[0] if len(zones) == 1 and zones[0] != _UNKNOWN else None


def customer_zone(told: str, number: str, company: str) -> str:
    """What was told of the customer, else where his number is, else the company's own zone."""
    return told or zone_of_number(number) or company
