"""`otklik call`: place one call on a running node, and follow it to its stored end.

The stream of events tells the course; what is stored tells the end. A call whose worker died, or whose
end could not be written down, has no last event: so both are looked at.
"""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Any

import typer
from rich.console import Console

from bot.cli.live import LiveView, disposition_word
from bot.core.control import ControlClient
from bot.core.endings import Disposition, EndKind
from bot.core.errors import NodeUnavailable, Unavailable
from bot.core.events import CallEnded
from bot.settings import Settings
from bot.settings_load import load_settings
from bot.words import words

app = typer.Typer(add_completion=False)
console = Console(highlight=False)

LOOK_S = 1.0
"""How often we look at what is stored."""

WAIT_S = 60.0
"""So long a call may wait for what a call needs (Rasa that is started again) before it is taken back: later
nobody would expect it any more."""

NOT_CALLED = 1
"""The exit status where the call was made and nobody could be talked to for a technical reason."""

_CAUSES: dict[EndKind, tuple[str, str]] = {
    EndKind.UNREACHABLE: (
        "адрес не отвечает: проверьте узел и порт, или sip.trunk",
        "the address does not answer: check host and port, or sip.trunk",
    ),
    EndKind.FORBIDDEN: (
        "транк не пускает: проверьте sip.trunk.auth_user и пароль",
        "the trunk refuses us: check sip.trunk.auth_user and the password",
    ),
    EndKind.NOT_FOUND: ("такого номера нет", "there is no such number"),
    EndKind.REDIRECTED: (
        "линия отсылает на другой адрес, по нему мы не звоним",
        "redirected to another address, which is not followed",
    ),
    EndKind.MEDIA_LOST: ("звук с линии пропал: проверьте сеть", "the line went silent: check the network"),
    EndKind.NEVER_ACKED: (
        "наш ответ не подтверждён: проверьте сеть и NAT",
        "our answer was not confirmed: check the network and NAT",
    ),
    EndKind.FAILED: ("транк или телефон отказал", "the trunk or the telephone failed"),
}


@app.command()
def call(
    to: Annotated[str, typer.Argument(help="sip:имя@узел:порт, или номер, если настроен транк")],
    survey: Annotated[str, typer.Option(help="какой опрос")] = "nps",
    name: Annotated[str, typer.Option(help="имя клиента")] = "",
    agent: Annotated[str, typer.Option(help="кто с ним говорил: номер сотрудника")] = "",
    department: Annotated[str, typer.Option(help="отдел")] = "",
    timezone: Annotated[
        str, typer.Option(help="часовой пояс клиента, как Asia/Omsk; иначе по номеру или пояс компании")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="одна строка JSON вместо рассказа")] = False,
) -> None:
    """Позвонить по адресу и пройти опрос; узел должен работать. Выход 1, если связь не удалась."""
    order = {
        "to": to,
        "survey": survey,
        "customer": {"first_name": name},
        "agent": {"id": agent},
        "department": department,
        "timezone": timezone,
    }
    stored = asyncio.run(_call(load_settings(), order, LiveView(), as_json))
    if as_json:
        typer.echo(json.dumps(stored, ensure_ascii=False))
    else:
        _tell_end(stored)
    if stored["disposition"] in (Disposition.FAILED, Disposition.INTERRUPTED):
        raise typer.Exit(NOT_CALLED)


async def _call(settings: Settings, order: dict[str, Any], view: LiveView, as_json: bool) -> dict[str, Any]:
    """The call as it is stored in the end. Raises what the node refuses, NodeUnavailable, Unavailable."""
    async with await ControlClient.connect(settings.control_socket) as node:
        await node.watch()
        placed = await node.request("place_call", **order)
        following = asyncio.create_task(_follow(node, placed["call_id"], view, as_json))
        try:
            return await _stored(node, placed["attempt_id"], following, as_json)
        except (asyncio.CancelledError, Unavailable):
            await _take_back(node, placed["attempt_id"])
            raise
        finally:
            following.cancel()
            await asyncio.wait({following})


async def _follow(node: ControlClient, call_id: str, view: LiveView, as_json: bool) -> None:
    """Show the course of the call until its last event. Raises NodeUnavailable."""
    async for event in node.events():
        if event.call_id != call_id:
            continue
        line = None if as_json else view.line(event)
        if line is not None:
            console.print(line)
        if isinstance(event, CallEnded):
            return
    raise NodeUnavailable(
        words("узел пропал посреди звонка", "the node went away in the middle of the call"),
        hint="otklik serve",
    )


async def _stored(
    node: ControlClient, attempt_id: str, following: asyncio.Task[None], as_json: bool
) -> dict[str, Any]:
    """The attempt once it has its disposition. Raises NodeUnavailable, and Unavailable for one that
    waited too long for what a call needs."""
    loop = asyncio.get_running_loop()
    until, told = loop.time() + WAIT_S, ""
    while True:
        await asyncio.wait({following}, timeout=LOOK_S)
        if following.done():
            following.result()
        (stored,) = (await node.request("calls", attempt_ids=[attempt_id]))["calls"]
        if stored["disposition"] is not None:
            if stored["end_cause"] is not None:  # its last event is on its way
                await asyncio.wait({following}, timeout=LOOK_S)
            return dict(stored)
        missing = ", ".join((await node.request("status"))["missing"]) if stored["call_id"] is None else ""
        if not missing:
            until = loop.time() + WAIT_S
        elif loop.time() >= until:
            raise Unavailable(
                words(
                    f"звонок отменён: {WAIT_S:g} с не работает {missing}",
                    f"the call is taken back: {missing} has been away for {WAIT_S:g} s",
                ),
                hint=words("почему, скажет журнал узла; otklik doctor", "see the node's log; otklik doctor"),
            )
        if missing != told and not as_json:
            told = missing
            if missing:
                console.print(words(f"… жду: {missing}", f"… waiting for {missing}"), style="yellow")


async def _take_back(node: ControlClient, attempt_id: str) -> None:
    """Nobody waits for this call any more: one that has not rung yet must not ring later."""
    try:
        await node.request("cancel_call", attempt_id=attempt_id)
    except NodeUnavailable:
        console.print(
            words("узел не отвечает: звонок остался в очереди", "the node is gone: the call stays queued"),
            style="red",
        )


def _tell_end(stored: dict[str, Any]) -> None:
    cause = EndKind(stored["end_cause"]) if stored["end_cause"] else None
    disposition = Disposition(stored["disposition"])
    if cause in _CAUSES:
        console.print(words(*_CAUSES[cause]), style="yellow")
    elif cause is None:  # no event told the end
        console.print(f"■ {disposition_word(disposition)}", style="bold")
