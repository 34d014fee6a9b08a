"""The language of what people read: that of a page's visitor while he is answered, else the command line's:
Russian, or English with OTKLIK_LANG=en."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_visitor: ContextVar[str] = ContextVar("the visitor's language", default="")


def words(russian: str, english: str) -> str:
    language = _visitor.get() or os.environ.get("OTKLIK_LANG", "ru").lower()
    return english if language.startswith("en") else russian


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Within it `words` is in this language, in this task and in those that it starts."""
    before = _visitor.set(language)
    try:
        yield
    finally:
        _visitor.reset(before)
