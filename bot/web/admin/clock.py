"""Moments as these pages show and read them: by the company's clock."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from aiohttp import web

from bot.web.parts import parts_of


def zone_of(request: web.Request) -> ZoneInfo:
    return ZoneInfo(parts_of(request).settings.timezone)
