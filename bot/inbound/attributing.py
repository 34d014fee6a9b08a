"""From what a call brings along to whose talk it is about. Pure; no header makes it raise.

Of several that say something the first counts: announcement, User-to-User, X-headers, route; for the
caller's number then P-Asserted-Identity and From; for the customer then what is known of that number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import unquote

from pydantic import BaseModel, ConfigDict

from bot.core.attribution import Attribution, Missing, Source, Value
from bot.core.context import Person
from bot.inbound.announcements import Announcement
from bot.inbound.numbers import phone_of, user_of
from bot.inbound.settings import ASSERTED_IDENTITY, USER_TO_USER, HeaderNames, Route
from bot.inbound.user_to_user import parse_user_to_user

MAX_VALUE = 128
"""Characters of one header's value; a longer one is malformed."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SILENT = Announcement(called="-")
"""Says nothing of a call."""

_KEYS: Mapping[str, str] = {
    "agent": "agent",
    "agent_id": "agent",
    "department": "department",
    "conversation": "conversation_id",
    "conversation_id": "conversation_id",
    "customer": "customer_id",
    "customer_id": "customer_id",
    "name": "customer_name",
    "customer_name": "customer_name",
    "phone": "customer_phone",
    "customer_phone": "customer_phone",
    "token": "token",
}
"""Keys of the User-to-User data, and the field of `Said` that each fills."""


@dataclass(frozen=True, slots=True)
class Said:
    """What one source says of the call; "" where it says nothing."""

    agent: str = ""
    department: str = ""
    conversation_id: str = ""
    customer_id: str = ""
    customer_name: str = ""
    customer_phone: str = ""
    token: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """An INVITE as far as it matters here. `malformed` has the field that each unreadable header would
    have filled, `*` for User-to-User; `problems` what is wrong with it, without its data."""

    called: str
    remote: str
    user_to_user: Said
    headers: Said
    asserted: str
    malformed: Mapping[str, str]
    problems: Mapping[str, str]

    @property
    def token(self) -> str:
        return self.user_to_user.token or self.headers.token

    @property
    def phones(self) -> tuple[str, ...]:
        """Every number that the caller may be known by, the surest first."""
        said = (self.user_to_user.customer_phone, self.headers.customer_phone, self.asserted, self.remote)
        found = (phone_of(each) for each in said)
        return tuple(dict.fromkeys(each for each in found if not isinstance(each, Missing)))


class Known(BaseModel):
    """A customer of ours; `person.id` is his contact's."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    person: Person
    timezone: str = "Europe/Moscow"


@dataclass(frozen=True, slots=True)
class Attributed:
    """The values; `attribution` says where each came from. `survey` is the announcement's or the
    route's, `phone` the customer's number as digits; each may be ""."""

    survey: str
    language: str
    agent: str
    department: str
    conversation_id: str
    customer: Person
    contact_id: str
    phone: str
    about: str
    attribution: Attribution


def heard(local: str, remote: str, headers: Mapping[str, str], names: HeaderNames) -> Heard:
    """Read an INVITE's headers; those that cannot be read are named and say nothing."""
    given = {name.lower(): value for name, value in headers.items()}
    said: dict[str, str] = {}
    malformed: dict[str, str] = {}
    problems: dict[str, str] = {}
    for field in Said.__slots__:
        name: str = getattr(names, field)
        value = given.get(name.lower(), "").strip() if name else ""
        value = value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value
        if field == "customer_name":
            value = unquote(value)
        if len(value) > MAX_VALUE or _CONTROL.search(value):
            malformed[name] = field
            problems[name] = "control characters, or too long"
        else:
            said[field] = value
    uui = parse_user_to_user(given.get(USER_TO_USER.lower(), ""))
    if uui.problem:
        malformed[USER_TO_USER] = "*"
        problems[USER_TO_USER] = uui.problem
    from_uui: dict[str, str] = {}
    for key, value in uui.values.items():
        if key in _KEYS:
            from_uui.setdefault(_KEYS[key], value)
    return Heard(
        called=user_of(local),
        remote=remote,
        user_to_user=Said(**from_uui),
        headers=Said(**said),
        asserted=given.get(ASSERTED_IDENTITY.lower(), ""),
        malformed=malformed,
        problems=problems,
    )


def attribute(
    call: Heard, route: Route | None, announced: tuple[str, Announcement] | None, known: Known | None
) -> Attributed:
    """Put together what the sources say."""
    announcement_id, announcement = announced if announced else ("", None)
    route = route or Route("")
    sources: dict[Value, Source] = {}
    missing: dict[Value, Missing] = {}

    def first(value: Value, field: str, *said: tuple[Source, str]) -> str:
        for source, text in said:
            if text:
                sources[value] = source
                return text
        broken = {field, "*"} & set(call.malformed.values())
        missing[value] = Missing.MALFORMED if broken else Missing.NOT_SENT
        return ""

    uui, headers = call.user_to_user, call.headers
    told = announcement or _SILENT
    survey = first("survey", "", (Source.ANNOUNCEMENT, told.survey), (Source.ROUTE, route.survey))
    values = {
        name: first(
            name,
            name,
            (Source.ANNOUNCEMENT, getattr(told, name)),
            (Source.USER_TO_USER, getattr(uui, name)),
            (Source.HEADER, getattr(headers, name)),
            (Source.ROUTE, getattr(route, name, "")),
        )
        for name in ("agent", "department", "conversation_id")
    }
    phone = _phone(call, told, sources, missing)
    customer = _customer(call, told, known, sources, missing)
    return Attributed(
        survey=survey,
        language=route.language,
        agent=values["agent"],
        department=values["department"],
        conversation_id=values["conversation_id"],
        customer=customer,
        contact_id=known.person.id if known else "",
        phone=phone,
        about=told.about,
        attribution=Attribution(
            **dict(sources.items()),
            missing=missing,
            announcement=announcement_id,
            malformed=tuple(call.problems),
        ),
    )


def _phone(
    call: Heard, told: Announcement, sources: dict[Value, Source], missing: dict[Value, Missing]
) -> str:
    why = Missing.NOT_SENT
    for source, text in (
        (Source.ANNOUNCEMENT, told.phone),
        (Source.USER_TO_USER, call.user_to_user.customer_phone),
        (Source.HEADER, call.headers.customer_phone),
        (Source.ASSERTED, call.asserted),
        (Source.FROM, call.remote),
    ):
        phone = phone_of(text)
        if not isinstance(phone, Missing):
            sources["phone"] = source
            return phone
        why = phone if phone is not Missing.NOT_SENT else why
    missing["phone"] = why
    return ""


def _customer(
    call: Heard,
    told: Announcement,
    known: Known | None,
    sources: dict[Value, Source],
    missing: dict[Value, Missing],
) -> Person:
    """Who he is, by the first that says anything of him; what it leaves open is filled from the contact."""
    base = known.person if known else Person()
    for source, person in (
        (Source.ANNOUNCEMENT, told.customer),
        (Source.USER_TO_USER, _person(call.user_to_user)),
        (Source.HEADER, _person(call.headers)),
        (Source.CONTACT, base),
    ):
        if person != Person():
            sources["customer"] = source
            named = bool(person.first_name or person.last_name)
            kept = base.model_dump(include={"id"} if named else None)
            return Person(**(kept | {key: value for key, value in person.model_dump().items() if value}))
    broken = {"customer_id", "customer_name", "*"} & set(call.malformed.values())
    if broken:
        missing["customer"] = Missing.MALFORMED
    else:
        missing["customer"] = Missing.UNKNOWN_CALLER if "phone" in sources else Missing.NOT_SENT
    return Person()


def _person(said: Said) -> Person:
    """`Анна`, `Анна Ким` or `Анна Львовна Ким`."""
    words = said.customer_name.split()
    names = dict(zip(("first_name", "last_name"), words, strict=False))
    if len(words) > 2:
        names = {"first_name": words[0], "middle_name": words[1], "last_name": " ".join(words[2:])}
    return Person(id=said.customer_id, **names)


def without(call: Heard, announcement: Announcement | None) -> Heard:
    """The call with the announced telephone as its surest number, for who looks the customer up."""
    if announcement is None or not announcement.phone:
        return call
    return replace(call, user_to_user=replace(call.user_to_user, customer_phone=announcement.phone))
