"""`otklik triage`: the word lists of triage, and why a call went as it did; a command a file beside this."""

from __future__ import annotations

import typer

from bot.cli.lazy import Lazy, lazy_group
from bot.words import words

COMMANDS: dict[str, Lazy] = {
    "explain": Lazy("bot.cli.triage_explain", words("Что сработало и почему", "What fired, and why")),
    "list": Lazy("bot.cli.triage_lists", words("Словари и их фразы", "The dictionaries and their phrases")),
    "lint": Lazy("bot.cli.triage_lists", words("Проверить словари", "Check dictionaries")),
    "schema": Lazy("bot.cli.triage_lists", words("JSON Schema словаря", "JSON Schema of a dictionary")),
}

app = typer.Typer(cls=lazy_group(COMMANDS), no_args_is_help=True)


@app.callback()
def _triage() -> None:
    """Разбор недовольных: словари, и почему в звонке сработало то, что сработало."""
