"""Whose clock a region of Russia keeps, however its name is written (data: russian_regions.toml)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_name("russian_regions.toml")

_GENERIC = re.compile(
    r"\b(?:область|обл|край|республика|респ|автономный округ|автономная|авт|ао|аобл|"
    r"город федерального значения|город|гор|г|россия|рф)\b"
)
_SEPARATORS = re.compile(r"[^\w]+")


@dataclass(frozen=True, slots=True)
class Region:
    """`zone` is "" where the region keeps more clocks than one. `msk`: hours ahead of Moscow."""

    code: str
    name: str
    zone: str = ""
    msk: int | None = None


@dataclass(frozen=True, slots=True)
class _Atlas:
    regions: Mapping[str, Region]
    cities: Mapping[str, str]
    areas: Mapping[str, Region]


def spelling(name: str) -> str:
    """What two spellings of one place have in common.

    >>> spelling("Респ. Северная Осетия - Алания") == spelling("Северная Осетия — Алания Республика")
    True
    """
    words = _SEPARATORS.sub(" ", name.lower().replace("ё", "е").replace("\u0301", ""))
    return " ".join(_GENERIC.sub(" ", words).split())


def region_of(name: str) -> Region | None:
    """The region by any usual spelling of its name, or by its code of two digits."""
    key = spelling(name)
    return _atlas().regions.get(key.zfill(2) if key.isdecimal() else key)


def zone_of_city(name: str) -> str:
    """The zone of a large city whose name no other has; "" for any other."""
    return _atlas().cities.get(spelling(name), "")


def region_of_number(national: str) -> Region | None:
    """The region of a fixed telephone, by its number without the 8; None for a mobile one."""
    areas = _atlas().areas
    return areas.get(national[:3]) or areas.get(national[:2])


def regions() -> tuple[Region, ...]:
    """All of them, in the order of their codes."""
    return tuple(dict.fromkeys(_atlas().regions.values()))


@cache
def _atlas() -> _Atlas:
    regions: dict[str, Region] = {}
    cities: dict[str, str] = {}
    areas: dict[str, Region] = {}
    with _FILE.open("rb") as file:
        written: list[dict[str, Any]] = tomllib.load(file)["region"]
    for each in written:
        region = Region(each["code"], each["name"], each.get("zone", ""), each.get("msk"))
        for name in (region.code, region.name, *each.get("names", ())):
            if regions.setdefault(spelling(name), region) is not region:
                raise ValueError(f"{_FILE.name}: «{name}» names two regions")
        its = each.get("cities", {})
        cities |= {spelling(city): its[city] if isinstance(its, dict) else region.zone for city in its}
        areas |= dict.fromkeys(each.get("area", ()), region)
    return _Atlas(regions, cities, areas)
