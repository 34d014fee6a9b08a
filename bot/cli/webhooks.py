"""`otklik webhooks`: who is told about calls, and how that went. Works on the database; a node sends."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from bot.cli.moments import local, utc
from bot.cli.on_database import Json, on_database
from bot.core.clock import SystemClock
from bot.core.errors import BadInput
from bot.core.ids import new_id
from bot.delivery import queue
from bot.delivery.endpoints import Endpoint, Endpoints
from bot.delivery.payload import as_json as message_json
from bot.delivery.posting import Postman
from bot.delivery.queue import Logged, Tried
from bot.settings import Settings
from bot.store.database import Database
from bot.store.tables_delivery import DeliveryStatus, EventName
from bot.words import words

app = typer.Typer(no_args_is_help=True, add_completion=False)

NOT_TAKEN = 1
"""The exit status of `test` where the receiver did not take the message."""

TEST = "webhook.test"

STATUSES = {
    DeliveryStatus.WAITING: words("ждёт", "waiting"),
    DeliveryStatus.DELIVERED: words("доставлено", "delivered"),
    DeliveryStatus.DEAD: words("брошено", "given up"),
}

Name = Annotated[str, typer.Argument(help=words("имя получателя", "the endpoint's name"))]


@app.callback()
def _webhooks() -> None:
    """Сообщения другим системам: CRM, дежурному чату."""


@app.command(
    help=words("Добавить получателя; ключ подписи показан один раз", "Add one; its secret is shown once")
)
def add(
    name: Name,
    url: Annotated[str, typer.Argument(help=words("куда слать, https://…", "where to send, https://…"))],
    events: Annotated[
        str,
        typer.Option(help=words("о чём, через запятую; пусто: обо всём", "of what, by commas; empty: all")),
    ] = "",
    personal: Annotated[
        bool, typer.Option(help=words("с телефоном и словами клиента", "with the customer's phone and words"))
    ] = False,
    private: Annotated[
        bool, typer.Option(help=words("адрес внутри вашей сети", "the address is within your network"))
    ] = False,
    as_json: Json = False,
) -> None:
    """Без --personal телефон закрыт до двух цифр и слов клиента нет."""
    chosen = _events(events)
    made = on_database(
        lambda db, _: Endpoints(db, SystemClock()).add(name, url, chosen, personal=personal, private=private)
    )
    if as_json:
        typer.echo(
            json.dumps({**_as_json(made), "secret": made.secret.get_secret_value()}, ensure_ascii=False)
        )
        return
    typer.echo(made.secret.get_secret_value())
    typer.echo(
        words(
            f"Это ключ подписи, больше его не увидеть. Проверить: otklik webhooks test {name}",
            f"This is the signing secret; it is not shown again. Try it: otklik webhooks test {name}",
        ),
        err=True,
    )


@app.command("list", help=words("Кому сообщаем", "Who is told"))
def list_(as_json: Json = False) -> None:
    found = on_database(lambda db, _: Endpoints(db, SystemClock()).list())
    if as_json:
        for endpoint in found:
            typer.echo(json.dumps(_as_json(endpoint), ensure_ascii=False))
        return
    if not found:
        typer.echo(words("Никому: otklik webhooks add", "Nobody: otklik webhooks add"))
        return
    table = Table(box=None)
    for title in words("имя|куда|о чём|личное|состояние", "name|where|of what|personal|state").split("|"):
        table.add_column(title, overflow="fold")
    for each in found:
        off = words("отключён", "disabled") + f" {local(each.disabled_at)}: {each.disabled_why}"
        told = words("обо всём", "all") if len(each.events) == len(EventName) else ", ".join(each.events)
        table.add_row(
            each.name,
            each.url,
            told,
            words("да", "yes") if each.personal else words("нет", "no"),
            off if each.disabled_at else words("работает", "enabled"),
        )
    Console(highlight=False).print(table)


@app.command(help=words("Убрать вместе с журналом", "Remove, with its log"))
def remove(name: Name) -> None:
    on_database(lambda db, _: Endpoints(db, SystemClock()).remove(name))
    typer.echo(words(f"{name}: убран", f"{name}: removed"))


@app.command(help=words("Снова слать", "Send again from now on"))
def enable(name: Name) -> None:
    """Что было брошено, отправит otklik webhooks resend --dead ИМЯ."""
    on_database(lambda db, _: Endpoints(db, SystemClock()).enable(name))
    typer.echo(words(f"{name}: включён", f"{name}: enabled"))


@app.command(help=words("Не слать", "Send no more"))
def disable(name: Name) -> None:
    """Что ещё ждёт, будет брошено."""
    on_database(lambda db, _: Endpoints(db, SystemClock()).disable(name, words("вручную", "by hand")))
    typer.echo(words(f"{name}: отключён", f"{name}: disabled"))


@app.command("test", help=words("Послать пробное сообщение сейчас", "Send a trial message now"))
def probe(name: Name, as_json: Json = False) -> None:
    """Подписано, как настоящие; в журнал не попадает. Выход 1, если его не приняли."""

    async def send(db: Database, _: Settings) -> Tried:
        endpoint = await Endpoints(db, SystemClock()).named(name)
        clock = SystemClock()
        async with Postman(clock) as postman:
            return await postman.post(endpoint, new_id("test"), message_json(TEST, clock.now(), {}))

    tried = on_database(send)
    if as_json:
        typer.echo(json.dumps(_try_json(tried.status, tried.error, tried.duration_s * 1000, tried.body_head)))
    else:
        typer.echo(
            (words("принято", "taken") if tried.taken else words("не принято", "not taken"))
            + f": {tried.status or tried.error}, {tried.duration_s * 1000:.0f} "
            + words("мс", "ms")
            + (f"\n{tried.body_head}" if tried.body_head else "")
        )
    if not tried.taken:
        raise typer.Exit(NOT_TAKEN)


@app.command(help=words("Что отправлено, что ждёт, что брошено", "What was sent, waits, was given up"))
def log(
    endpoint: Annotated[str, typer.Option(help=words("чей журнал", "whose log"))] = "",
    status: Annotated[DeliveryStatus | None, typer.Option(help=words("только такие", "only those"))] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help=words("сколько", "how many"))] = 50,
    as_json: Json = False,
) -> None:
    """Новые сверху; под каждым — последний ответ получателя."""

    async def read(db: Database, _: Settings) -> list[Logged]:
        whose = await Endpoints(db, SystemClock()).named(endpoint) if endpoint else None
        return list(await queue.log(db, endpoint=whose, status=status, limit=limit))

    found = on_database(read)
    if as_json:
        for each in found:
            typer.echo(json.dumps(_logged_json(each), ensure_ascii=False))
        return
    if not found:
        typer.echo(words("Пусто.", "Nothing."))
        return
    for each in found:
        typer.echo(_line(each))


def _line(each: Logged) -> str:
    """A delivery in two lines: what became of it, and its `webhook-id`."""
    row = each.row
    told = f"{local(row.at)}  {row.event:<18} → {each.endpoint}: {STATUSES[DeliveryStatus(row.status)]}"
    if row.status == DeliveryStatus.WAITING and row.tries:
        told += words(" до ", " until ") + local(row.next_at)
    if each.tries:
        last = each.tries[0]
        told += words(f", попыток {row.tries}", f", {row.tries} tries")
        told += f": {last.status or last.error}, {last.duration_ms} " + words("мс", "ms")
    return f"{told}\n    {row.message_id}"


@app.command(help=words("Отправить ещё раз, с тем же webhook-id", "Send once more, with the same webhook-id"))
def resend(
    ids: Annotated[
        list[str] | None, typer.Argument(help=words("сообщения из журнала (--json)", "messages of the log"))
    ] = None,
    dead: Annotated[
        str, typer.Option(help=words("всё брошенное этого получателя", "all given up of one"))
    ] = "",
) -> None:
    """Узел отправит их в ближайшие секунды."""
    if not ids and not dead:
        raise BadInput(
            words("не сказано, что отправить", "it is not said what to send"),
            hint="otklik webhooks log --json",
        )

    async def again(db: Database, _: Settings) -> int:
        whose = await Endpoints(db, SystemClock()).named(dead) if dead else None
        return await queue.resend(
            db, SystemClock().now() - timedelta(seconds=1), ids=ids or (), dead_of=whose
        )

    count = on_database(again)
    typer.echo(words(f"Будет отправлено ещё раз: {count}", f"To be sent once more: {count}"))


def _events(written: str) -> list[EventName]:
    names = [name.strip() for name in written.split(",") if name.strip()]
    for name in names:
        if name not in list(EventName):
            raise BadInput(
                words(f"события «{name}» нет", f"there is no event «{name}»"), hint=", ".join(EventName)
            )
    return [EventName(name) for name in names] or list(EventName)


def _as_json(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "name": endpoint.name,
        "url": endpoint.url,
        "events": list(endpoint.events),
        "personal": endpoint.personal,
        "private": endpoint.private,
        "created_at": utc(endpoint.created_at),
        "disabled_at": utc(endpoint.disabled_at),
        "disabled_why": endpoint.disabled_why,
    }


def _logged_json(each: Logged) -> dict[str, Any]:
    row = each.row
    return {
        "id": row.id,
        "webhook_id": row.message_id,
        "endpoint": each.endpoint,
        "event": row.event,
        "call_id": row.call_id,
        "at": utc(row.at),
        "status": row.status,
        "next_at": utc(row.next_at) if row.status == DeliveryStatus.WAITING else None,
        "tries": [
            {"at": utc(one.at), **_try_json(one.status, one.error, one.duration_ms, one.body_head)}
            for one in each.tries
        ],
    }


def _try_json(status: int | None, error: str, duration_ms: float, body: str) -> dict[str, Any]:
    return {"status": status, "error": error, "duration_ms": round(duration_ms), "body": body}
