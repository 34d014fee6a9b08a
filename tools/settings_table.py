"""The table of all settings in docs/administrators.md, made from the settings themselves.

    .venv/bin/python tools/settings_table.py

Writes the table between its two marks in the page.
"""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import SecretStr

from bot.settings_load import every_key

PAGE = Path(__file__).resolve().parent.parent / "docs/administrators.md"
BEGIN, END = "<!-- settings: begin -->\n", "<!-- settings: end -->"


def table() -> str:
    rows = ["| ключ | по умолчанию | что это |", "|---|---|---|"]
    for key, field in every_key():
        rows.append(f"| `{key}` | {shown(field.get_default())} | {field.description} |")
    return "\n".join(rows) + "\n"


def shown(default: object) -> str:
    """A default as TOML writes it; nothing where it is empty or depends on the machine."""
    match default:
        case SecretStr() | "" | () | {}:
            return ""
        case Path() if default.is_absolute():
            return ""
        case bool():
            return f"`{str(default).lower()}`"
        case int() | float():
            return f"`{default:g}`"
        case tuple():
            return f"`{json.dumps(list(default))}`"
        case _:
            return f'`"{default}"`'


def with_table(page: str) -> str:
    before, rest = page.split(BEGIN)
    after = rest.split(END)[1]
    return f"{before}{BEGIN}{table()}{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
