"""A contact's time zone: from its own column, else from where he lives, else from his number."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from phonenumbers import PhoneNumber

from bot.core.zones import known_zone
from bot.regions import region_of, spelling, zone_of_city
from bot.timezones import zone_of_parsed

_BY_MOSCOW = {
    -1: "Europe/Kaliningrad", 0: "Europe/Moscow", 1: "Europe/Samara", 2: "Asia/Yekaterinburg",
    3: "Asia/Omsk", 4: "Asia/Krasnoyarsk", 5: "Asia/Irkutsk", 6: "Asia/Yakutsk",
    7: "Asia/Vladivostok", 8: "Asia/Magadan", 9: "Asia/Kamchatka",
}  # fmt: skip
"""One zone for each clock of Russia, by hours ahead of Moscow (Law 107-FZ, article 5)."""

_OFFSET = re.compile(
    r"\(?(?P<base>мск|msk|москва|utc|gmt)?\s*(?P<hours>[+-]\s*\d{1,2})?(?::?00)?\)?(?P<rest>.*)"
)
_MOSCOW = ("мск", "msk", "москва")


class ZoneFrom(StrEnum):
    """Where a zone was taken from; what people said is never replaced by what was derived."""

    COLUMN = "column"
    REGION = "region"
    NUMBER = "number"
    NOWHERE = ""


@dataclass(frozen=True, slots=True)
class FoundZone:
    name: str
    source: ZoneFrom


def zone_named(cell: str) -> str:
    """A zone as people and spreadsheets write it: `Asia/Omsk`, `МСК+3`, `UTC+6`, `(UTC+06:00) Омск`, `+6`
    (of UTC), or a city or region. Raises ValueError, in Russian.

    >>> zone_named("МСК+2"), zone_named("UTC+05:00"), zone_named("Томск")
    ('Asia/Yekaterinburg', 'Asia/Yekaterinburg', 'Asia/Tomsk')
    """
    written = cell.strip().replace("−", "-").replace("–", "-")
    if "/" in written:
        return known_zone(written)
    found = _OFFSET.fullmatch(written.lower())
    if found and (found["base"] or found["hours"]):
        hours = int((found["hours"] or "0").replace(" ", ""))
        if (base := found["base"]) or not found["rest"].strip():
            ahead = hours if base in _MOSCOW else hours - 3
            if ahead in _BY_MOSCOW:
                return _BY_MOSCOW[ahead]
    if not written.isdecimal() and (place := zone_of_place(written, written)):
        return place
    raise ValueError(f"часовой пояс «{cell}» непонятен: нужен такой, как Asia/Omsk, МСК+3 или UTC+6")


def zone_of_place(region: str, city: str) -> str:
    """By the region, where it keeps one clock, else by the city; "" where neither tells."""
    known = region_of(region) if spelling(region) else None
    return (known.zone if known else "") or (zone_of_city(city) if spelling(city) else "")


def find_zone(told: str, region: str, city: str, number: PhoneNumber) -> FoundZone:
    """Raises ValueError for a zone that was told and is none."""
    if told:
        return FoundZone(zone_named(told), ZoneFrom.COLUMN)
    if place := zone_of_place(region, city):
        return FoundZone(place, ZoneFrom.REGION)
    if by_number := zone_of_parsed(number):
        return FoundZone(by_number, ZoneFrom.NUMBER)
    return FoundZone("", ZoneFrom.NOWHERE)
