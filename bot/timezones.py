"""Whose clock a caller's words are read by: his own where it is known, else the company's.

A number of a fixed line tells its place; one of a mobile network belongs to a whole country, and then
it tells nothing where the country has more zones than one. A Russian number is read by its region's code:
the zones that phonenumbers has for +7 are those of neighbours (Europe/Bucharest, which has a summer time,
for Kaliningrad, which has none).
"""

from __future__ import annotations

import phonenumbers
from phonenumbers import PhoneNumber, timezone

from bot.regions import region_of_number

HOME_REGION = "RU"
"""How a number without a country code is read: 8 495 … is +7 495 …."""

_UNKNOWN = "Etc/Unknown"


def zone_of_number(number: str) -> str | None:
    """The one zone of a telephone number in any usual writing; None where it has several, or is no number."""
    try:
        parsed = phonenumbers.parse(number, HOME_REGION)
    except phonenumbers.NumberParseException:
        return None
    return zone_of_parsed(parsed) if phonenumbers.is_valid_number(parsed) else None


def zone_of_parsed(number: PhoneNumber) -> str | None:
    """The same of a number that is known to be valid."""
    if phonenumbers.region_code_for_number(number) == HOME_REGION:
        region = region_of_number(phonenumbers.national_significant_number(number))
        return (region.zone or None) if region else None
    zones = timezone.time_zones_for_number(number)
    return zones[0] if len(zones) == 1 and zones[0] != _UNKNOWN else None


def customer_zone(told: str, number: str, company: str) -> str:
    """What was told of the customer, else where his number is, else the company's own zone."""
    return told or zone_of_number(number) or company
