"""Moments and days as these pages show and read them: by the company's clock."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from aiohttp import web

from bot.reports.periods import day_of, start_of
from bot.web.parts import parts_of


def zone_of(request: web.Request) -> ZoneInfo:
    return ZoneInfo(parts_of(request).settings.timezone)


def first_moment(day: str, zone: ZoneInfo) -> datetime | None:
    """Of a day as `<input type=date>` sends it; None for "". Raises BadInput."""
    return start_of(day_of(day), zone) if day else None


def after(day: str, zone: ZoneInfo) -> datetime | None:
    """The first moment of the day after; None for "". Raises BadInput."""
    return start_of(day_of(day) + timedelta(days=1), zone) if day else None
