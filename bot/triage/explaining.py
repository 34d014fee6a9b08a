"""«Почему этот сотрудник»: a stored decision in words. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from bot.core.routing import DESK, PassedOver, Route, RouteStep
from bot.triage.shifts import to_russian

Language = Literal["ru", "en"]

STEPS: dict[RouteStep, tuple[str, str]] = {
    RouteStep.OWNER: ("ведёт этого клиента или говорил с ним", "looks after this customer, or had the talk"),
    RouteStep.DEPARTMENT: (
        "из отдела, к которому относится разговор",
        "of the department the talk belongs to",
    ),
    RouteStep.SKILL: ("разбирается в этой теме", "knows this topic"),
    RouteStep.FALLBACK: (
        "запасной, его спрашивают, когда больше некого",
        "the fallback, asked when nobody else is",
    ),
    RouteStep.NAMED: ("назван в правиле опроса", "named by the survey's rule"),
}
REASONS: dict[PassedOver, tuple[str, str]] = {
    PassedOver.UNKNOWN: ("в таблице сотрудников его нет", "is not in the table of agents"),
    PassedOver.INACTIVE: ("отключён", "is switched off"),
    PassedOver.NO_ADDRESS: ("звонить некуда: нет ни телефона, ни открытого рабочего места",
                            "cannot be rung: neither a telephone nor an open desk"),
    PassedOver.OFF_SHIFT: ("не его смена", "is off shift"),
    PassedOver.HOLIDAY: ("выходной или праздник", "has a day off, or it is a holiday"),
    PassedOver.AWAY: ("отошёл или вышел", "is away or signed out"),
    PassedOver.BUSY: ("занят", "is busy"),
    PassedOver.AT_LIMIT: ("переводов уже столько, сколько можно", "has as many transfers as allowed"),
}  # fmt: skip


def target_words(target: str, language: Language = "ru") -> str:
    """Whom a triage rule asked for."""
    kind, colon, name = target.partition(":")
    if target == "responsible":
        return _in(language, "ответственного за клиента", "whoever is responsible for the customer")
    if colon and kind == "department":
        return _in(language, f"отдел «{name}»", f"the department «{name}»")
    if colon and kind == "skill":
        return _in(language, f"того, кто знает тему «{name}»", f"whoever knows «{name}»")
    return _in(language, f"сотрудника «{target}»", f"the agent «{target}»")


def sentences(route: Route, names: Mapping[str, str], language: Language = "ru") -> Iterator[str]:
    """Whom to ring and why, who was passed over and why, and who answers for it."""
    for place, candidate in enumerate(route.candidates, 1):
        name = named(candidate.agent_id, {candidate.agent_id: candidate.name} | dict(names))
        why = _in(language, *STEPS[candidate.step])
        where = (
            _in(language, "рабочее место", "desk")
            if candidate.address.startswith(DESK)
            else candidate.address
        )
        yield f"{place}. {name}: {why} ({where})"
    if not route.candidates:
        yield _in(language, "Звонить было некому.", "There was nobody to ring.")
    for skipped in route.skipped:
        name = named(skipped.agent_id, names)
        step, why = _in(language, *STEPS[skipped.step]), _in(language, *REASONS[skipped.why])
        yield _in(language, f"Не {name} ({step}): {why}.", f"Not {name} ({step}): {why}.")
    if route.owner_id:
        owner = named(route.owner_id, names)
        yield _in(
            language,
            f"Если никто не возьмёт, отвечает {owner}",
            f"If nobody takes it, {owner} answers for it",
        )
    else:
        yield _in(
            language, "Отвечать некому: активных сотрудников нет.", "Nobody answers: no agent is active."
        )


def shift_words(shift: str, language: Language = "ru") -> str:
    """A shift as it is stored, with the days' names in this language; it is read back either way."""
    return shift if language == "en" else to_russian(shift)


def named(agent_id: str, names: Mapping[str, str]) -> str:
    name = names.get(agent_id, "")
    return f"{name} ({agent_id})" if name and name != agent_id else agent_id


def deadline_words(due_at: datetime, zone: ZoneInfo | None, language: Language = "ru") -> str:
    """«до 04.03 18:00» in this zone, or in this machine's."""
    return f"{_in(language, 'до', 'by')} {due_at.astimezone(zone):%d.%m.%Y %H:%M}"


def _in(language: Language, russian: str, english: str) -> str:
    return english if language == "en" else russian
