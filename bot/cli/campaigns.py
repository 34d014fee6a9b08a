"""`otklik campaign`: outbound campaigns; a command a file beside this one."""

from __future__ import annotations

import typer

from bot.cli.lazy import Lazy, lazy_group
from bot.words import words

COMMANDS: dict[str, Lazy] = {
    "create": Lazy("bot.cli.campaign_run", words("Создать из файла YAML", "Make one from a YAML file")),
    "start": Lazy("bot.cli.campaign_run", words("Запустить", "Start it")),
    "pause": Lazy("bot.cli.campaign_run", words("Пауза: разговоры идут", "Pause: talks go on")),
    "resume": Lazy("bot.cli.campaign_run", words("Снять с паузы", "Go on after a pause")),
    "stop": Lazy("bot.cli.campaign_run", words("Остановить совсем", "Stop for good")),
    "status": Lazy("bot.cli.campaign_status", words("В числах, сейчас", "In numbers, now")),
    "watch": Lazy("bot.cli.campaign_status", words("Следить, пока она идёт", "Watch it while it goes")),
    "list": Lazy("bot.cli.campaign_status", words("Все кампании", "All campaigns")),
    "show": Lazy("bot.cli.campaign_status", words("Как она описана", "As it was described")),
    "lint": Lazy("bot.cli.campaign_lint", words("Найти ошибки в файлах", "Find what is wrong in files")),
    "schema": Lazy("bot.cli.campaign_schema", words("JSON Schema для редакторов", "JSON Schema for editors")),
}

app = typer.Typer(cls=lazy_group(COMMANDS), no_args_is_help=True)


@app.callback()
def _campaign() -> None:
    """Кампании исходящих звонков: кому, когда и сколько раз звонить."""
