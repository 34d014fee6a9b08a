"""Texts in the cells of a CSV file: no spreadsheet may take one for a formula (OWASP, CSV Injection).

The one rule of every file that we write, and the way back for those that we read.
"""

from __future__ import annotations

import re

BEGINNINGS = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")
"""What a spreadsheet takes for the beginning of a formula, or drops and then looks again."""

_NUMBERS = re.compile(r"[+-][\d ().,;+-]+")
"""A phone with its plus, a negative number: they run nothing, and stay as people know them."""


def harmless(text: str) -> str:
    """With an apostrophe before what would be run, as a person would type it.

    >>> harmless("=1+1"), harmless("+7 916 123-45-67"), harmless("-")
    ("'=1+1", '+7 916 123-45-67', '-')
    """
    risky = len(text) > 1 and text.startswith(BEGINNINGS) and not _NUMBERS.fullmatch(text)
    return f"'{text}" if risky else text


def as_meant(cell: str) -> str:
    """Without the apostrophe that `harmless`, or somebody in his spreadsheet, put before it."""
    return cell[1:] if cell[:1] == "'" and cell[1:].startswith(BEGINNINGS) else cell
