"""`otklik survey schema`: the shape of a survey file, for editors and programs."""

from __future__ import annotations

import json

import typer

from bot.surveys.json_schema import json_schema

app = typer.Typer(add_completion=False)


@app.command("schema")
def schema() -> None:
    """JSON Schema файла опроса: подсказки и проверка прямо в редакторе.

    Сохраните её в survey.schema.json, а первой строкой опроса напишите
    # yaml-language-server: $schema=survey.schema.json
    """
    typer.echo(json.dumps(json_schema(), ensure_ascii=False, indent=2))
