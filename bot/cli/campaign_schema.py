"""`otklik campaign schema`: the shape of a campaign file, for editors and programs."""

from __future__ import annotations

import json

import typer

from bot.campaigns.json_schema import campaign_schema

app = typer.Typer(add_completion=False)


@app.command("schema")
def schema() -> None:
    """JSON Schema файла кампании: подсказки и проверка прямо в редакторе.

    Сохраните её в campaign.schema.json, а первой строкой файла напишите
    # yaml-language-server: $schema=campaign.schema.json
    """
    typer.echo(json.dumps(campaign_schema(), ensure_ascii=False, indent=2))
