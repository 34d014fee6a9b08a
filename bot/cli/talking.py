"""A talk by keyboard (bot/surveys/talking.py) on a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table
from rich.text import Text

from bot.core.directives import TurnReply
from bot.surveys.talking import Course, lines_of, plain_value
from bot.words import words

_STYLES = {"said": "bold", "stored": "green", "noticed": "magenta", "aside": "dim"}


def styled(reply: TurnReply) -> Iterator[Text]:
    """Each line of a reply; what no caller hears is set off."""
    for line in lines_of(reply):
        yield Text(line.text if line.kind == "said" else f"  {line.text}", style=_STYLES[line.kind])


def answers_table(course: Course) -> Table:
    """What would be stored of the call."""
    table = Table(title=words("Записано", "Stored"), title_justify="left")
    for title in words("Вопрос|Ответ|Состояние|Уверен|Слова", "Question|Answer|Status|Sure|Words").split("|"):
        table.add_column(title, overflow="fold")
    for question, (kind, answer) in course.answers.items():
        sure = f"{answer.confidence:.2f} {answer.source.value}" if answer.value is not None else ""
        table.add_row(
            f"{question} ({kind})" if kind != question else question,
            plain_value(answer),
            answer.status.value,
            sure,
            answer.heard or answer.reason,
        )
    return table
