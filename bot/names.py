"""The names that people give to what programs use: API tokens, receivers of webhooks."""

from __future__ import annotations

import re

from bot.core.errors import BadInput
from bot.words import words

_NAME = re.compile(r"[\w.-]{1,64}")


def check_name(name: str) -> None:
    """Raises BadInput for what cannot be one."""
    if not _NAME.fullmatch(name):
        raise BadInput(
            words(f"имя «{name}» не подходит", f"«{name}» cannot be a name"),
            hint=words("1–64 знака: буквы, цифры и . _ -", "1 to 64 letters, digits or . _ -"),
        )
