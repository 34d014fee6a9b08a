"""The handovers of one call, from its events: what they took and what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rich import box
from rich.table import Table

from bot.core.events import (
    CallEvent,
    HandoverAccepted,
    HandoverConnected,
    HandoverEnded,
    HandoverFailed,
    HandoverRinging,
    HandoverStarted,
    TalkHeard,
)
from bot.words import words

_FIGURES = ("ring_s", "joined_s", "talk_s", "agent_id", "by", "failed", "unknown_share")


def handovers(events: Sequence[CallEvent]) -> list[dict[str, Any]]:
    """Each handover of a call: the seconds from its beginning to the first ring and to two-way audio, the
    talk, who took it and how, and the share of words that the recogniser did not know. None where it never
    came to that. Pure."""
    made: list[dict[str, Any]] = []
    began: datetime | None = None
    for event in events:
        match event:
            case HandoverStarted(target=target, form=form):
                began = event.at
                made.append({"target": target, "form": form} | dict.fromkeys(_FIGURES))
            case HandoverRinging() | HandoverConnected() if made and began is not None:
                figure = "ring_s" if isinstance(event, HandoverRinging) else "joined_s"
                if made[-1][figure] is None:
                    made[-1][figure] = round((event.at - began).total_seconds(), 2)
            case HandoverAccepted(agent_id=agent_id, by=by) if made:
                made[-1] |= {"agent_id": agent_id, "by": by}
            case HandoverEnded(talk_s=talk_s) if made:
                made[-1]["talk_s"] = talk_s
            case HandoverFailed(reason=reason) if made:
                made[-1]["failed"] = reason
            case _:
                pass
    if made:
        made[-1]["unknown_share"] = _unknown_share(events)
    return made


def _unknown_share(events: Sequence[CallEvent]) -> float | None:
    """Over all words of the talk; None where none were heard."""
    heard = [event for event in events if isinstance(event, TalkHeard)]
    count = sum(len(event.words) for event in heard)
    unknown = sum(event.unknown_share * len(event.words) for event in heard)
    return round(unknown / count, 3) if count else None


def handover_table(made: Sequence[dict[str, Any]]) -> Table:
    table = Table(box=box.SIMPLE, title=words("Переводы", "Handovers"), title_justify="left")
    heads = words(
        "кому|звонок, с|на связи, с|разговор, с|принял|не вышло|незнакомых слов",
        "to|ring, s|joined, s|talk, s|accepted by|failed|unknown words",
    )
    for head in heads.split("|"):
        table.add_column(head)
    for one in made:
        seconds = (one[name] for name in ("ring_s", "joined_s", "talk_s"))
        share = one["unknown_share"]
        table.add_row(
            one["agent_id"] or one["target"],
            *("-" if value is None else f"{value:.2f}" for value in seconds),
            one["by"] or "-",
            one["failed"] or "-",
            "-" if share is None else f"{share:.0%}",
        )
    return table
