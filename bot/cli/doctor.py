"""`otklik doctor`: what a node needs, what of it is missing, and how to get it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot.core.errors import Unavailable
from bot.findings import Finding, State
from bot.health import examine
from bot.settings_load import load_settings
from bot.words import words

app = typer.Typer()

MARKS = {
    State.OK: Text("✓", "green"),
    State.ADVICE: Text("•", "yellow"),
    State.OPTIONAL: Text("–", "dim"),
    State.MISSING: Text("✗", "bold red"),
}


@app.command(help=words("Чего не хватает и где взять; код 3, если чего-то нужного нет", "What is missing"))
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help=words("Вывод в JSON", "JSON output"))] = False,
) -> None:
    """Exit status 0 when all that a node needs is there, 3 otherwise. Changes nothing."""
    findings = asyncio.run(examine(load_settings()))
    missing = [finding for finding in findings if finding.state is State.MISSING]
    if as_json:
        checks = [asdict(finding) for finding in findings]
        typer.echo(json.dumps({"ok": not missing, "checks": checks}, ensure_ascii=False, indent=2))
    else:
        show(findings, missing)
    if missing:
        raise typer.Exit(Unavailable.exit_status)


def show(findings: list[Finding], missing: list[Finding]) -> None:
    console = Console(highlight=False)
    table = Table(box=None, show_header=False, padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in findings:
        said = Text(finding.found)
        if finding.hint:
            said.append(f"\n→ {finding.hint}", "dim" if finding.state is not State.MISSING else "yellow")
        table.add_row(MARKS[finding.state], finding.name, said)
    console.print(table)
    if missing:
        names = ", ".join(finding.name for finding in missing)
        console.print(Text(words(f"Не хватает: {names}.", f"Missing: {names}."), "bold red"))
    else:
        console.print(
            Text(words("Всё нужное есть: otklik serve.", "All is there: otklik serve."), "bold green")
        )
