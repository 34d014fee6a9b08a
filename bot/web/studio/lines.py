"""A survey's file as text: its first lines read and changed without touching anything else. Pure.

The file may be broken just now, so nothing here reads it as YAML.
"""

from __future__ import annotations

import re
from difflib import unified_diff

ID = re.compile(r"[a-z][a-z0-9_]{0,39}")
"""As the schema has it."""


def value_of(text: str, key: str) -> str:
    """What a key at the beginning of a line says; "" where there is no such line.

    >>> value_of("# NPS\\nid: nps  # ours\\nversion: 3", "id")
    'nps'
    """
    found = re.search(rf"^{re.escape(key)}:[ ]*([^#\n\r]*)", text, re.MULTILINE)
    return found[1].strip().strip("\"'") if found else ""


def with_value(text: str, key: str, value: str) -> str:
    """The same file with another value of that key; where the line is not there it comes first.

    >>> with_value("id: nps  # ours\\nversion: 3", "version", "4")
    'id: nps  # ours\\nversion: 4'
    """
    pattern = re.compile(rf"^({re.escape(key)}:)[ ]*[^#\n\r]*?([ ]*#.*)?$", re.MULTILINE)
    changed, count = pattern.subn(lambda line: f"{line[1]} {value}{line[2] or ''}", text, count=1)
    return changed if count else f"{key}: {value}\n{text}"


def differing(before: str, after: str, *, around: int = 2) -> list[tuple[str, str]]:
    """The lines that differ with some around them: a sign (`+`, `-`, a blank, `@` between parts), and the
    line."""
    found: list[tuple[str, str]] = []
    for line in list(unified_diff(before.splitlines(), after.splitlines(), n=around, lineterm=""))[2:]:
        found.append(("@", "") if line.startswith("@@") else (line[:1] or " ", line[1:]))
    return found
