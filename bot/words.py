"""The language of the command line: Russian, or English with OTKLIK_LANG=en."""

from __future__ import annotations

import os


def words(russian: str, english: str) -> str:
    return english if os.environ.get("OTKLIK_LANG", "ru").lower().startswith("en") else russian
