"""Which years anybody means. Pure."""

from __future__ import annotations

FIRST_YEAR, LAST_YEAR = 1970, 2200
"""Whoever names another one has mistyped it; and the years around these still are dates, by any clock."""


def is_meant(year: int) -> bool:
    """
    >>> is_meant(2026), is_meant(26)
    (True, False)
    """
    return FIRST_YEAR <= year <= LAST_YEAR
