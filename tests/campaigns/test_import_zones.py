"""Whose clock a contact keeps: told, by his region, by his number, or not known."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, available_timezones

import phonenumbers
import pytest

from bot.campaigns.importing.zones import ZoneFrom, find_zone, zone_named, zone_of_place
from bot.regions import region_of, regions
from bot.timezones import zone_of_number

MOSCOW = ZoneInfo("Europe/Moscow")


def test_each_region_keeps_the_clock_that_the_law_gives_it() -> None:
    """The zone comes from the IANA database, the hours from Law 107-FZ: two sources, one clock, all year."""
    assert len(regions()) == 85
    for at in (datetime(2026, 1, 15, tzinfo=UTC), datetime(2026, 7, 15, tzinfo=UTC)):
        for region in regions():
            if region.zone:
                assert region.zone in available_timezones()
                ahead = at.astimezone(ZoneInfo(region.zone)).utcoffset() - at.astimezone(MOSCOW).utcoffset()  # type: ignore[operator]
                assert ahead.total_seconds() == (region.msk or 0) * 3600, region
    assert [region.name for region in regions() if not region.zone] == ["Республика Саха (Якутия)"]


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("Московская обл.", "50"), ("г. Москва", "77"), ("МОСКВА", "77"), ("Спб", "78"),
        ("Санкт-Петербург г", "78"),
        ("Республика Татарстан (Татарстан)", None), ("Респ. Татарстан", "16"),
        ("Чувашская Республика - Чувашия", "21"),
        ("Ханты-Мансийский АО — Югра", "86"), ("ХМАО", "86"), ("Ханты - Мансийский - Югра АО", "86"),
        ("Кемеровская область - Кузбасс", "42"), ("Алтайский край", "22"), ("Республика Алтай", "04"),
        ("Саха /Якутия/ Респ", "14"), ("77", "77"), ("2", "02"), ("Северная Осетия", "15"), ("Марс", None),
    ],
)  # fmt: skip
def test_a_region_is_known_by_its_usual_spellings(written: str, code: str | None) -> None:
    found = region_of(written)
    assert (found.code if found else None) == code


@pytest.mark.parametrize(
    ("written", "zone"),
    [
        ("Asia/Omsk", "Asia/Omsk"), ("МСК", "Europe/Moscow"), ("мск+4", "Asia/Krasnoyarsk"),
        ("МСК -1", "Europe/Kaliningrad"),
        ("UTC+5", "Asia/Yekaterinburg"), ("GMT+03:00", "Europe/Moscow"), ("+10", "Asia/Vladivostok"),
        ("(UTC+05:00) Екатеринбург", "Asia/Yekaterinburg"), ("Томск", "Asia/Tomsk"),
        ("Саратовская обл.", "Europe/Saratov"),
    ],
)  # fmt: skip
def test_a_zone_is_read_as_people_write_it(written: str, zone: str) -> None:
    assert zone_named(written) == zone


@pytest.mark.parametrize("written", ["5", "UTC", "UTC+14", "Europe/Nowhere", "Якутия", "утром", "МСК+20"])
def test_what_is_no_zone_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="пояс"):
        zone_named(written)


def test_a_region_of_many_clocks_is_told_by_its_city() -> None:
    assert zone_of_place("Якутия", "") == ""
    assert zone_of_place("Якутия", "г. Якутск") == "Asia/Yakutsk"
    assert zone_of_place("", "Среднеколымск") == "Asia/Srednekolymsk"
    assert zone_of_place("", "Благовещенск") == ""  # there are two


@pytest.mark.parametrize(
    ("number", "zone"),
    [
        ("+74012123456", "Europe/Kaliningrad"),  # phonenumbers itself says Europe/Bucharest
        ("+78452123456", "Europe/Saratov"),
        ("+73832123456", "Asia/Novosibirsk"),
        ("+74112123456", None),  # Yakutia
        ("+79161234567", None),
        ("+78005553535", None),
        ("+77272345678", "Asia/Almaty"),
    ],
)
def test_a_fixed_telephone_tells_its_zone(number: str, zone: str | None) -> None:
    assert zone_of_number(number) == zone


def test_what_is_told_goes_before_what_is_derived() -> None:
    tomsk = phonenumbers.parse("+73822123456")
    assert find_zone("МСК", "Омская область", "", tomsk).name == "Europe/Moscow"
    assert find_zone("", "Омская область", "", tomsk).name == "Asia/Omsk"
    assert find_zone("", "Марс", "", tomsk) == find_zone("", "", "", tomsk)
    assert find_zone("", "", "", tomsk).source is ZoneFrom.NUMBER
    mobile = phonenumbers.parse("+79161234567")
    assert find_zone("", "Марс", "", mobile).name == ""
