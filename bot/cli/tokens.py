"""`otklik tokens`: which programs may use the API. Works on the database, with or without a node."""

from __future__ import annotations

import json
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table

from bot.accounts.tokens import ApiToken, ApiTokens, Scope
from bot.cli.moments import local, utc
from bot.cli.on_database import Json, on_database
from bot.cli.shell import entry
from bot.core.clock import SystemClock
from bot.core.errors import BadInput
from bot.reports.periods import after
from bot.settings_load import load_settings
from bot.store.database import Database
from bot.words import words

app = typer.Typer(no_args_is_help=True, add_completion=False)

Name = Annotated[str, typer.Argument(help=words("имя токена", "the token's name"))]


@app.callback()
def _tokens() -> None:
    """Токены программ: CRM, АТС."""


@app.command(help=words("Сделать токен; показан один раз", "Make a token; it is shown this once"))
def add(
    name: Name,
    may: Annotated[
        str,
        typer.Option(help=words("что можно, через запятую: ", "what it may, by commas: ") + ", ".join(Scope)),
    ],
    expires: Annotated[
        str,
        typer.Option(
            help=words("последний день, как 2027-12-31; пусто: без срока", "its last day, as 2027-12-31")
        ),
    ] = "",
    as_json: Json = False,
) -> None:
    """Узел хранит только хеш: потерянный токен не восстановить, сделайте новый."""
    scopes, until = _scopes(may), after(expires, ZoneInfo(load_settings().timezone))

    async def work(db: Database) -> tuple[ApiToken, str]:
        row = entry(db, "add", "token", name, scopes=scopes, until=expires)
        return await ApiTokens(db, SystemClock()).add(name, scopes, expires_at=until, audit=row)

    made, token = on_database(lambda db, _: work(db))
    if as_json:
        typer.echo(json.dumps({**_as_json(made), "token": token}, ensure_ascii=False))
        return
    typer.echo(token)
    typer.echo(
        words(
            "Больше его не увидеть: сохраните сейчас. Заголовок: Authorization: Bearer …",
            "It is not shown again: keep it now. The header: Authorization: Bearer …",
        ),
        err=True,
    )


@app.command("list", help=words("Какие есть", "Which there are"))
def list_(as_json: Json = False) -> None:
    """Токены по именам, без них самих."""
    found = on_database(lambda db, _: ApiTokens(db, SystemClock()).list())
    if as_json:
        for token in found:
            typer.echo(json.dumps(_as_json(token), ensure_ascii=False))
        return
    if not found:
        typer.echo(words("Токенов нет: otklik tokens add", "No tokens: otklik tokens add"))
        return
    table = Table(box=None)
    titles = words("имя|можно|с|до|был в деле|отозван", "name|may|since|until|last used|revoked")
    for title in titles.split("|"):
        table.add_column(title)
    for token in found:
        moments = (token.created_at, token.expires_at, token.used_at, token.revoked_at)
        table.add_row(token.name, ", ".join(token.scopes), *map(local, moments))
    Console(highlight=False).print(table)


@app.command(help=words("Отозвать сразу", "Revoke at once"))
def revoke(name: Name) -> None:
    """С этой секунды токен ничего не открывает."""

    async def work(db: Database) -> None:
        await ApiTokens(db, SystemClock()).revoke(name, audit=entry(db, "revoke", "token", name))

    on_database(lambda db, _: work(db))
    typer.echo(words(f"{name}: отозван", f"{name}: revoked"))


def _scopes(written: str) -> list[Scope]:
    names = [name.strip() for name in written.split(",") if name.strip()]
    for name in names:
        if name not in list(Scope):
            raise BadInput(words(f"права «{name}» нет", f"there is no scope «{name}»"), hint=", ".join(Scope))
    return [Scope(name) for name in names]


def _as_json(token: ApiToken) -> dict[str, object]:
    return {
        "name": token.name,
        "may": list(token.scopes),
        "created_at": utc(token.created_at),
        "expires_at": utc(token.expires_at),
        "used_at": utc(token.used_at),
        "revoked_at": utc(token.revoked_at),
    }
