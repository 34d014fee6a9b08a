"""An alert in words, for a mail and for a page: pure. Nothing says who the customer is, or what he said."""

from __future__ import annotations

from collections.abc import Sequence

from bot.core.alerts import AlertKind
from bot.store.alerts import Alert
from bot.words import words

Said = tuple[str, str]
"""In Russian and in English."""

MOST = 50
"""Alerts that one mail names; the rest are counted."""


def number(value: float) -> str:
    """`2`, and not `2.0`."""
    return f"{value:g}"


def headline(alert: Alert) -> Said:
    """What happened, in one line."""
    if alert.row.kind == AlertKind.OPT_OUT_WAVE:
        count, answered = alert.row.details["count"], alert.row.details["answered"]
        return (
            f"Волна отказов: {count} просят больше не звонить, отвеченных звонков {answered}",
            f"A wave of opt-outs: {count} ask never to be called again, {answered} calls were answered",
        )
    given = ", ".join(f"{question} {number(value)}" for question, value in alert.scores)
    who = alert.agent or alert.agent_id
    of_ru = ", ".join(filter(None, (given, who and f"сотрудник {who}", alert.department)))
    of_en = ", ".join(filter(None, (given, who and f"agent {who}", alert.department)))
    survey = alert.survey_id
    return (
        f"Низкая оценка{f' ({survey})' if survey else ''}{f': {of_ru}' if of_ru else ''}",
        f"A low score{f' ({survey})' if survey else ''}{f': {of_en}' if of_en else ''}",
    )


def alert_mail(alerts: Sequence[Alert], address: str) -> tuple[str, str]:
    """The subject and the text. `address` is where the pages are found."""
    shown = alerts[:MOST]
    lines = [_line(alert, address) for alert in shown]
    if len(alerts) > len(shown):
        more = len(alerts) - len(shown)
        lines.append(words(f"…и ещё {more}", f"…and {more} more"))
    subject = words(*headline(shown[0])) if len(alerts) == 1 else _several(len(alerts))
    end = words(f"Все тревоги: {address}/alerts", f"All alerts: {address}/alerts")
    return f"{words('Отклик', 'Otklik')}: {subject}", "\n\n".join((*lines, end)) + "\n"


def _several(count: int) -> str:
    return words(f"тревог: {count}", f"{count} alerts")


def _line(alert: Alert, address: str) -> str:
    told = words(*headline(alert))
    return f"{told}\n{address}/calls/{alert.row.call_id}" if alert.row.call_id else told
