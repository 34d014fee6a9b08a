"""The language of a text for people: Russian, or English where the terminal (OTKLIK_LANG=en) or whoever a
page is made for wants that."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_LANGUAGE: ContextVar[str] = ContextVar("language", default="")


def words(russian: str, english: str) -> str:
    language = _LANGUAGE.get() or os.environ.get("OTKLIK_LANG", "ru").lower()
    return english if language.startswith("en") else russian


@contextmanager
def in_language(language: str) -> Iterator[None]:
    """Within the block, and in the tasks that it starts, `words` are of this language: `ru` or `en`."""
    before = _LANGUAGE.set(language)
    try:
        yield
    finally:
        _LANGUAGE.reset(before)
