"""`otklik accounts`: who may sign in to the pages. Works on the database, with or without a node."""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from bot.accounts.accounts import Account, Accounts
from bot.accounts.passwords import Passwords, checked
from bot.accounts.roles import Role
from bot.cli.on_database import on_database
from bot.core.clock import SystemClock
from bot.core.errors import BadInput
from bot.words import words

app = typer.Typer(no_args_is_help=True, add_completion=False)

T = TypeVar("T")
Login = Annotated[str, typer.Argument(help=words("имя для входа", "the login"))]


@app.callback()
def _accounts() -> None:
    """Учётные записи: кто входит на страницы узла."""


@app.command(help=words("Добавить; пароль спросит или прочтёт из ввода", "Add; asks for the password"))
def add(
    login: Login,
    role: Annotated[
        Role,
        typer.Option(
            help=words(
                "agent: сотрудник, ops: обзвоны, manager: итоги, admin: всё, auditor: только читает",
                "agent, ops (campaigns), manager (results), admin (all), auditor (reads only)",
            )
        ),
    ] = Role.AGENT,
    name: Annotated[str, typer.Option(help=words("как зовут", "the person's name"))] = "",
    agent: Annotated[
        str, typer.Option(help=words("чей это стол: номер сотрудника", "the agent whose desk it opens"))
    ] = "",
) -> None:
    """Добавить учётную запись. Пароль спросит дважды; не с терминала — первая строка ввода."""
    password = _password()
    account = _run(lambda accounts: accounts.add(login, password, role, name=name, agent_id=agent))
    typer.echo(words(f"{account.login}: добавлен, {role}", f"{account.login}: added, {role}"))


@app.command("list", help=words("Кто есть", "Who there is"))
def list_(
    as_json: Annotated[
        bool, typer.Option("--json", help=words("одна строка JSON на каждого", "a line of JSON each"))
    ] = False,
) -> None:
    """Учётные записи по именам."""
    found = _run(lambda accounts: accounts.list())
    if as_json:
        for account in found:
            typer.echo(json.dumps(_as_json(account), ensure_ascii=False))
        return
    if not found:
        typer.echo(words("Никого: otklik accounts add", "Nobody: otklik accounts add"))
        return
    table = Table(box=None)
    for title in words("имя|роль|зовут|стол|с", "login|role|name|desk|since").split("|"):
        table.add_column(title)
    for account in found:
        since = f"{account.created_at.astimezone():%Y-%m-%d}"
        table.add_row(account.login, account.role, account.name, account.agent_id or "-", since)
    Console(highlight=False).print(table)


@app.command(help=words("Сменить пароль; прежние входы кончаются", "Set a password; ends all sessions"))
def password(login: Login) -> None:
    """Новый пароль; где с прежним вошли, там придётся войти заново."""
    fresh = _password()
    _run(lambda accounts: accounts.set_password(login, fresh))
    typer.echo(words("Пароль сменён.", "The password is set."))


@app.command(help=words("Удалить вместе с входами", "Remove, and end all its sessions"))
def remove(login: Login) -> None:
    """Удалить учётную запись; где под ней вошли, там сразу выйдут."""
    _run(lambda accounts: accounts.remove(login))
    typer.echo(words(f"{login}: удалён", f"{login}: removed"))


def _password() -> str:
    """From the terminal, twice and unseen; else the first line of standard input. Never an argument: those
    are seen by everybody on the machine and stay in the shell's history."""
    if sys.stdin.isatty():
        given: str = typer.prompt(
            words("Пароль", "Password"), hide_input=True, confirmation_prompt=words("Ещё раз", "Once more")
        )
    else:
        given = sys.stdin.readline().rstrip("\r\n")
        if not given:
            raise BadInput(
                words("пароля на вводе нет", "there is no password on standard input"),
                hint=words("первая строка ввода — пароль", "its first line is the password"),
            )
    return checked(given)


def _run(work: Callable[[Accounts], Awaitable[T]]) -> T:
    return on_database(lambda db, _: work(Accounts(db, Passwords(), SystemClock())))


def _as_json(account: Account) -> dict[str, str]:
    return {
        "login": account.login,
        "role": account.role,
        "name": account.name,
        "agent_id": account.agent_id,
        "created_at": account.created_at.isoformat(),
    }
