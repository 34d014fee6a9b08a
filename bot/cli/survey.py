"""`otklik survey`: all about a survey before and between its calls; a command a file beside this one."""

from __future__ import annotations

import typer

from bot.cli.lazy import Lazy, lazy_group
from bot.words import words

COMMANDS: dict[str, Lazy] = {
    "list": Lazy("bot.cli.survey_list", words("Какие опросы есть", "Which surveys there are")),
    "show": Lazy("bot.cli.survey_show", words("Вопросы и правила", "Questions and rules")),
    "lint": Lazy("bot.cli.survey_lint", words("Найти ошибки в файлах", "Find what is wrong in files")),
    "paths": Lazy("bot.cli.survey_paths", words("Все пути разговора", "Every way through")),
    "diff": Lazy("bot.cli.survey_diff", words("Что изменилось по смыслу", "What changed in meaning")),
    "talk": Lazy("bot.cli.survey_talk", words("Поговорить с клавиатуры", "Talk to it by keyboard")),
    "publish": Lazy("bot.cli.survey_publish", words("Проверить и опубликовать", "Lint and publish")),
    "link": Lazy("bot.cli.survey_link", words("Ссылка на опрос в браузере", "A link to it in the browser")),
    "schema": Lazy("bot.cli.survey_schema", words("JSON Schema для редакторов", "JSON Schema for editors")),
}

app = typer.Typer(cls=lazy_group(COMMANDS), no_args_is_help=True)


@app.callback()
def _survey() -> None:
    """Опросы: проверить, испытать, сравнить, опубликовать."""
