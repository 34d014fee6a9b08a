"""Whether a number that was said may still become another one."""

from __future__ import annotations

from bot.surveys.numerals import Form, mentions
from bot.surveys.words import Token

_OPENS = ({"нуль"}, {"раз"})
"""«Ну…» is heard as the first, and «наверное» may follow; the second may begin «раз… два»."""


def may_grow(words: tuple[str, ...], high: int) -> bool:
    """Whether a further word could make the last number another one, up to `high` («двадцать… пять»), or
    none at all («один… оператор»). A number that something else stands behind is whole."""
    if set(words) in _OPENS:
        return True
    numbers = mentions([Token(word) for word in words])
    if not numbers or numbers[-1].end < len(words):
        return False
    last = numbers[-1]
    if last.form is Form.ONE:
        return True
    return last.form is Form.CARDINAL and any(longer <= high for longer in _longer(last.value))


def _longer(value: int) -> list[int]:
    """The least number that each kind of word behind this one would make of it."""
    if value == 0:
        return []
    longer = [value + 1] if (value >= 20 and value % 10 == 0) else []
    return [*longer, *([value * 1000] if value < 1000 else [])]
