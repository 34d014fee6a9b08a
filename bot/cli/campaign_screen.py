"""A campaign in numbers, as one screen: what `status` prints once and `watch` keeps up."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bot.campaigns.facts import CampaignState
from bot.campaigns.pacing import Bound
from bot.campaigns.reason_words import BOUNDS, REASONS
from bot.campaigns.reasons import ReasonCode
from bot.cli.live import DISPOSITIONS
from bot.core.endings import Disposition
from bot.orders_campaigns import state_word
from bot.words import words

_COLOURS = {
    CampaignState.RUNNING: "bold green",
    CampaignState.PAUSED: "bold yellow",
    CampaignState.DRAINING: "yellow",
}


def screen(told: dict[str, Any]) -> RenderableType:
    """`told` is the node's answer to `campaign`; what only a running node knows may be missing."""
    parts: list[RenderableType] = [_head(told), _now(told), _ended(told)]
    if told["refused"]:
        parts.append(_refused(told["refused"]))
    return Group(*parts)


def _head(told: dict[str, Any]) -> Text:
    head = Text.assemble(
        (told["campaign"], "bold cyan"),
        f" «{told['title']}», {told['survey']}: ",
        (state_word(told["state"]), _COLOURS.get(told["state"], "bold")),
    )
    if told["reason"]:
        head.append(f" ({told['reason']})")
    pace = told.get("pace")
    if pace is not None and pace["count"] == 0:
        head.append(words("\nждёт: ", "\nwaits: ") + words(*BOUNDS[Bound(pace["bound"])]), "yellow")
    if told.get("queue") is False:
        missing = words("\nочереди заданий нет: дозвон ждёт", "\nthe queue of tasks is away: dialling waits")
        head.append(missing, "red")
    return head


def _now(told: dict[str, Any]) -> Table:
    """What goes on at this moment."""
    members = told["members"]
    gap = told.get("reply_gap") or {}
    rows: list[tuple[str, object]] = [
        (words("контактов", "contacts"), sum(members.values())),
        (words("ждут очереди", "waiting"), members.get("waiting", 0)),
        (words("набрано", "dialled"), told["dialled"]),
        (words("звонит", "ringing"), told["ringing"]),
        (words("разговор", "talking"), told["talking"]),
        (words("пройдено", "completed"), told["dispositions"].get("completed", 0)),
        (words("свободных линий", "free lines"), sum(node["free_lines"] for node in told["nodes"])),
        (words("свободных сотрудников", "agents free"), _or_dash(told.get("agents_free"))),
        (words("пауза до ответа p50/p95, мс", "reply gap p50/p95, ms"), _gap(gap)),
    ]
    if told["next_at"] and members.get("waiting"):
        at = datetime.fromisoformat(told["next_at"]).astimezone()
        rows.append((words("следующий не раньше", "the next not before"), f"{at:%d.%m %H:%M:%S}"))
    table = Table(box=box.SIMPLE, show_header=False, padding=(0, 1))
    table.add_column(style="dim")
    table.add_column(justify="right")
    for name, value in rows:
        table.add_row(name, str(value))
    return table


def _ended(told: dict[str, Any]) -> Table:
    """Every attempt stands in exactly one line, so the lines sum to the attempts."""
    table = Table(box=box.SIMPLE, title=words("Попытки", "Attempts"), title_justify="left", show_footer=True)
    total = sum(told["dispositions"].values()) + sum(told["open"].values())
    mark = "=" if told["sums_up"] else "≠"
    table.add_column(words("чем кончились", "outcome"), footer=words("всего", "all"))
    table.add_column("", justify="right", footer=f"{total} {mark} {told['attempts']}")
    for status, count in told["open"].items():
        table.add_row(Text(_OPEN.get(status, status), "cyan"), str(count))
    for name, count in told["dispositions"].items():
        table.add_row(words(*DISPOSITIONS[Disposition(name)]), str(count))
    return table


_OPEN = {
    "queued": words("ждёт линии", "waits for a line"),
    "dialling": words("звонит", "ringing"),
    "live": words("разговор", "talking"),
}


def _refused(refused: dict[str, int]) -> Table:
    table = Table(
        box=box.SIMPLE,
        title=words("Пока не звоним", "Not rung for now"),
        title_justify="left",
        show_header=False,
    )
    table.add_column()
    table.add_column(justify="right")
    for code, count in sorted(refused.items(), key=lambda each: -each[1]):
        table.add_row(words(*REASONS[ReasonCode(code)]), str(count))
    return table


def _or_dash(value: int | None) -> str:
    return "—" if value is None else str(value)


def _gap(gap: dict[str, Any]) -> str:
    return f"{gap['p50_ms']}/{gap['p95_ms']}" if gap.get("turns") else "—"
