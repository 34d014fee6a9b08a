"""`otklik accounts`: who may sign in to the pages. Works on the database, with or without a node."""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from bot.accounts.accounts import Account, Accounts, login_of
from bot.accounts.passwords import Passwords, checked, one_time
from bot.accounts.roles import Role
from bot.accounts.sessions import Seen, Sessions
from bot.cli.moments import local, utc
from bot.cli.on_database import on_database
from bot.cli.shell import entry
from bot.core.clock import SystemClock
from bot.core.errors import BadInput
from bot.store.database import Database
from bot.words import words

app = typer.Typer(no_args_is_help=True, add_completion=False)

T = TypeVar("T")
Login = Annotated[str, typer.Argument(help=words("имя для входа", "the login"))]
Once = Annotated[
    bool,
    typer.Option("--once", help=words("одноразовый: придумать и показать", "one-time: make it and show it")),
]
Json = Annotated[
    bool, typer.Option("--json", help=words("одна строка JSON на каждого", "a line of JSON each"))
]
ROLES = words(
    "agent: сотрудник, ops: обзвоны, manager: итоги, admin: всё, auditor: только читает",
    "agent, ops (campaigns), manager (results), admin (all), auditor (reads only)",
)


@app.callback()
def _accounts() -> None:
    """Учётные записи: кто входит на страницы узла."""


@app.command(help=words("Добавить; пароль спросит или прочтёт из ввода", "Add; asks for the password"))
def add(
    login: Login,
    role: Annotated[Role, typer.Option(help=ROLES)] = Role.AGENT,
    name: Annotated[str, typer.Option(help=words("как зовут", "the person's name"))] = "",
    agent: Annotated[
        str, typer.Option(help=words("чей это стол: номер сотрудника", "the agent whose desk it opens"))
    ] = "",
    once: Once = False,
) -> None:
    """Добавить учётную запись. Пароль спросит дважды; не с терминала — первая строка ввода."""
    fresh = one_time() if once else _password()

    async def work(accounts: Accounts, db: Database) -> Account:
        row = entry(db, "add", "account", login_of(login), role=role, agent=agent)
        return await accounts.add(login, fresh, role, name=name, agent_id=agent, once=once, audit=row)

    account = _run(work)
    typer.echo(words(f"{account.login}: добавлен, {role}", f"{account.login}: added, {role}"))
    if once:
        _show_once(fresh)


@app.command(help=words("Сменить роль, имя, стол", "Change the role, the name, the desk"))
def change(
    login: Login,
    role: Annotated[Role | None, typer.Option(help=ROLES)] = None,
    name: Annotated[str | None, typer.Option(help=words("как зовут", "the person's name"))] = None,
    agent: Annotated[
        str | None, typer.Option(help=words("чей это стол; пусто: ничей", "the agent whose desk it opens"))
    ] = None,
) -> None:
    """Чего не назвали, то останется. С другой ролью придётся войти заново."""
    given = {"role": role, "name": name, "agent": agent}
    if all(value is None for value in given.values()):
        raise BadInput(
            words("не сказано, что сменить", "it is not said what to change"), hint="--role, --name, --agent"
        )

    async def work(accounts: Accounts, db: Database) -> Account:
        changed = [key for key, value in given.items() if value is not None]
        row = entry(db, "change", "account", login_of(login), changed=changed, role=role, agent=agent)
        return await accounts.change(login, role=role, name=name, agent_id=agent, audit=row)

    account = _run(work)
    typer.echo(
        words(f"{account.login}: {account.role}, сохранено", f"{account.login}: {account.role}, saved")
    )


@app.command("list", help=words("Кто есть", "Who there is"))
def list_(as_json: Json = False) -> None:
    """Учётные записи по именам."""
    found = _run(lambda accounts, _: accounts.list())
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
def password(login: Login, once: Once = False) -> None:
    """Новый пароль; где с прежним вошли, там придётся войти заново."""
    fresh = one_time() if once else _password()

    async def work(accounts: Accounts, db: Database) -> None:
        row = entry(db, "set_password", "account", login_of(login))
        await accounts.set_password(login, fresh, once=once, audit=row)

    _run(work)
    typer.echo(words("Пароль сменён.", "The password is set."))
    if once:
        _show_once(fresh)


@app.command(help=words("Удалить вместе с входами", "Remove, and end all its sessions"))
def remove(login: Login) -> None:
    """Удалить учётную запись; где под ней вошли, там сразу выйдут."""

    async def work(accounts: Accounts, db: Database) -> None:
        await accounts.remove(login, audit=entry(db, "remove", "account", login_of(login)))

    _run(work)
    typer.echo(words(f"{login}: удалён", f"{login}: removed"))


@app.command(help=words("Где выполнен вход", "Who is signed in, and where"))
def sessions(
    login: Annotated[str, typer.Argument(help=words("чьи; пусто: все", "whose; all without it"))] = "",
    as_json: Json = False,
) -> None:
    """Живые входы; последний, кто что-то делал, стоит первым."""
    found = on_database(lambda db, _: Sessions(db, SystemClock()).seen(login_of(login) if login else None))
    if as_json:
        for seen in found:
            typer.echo(json.dumps(_session_json(seen), ensure_ascii=False))
        return
    if not found:
        typer.echo(words("Сейчас никто не вошёл.", "Nobody is signed in now."))
        return
    table = Table(box=None)
    for title in words("номер|имя|вошёл|был здесь|откуда|браузер", "id|login|since|seen|from|browser").split(
        "|"
    ):
        table.add_column(title)
    for seen in found:
        place = (seen.address or "-", seen.browser or "-")
        table.add_row(seen.id[:SHOWN_DIGITS], seen.login, local(seen.created_at), local(seen.seen_at), *place)
    Console(highlight=False).print(table)


@app.command(help=words("Завершить входы", "End sessions"))
def end(
    login: Login,
    session: Annotated[
        str, typer.Option(help=words("только этот: начало номера", "only this one: its id's beginning"))
    ] = "",
) -> None:
    """Все входы под этим именем или один из них; на страницах узла это видно в течение минуты."""

    async def work(db: Database) -> int:
        kept, name = Sessions(db, SystemClock()), login_of(login)
        ids = [seen.id for seen in await kept.seen(name) if seen.id.startswith(session)]
        ended = [
            await kept.end_seen(each, name, audit=entry(db, "end_session", "account", name)) for each in ids
        ]
        return sum(ended)

    count = on_database(lambda db, _: work(db))
    typer.echo(words(f"{login}: завершено входов {count}", f"{login}: {count} sessions ended"))


SHOWN_DIGITS = 12
"""Of a session's id: enough to tell it from others."""


def _show_once(fresh: str) -> None:
    typer.echo(fresh)
    typer.echo(
        words(
            "Больше его не увидеть; при первом входе его попросят сменить.",
            "It is not shown again; it must be changed at the first sign-in.",
        ),
        err=True,
    )


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


def _run(work: Callable[[Accounts, Database], Awaitable[T]]) -> T:
    return on_database(lambda db, _: work(Accounts(db, Passwords(), SystemClock()), db))


def _as_json(account: Account) -> dict[str, str]:
    return {
        "login": account.login,
        "role": account.role,
        "name": account.name,
        "agent_id": account.agent_id,
        "created_at": account.created_at.isoformat(),
    }


def _session_json(seen: Seen) -> dict[str, str | None]:
    return {
        "id": seen.id,
        "login": seen.login,
        "created_at": utc(seen.created_at),
        "seen_at": utc(seen.seen_at),
        "expires_at": utc(seen.expires_at),
        "address": seen.address,
        "browser": seen.browser,
    }
