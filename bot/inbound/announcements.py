"""Calls that are announced before they come: by the CRM, or by a PBX that can send no headers. Pure.

    book.announce(Announcement(phone="+74950000001", agent="op-17"), now)
    book.meet("call-1", called="701", phones=("74950000001",), token="", now=now)  # that announcement, once

Kept in memory: an announcement lives for minutes, and one that was lost with the process leaves a call
without attribution, which is shown, and no call refused.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from bot.core.context import Person
from bot.core.errors import KeyReused, Unavailable
from bot.core.ids import new_id
from bot.inbound.numbers import bare
from bot.store.phones import phone_key

MAX_ANNOUNCEMENTS = 10_000
"""How many are kept at once."""

DEFAULT_VALID_S = 600

_TOKEN, _PHONE, _CALLED = 4, 2, 1
"""How exact a match is. An announcement may name several of them, and then all must be right."""


class Announcement(BaseModel):
    """What is told of a call before it comes. At least one of `token`, `phone` and `called` says which
    call is meant; `called` alone is the next call to that number. `about` is the matter of the talk."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    phone: str = Field("", max_length=64, description="телефон клиента")
    called: str = Field("", max_length=64, description="номер, на который переведут звонок")
    token: str = Field("", max_length=128, description="слово из заголовка X-Announcement")
    agent: str = Field("", max_length=128, description="кто говорил с клиентом")
    department: str = Field("", max_length=128, description="его отдел")
    conversation_id: str = Field("", max_length=128, description="номер разговора в вашей CRM")
    customer: Person = Person()
    about: str = Field("", max_length=256, description="о чём говорили")
    survey: str = Field("", max_length=64, description="номер опроса; пусто: по номеру")
    valid_s: int = Field(DEFAULT_VALID_S, ge=5, le=86400, description="сколько секунд ждать звонка")

    @model_validator(mode="after")
    def _names_a_call(self) -> Self:
        if not (self.phone or self.called or self.token):
            raise PydanticCustomError(
                "names_no_call",
                "не сказано, какой это будет звонок: нужен phone, called или token",
                {"en": "it is not said which call is meant: phone, called or token is needed"},
            )
        return self


@dataclass(slots=True)
class _Entry:
    id: str
    key: str
    said: Announcement
    number: int
    until: datetime
    used_by: str = ""


class AnnouncementBook:
    """The announcements of a node."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}
        self._count = 0

    def announce(self, said: Announcement, now: datetime, *, key: str = "") -> tuple[str, bool]:
        """Its id, and whether it is new: the same `key` again is the same announcement. Raises KeyReused
        where that key stands for another one, Unavailable where too many wait."""
        self._forget(now)
        for entry in self._entries.values():
            if key and entry.key == key:
                if entry.said != said:
                    raise KeyReused(
                        f"ключ «{key}» уже стоит за другим объявлением",
                        hint="новому объявлению дайте новый ключ; повтор пришлите слово в слово",
                    )
                return entry.id, False
        if len(self._entries) >= MAX_ANNOUNCEMENTS:
            raise Unavailable(
                f"объявлений уже {MAX_ANNOUNCEMENTS}, больше узел не держит",
                hint="объявляйте звонок перед самым переводом, с малым valid_s",
            )
        self._count += 1
        until = now + timedelta(seconds=said.valid_s)
        entry = _Entry(new_id("announcement"), key, said, self._count, until)
        self._entries[entry.id] = entry
        return entry.id, True

    def meet(
        self, call_id: str, *, called: str, phones: Collection[str], token: str, now: datetime
    ) -> tuple[str, Announcement] | None:
        """The announcement of this call and its id; nobody else gets it. Asking again for the same call
        is asking once. The most exact match wins; of two that name a caller the newer one (it corrects
        the older), of two for a number alone the older one (its customer comes first)."""
        self._forget(now)
        for entry in self._entries.values():
            if entry.used_by == call_id:
                return entry.id, entry.said
        called_forms = {bare(called), bare(phone_key(called))}
        keys = {phone_key(phone) for phone in phones}
        best: tuple[tuple[int, int], _Entry] | None = None
        for entry in self._entries.values():
            exactness = 0 if entry.used_by else _exactness(entry.said, called_forms, keys, token)
            if not exactness:
                continue
            rank = exactness, -entry.number if exactness == _CALLED else entry.number
            if best is None or rank > best[0]:
                best = rank, entry
        if best is None:
            return None
        best[1].used_by = call_id
        return best[1].id, best[1].said

    def valid_until(self, announcement_id: str) -> datetime:
        """Of one that is kept."""
        return self._entries[announcement_id].until

    @property
    def waiting(self) -> int:
        return sum(not entry.used_by for entry in self._entries.values())

    def _forget(self, now: datetime) -> None:
        over = [each.id for each in self._entries.values() if each.until <= now]
        for entry_id in over:
            del self._entries[entry_id]


def _exactness(said: Announcement, called: Collection[str], phones: Collection[str], token: str) -> int:
    """0 where one of the things it names is not this call's."""
    found = 0
    if said.token:
        if said.token != token:
            return 0
        found += _TOKEN
    if said.phone:
        if phone_key(said.phone) not in phones:
            return 0
        found += _PHONE
    if said.called:
        if not {bare(said.called), bare(phone_key(said.called))} & set(called):
            return 0
        found += _CALLED
    return found
