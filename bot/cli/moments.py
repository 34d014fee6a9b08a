"""Moments as commands show them."""

from __future__ import annotations

from datetime import datetime


def local(moment: datetime | None) -> str:
    """In the zone of whoever looks; `-` where there is none."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}" if moment else "-"


def utc(moment: datetime | None) -> str | None:
    """For JSON."""
    return moment.isoformat().replace("+00:00", "Z") if moment else None
