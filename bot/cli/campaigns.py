"""`otklik campaign`: outbound campaigns; a command a file beside this one."""

from __future__ import annotations

import typer

from bot.cli.lazy import Lazy, lazy_group
from bot.words import words

COMMANDS: dict[str, Lazy] = {
    "lint": Lazy("bot.cli.campaign_lint", words("Найти ошибки в файлах", "Find what is wrong in files")),
    "schema": Lazy("bot.cli.campaign_schema", words("JSON Schema для редакторов", "JSON Schema for editors")),
}

app = typer.Typer(cls=lazy_group(COMMANDS), no_args_is_help=True)


@app.callback()
def _campaign() -> None:
    """Кампании исходящих звонков: кому, когда и сколько раз звонить."""
