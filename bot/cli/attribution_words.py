"""Whose talk an incoming call is about, in words: what is known, and what is missing and why."""

from __future__ import annotations

from collections.abc import Iterator

from bot.core.attribution import Missing, Source, Value
from bot.core.events import CallStarted
from bot.words import words

SOURCES: dict[Source, str] = {
    Source.ANNOUNCEMENT: words("объявлен", "announced"),
    Source.USER_TO_USER: "User-to-User",
    Source.HEADER: words("заголовок", "header"),
    Source.ROUTE: words("по номеру", "by number"),
    Source.ASSERTED: "P-Asserted-Identity",
    Source.FROM: "From",
    Source.CONTACT: words("по телефону", "by phone"),
}
REASONS: dict[Missing, str] = {
    Missing.NOT_SENT: words("АТС не сказала", "not sent by the PBX"),
    Missing.MALFORMED: words("заголовок не читается", "the header is malformed"),
    Missing.WITHHELD: words("номер скрыт", "the number is withheld"),
    Missing.NO_NUMBER: words("это не телефон", "not a phone number"),
    Missing.UNKNOWN_CALLER: words("незнакомый номер", "an unknown number"),
}
NAMES: dict[Value, str] = {
    "survey": words("опрос", "survey"),
    "agent": words("сотрудник", "agent"),
    "department": words("отдел", "department"),
    "conversation_id": words("разговор", "conversation"),
    "customer": words("клиент", "customer"),
    "phone": words("телефон", "phone"),
}
SHOWN: tuple[Value, ...] = ("agent", "department", "conversation_id", "customer", "phone")


def attribution_words(event: CallStarted) -> str:
    """One line for a call that came in; "" for one that we placed."""
    return "; ".join(_each(event))


def _each(event: CallStarted) -> Iterator[str]:
    found = event.attribution
    if found is None:
        return
    values: dict[Value, str] = {
        "agent": event.agent_id,
        "department": event.department,
        "conversation_id": event.conversation_id,
        "phone": event.phone,
    }
    for value in SHOWN:
        source = found.source(value)
        if source is not None:
            text = " ".join(filter(None, (NAMES[value], values.get(value, ""))))
            yield f"{text} ({SOURCES[source]})"
        else:
            why = REASONS[found.missing.get(value, Missing.NOT_SENT)]
            yield f"{NAMES[value]}: {words('нет', 'none')} ({why})"
