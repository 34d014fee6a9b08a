"""The command `otklik`.

Sub-commands live in the rooms' own files in this folder and are imported only when they are called,
so that `otklik --help` does not load a recogniser. Whatever Otklik raises on purpose ends as a
message and a hint on stderr and as the error's exit status; nobody is shown a traceback for it.
"""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import NoReturn

import typer

from bot.cli.lazy import Lazy, lazy_group
from bot.core.errors import OtklikError
from bot.core.files import disk_fault
from bot.words import words

INTERRUPTED = 130
"""128 + SIGINT, as shells count."""


COMMANDS: dict[str, Lazy] = {
    "serve": Lazy("bot.cli.serve", words("Запустить узел", "Start a node")),
    "call": Lazy("bot.cli.calling", words("Позвонить: otklik call sip:…", "Place a call: otklik call sip:…")),
    "calls": Lazy("bot.cli.calls", words("Звонок и его паузы: otklik calls show", "A call and its gaps")),
    "announce": Lazy("bot.cli.announce", words("Объявить входящий звонок", "Announce an incoming call")),
    "agents": Lazy("bot.cli.agents", words("Сотрудники, смены, кто где", "Agents, shifts, presence")),
    "cases": Lazy("bot.cli.cases", words("Дела недовольных клиентов", "Unhappy customers' cases")),
    "contact": Lazy("bot.cli.contacts", words("Клиенты: загрузить, найти, выгрузить", "Contacts")),
    "dnc": Lazy("bot.cli.do_not_call", words("Кому больше не звонить", "Who is never rung again")),
    "consent": Lazy("bot.cli.consents", words("Согласия клиентов", "Customers' consents")),
    "privacy": Lazy(
        "bot.cli.privacy", words("Удалить человека, сроки хранения", "Erase a person, retention")
    ),
    "recordings": Lazy("bot.cli.recordings", words("Шифрование записей", "The recordings' encryption")),
    "backup": Lazy("bot.cli.backup", words("Сохранить всё в один файл", "Save all of it in one file")),
    "restore": Lazy("bot.cli.backup", words("Восстановить из копии", "Restore from a backup")),
    "report": Lazy("bot.cli.report", words("Результаты за период", "Results of a period")),
    "export": Lazy("bot.cli.export", words("Выгрузить звонки и ответы", "Export calls and answers")),
    "demo": Lazy("bot.cli.demo", words("Показать всё на трёх звонках", "Show it all on three calls")),
    "survey": Lazy("bot.cli.survey", words("Опросы: проверить, испытать, опубликовать", "Surveys")),
    "campaign": Lazy("bot.cli.campaigns", words("Кампании исходящих звонков", "Outbound campaigns")),
    "triage": Lazy("bot.cli.triage", words("Разбор: словари и «почему»", "Triage: word lists and why")),
    "simulate": Lazy("bot.cli.simulate", words("Звонки по сценарию", "Calls from a scenario")),
    "transcribe": Lazy("bot.cli.speech", words("Распознать записи", "Recognise recordings")),
    "say": Lazy("bot.cli.speech", words("Произнести текст", "Speak a text")),
    "models": Lazy("bot.cli.models", words("Модели речи", "Speech models")),
    "understand": Lazy("bot.cli.understand", words("Что бот поймёт", "What the bot understands")),
    "bench": Lazy("bot.cli.bench", words("Измерения", "Measurements")),
    "amd": Lazy("bot.cli.amd", words("Кто взял трубку, по записи", "Who took the call, by a recording")),
    "accounts": Lazy("bot.cli.accounts", words("Кто входит на страницы", "Who may sign in to the pages")),
    "alerts": Lazy("bot.cli.alerts", words("Тревоги: низкие оценки, отказы", "Alerts")),
    "audit": Lazy("bot.cli.audit", words("Журнал: кто что делал и смотрел", "Who did and saw what")),
    "tokens": Lazy("bot.cli.tokens", words("Кто пользуется API", "Who may use the API")),
    "webhooks": Lazy("bot.cli.webhooks", words("Кому сообщать о звонках", "Who is told about calls")),
    "dialogue": Lazy("bot.cli.dialogue", words("Rasa: обучить, проверить", "Rasa: train, test, shell")),
    "firewall": Lazy("bot.cli.firewall", words("Правила nftables из настроек", "An nftables ruleset")),
    "doctor": Lazy("bot.cli.doctor", words("Чего не хватает и где взять", "What is missing, how to get it")),
}


app = typer.Typer(
    cls=lazy_group(COMMANDS),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help=words(
        "Отклик: опросы клиентов по телефону, на своей машине.",
        "Otklik: surveys of customers by phone, on your own machine.",
    ),
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"otklik {version('otklik')}")
        raise typer.Exit


@app.callback()
def _root(
    show_version: bool = typer.Option(
        False,
        "--version",
        callback=_show_version,
        is_eager=True,
        help=words("Показать версию", "Show the version"),
    ),
) -> None:
    """Options before the sub-command."""


def main(arguments: list[str] | None = None) -> None:
    """The entry point; ends the process with the exit status of `bot.core.errors`."""
    try:
        app(arguments, prog_name="otklik")
    except OtklikError as error:
        _refuse(error)
    except OSError as error:
        told = disk_fault(error)
        if told is None:
            raise
        _refuse(told)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def _refuse(error: OtklikError) -> NoReturn:
    report(error)
    sys.exit(error.exit_status)


def report(error: OtklikError) -> None:
    """What happened and what to do, on stderr."""
    from rich.console import Console
    from rich.text import Text

    console = Console(stderr=True, soft_wrap=True)
    console.print(Text.assemble(("otklik: ", "bold red"), error.message))
    if error.hint:
        console.print(Text(f"  {error.hint}", style="dim"))
