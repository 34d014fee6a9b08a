"""What the tools say to a person: Russian first, English with OTKLIK_LANG=en."""

from __future__ import annotations

import os
import sys

for _stream in (sys.stdout, sys.stderr):
    if hasattr(_stream, "reconfigure"):
        _stream.reconfigure(errors="replace")  # a terminal without Cyrillic still gets the rest


def text(russian: str, english: str) -> str:
    return english if os.environ.get("OTKLIK_LANG", "ru").lower().startswith("en") else russian


def say(words: str, *, error: bool = False) -> None:
    print(words, file=sys.stderr if error else sys.stdout, flush=True)
