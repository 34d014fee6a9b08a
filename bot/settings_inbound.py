"""The settings of calls that come in: a part of bot/settings.py."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator

from bot.settings_base import Section

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,63}")  # a token of RFC 3261, 25.1
_CALLED = re.compile(r"\+?[\w.-]+\*?|\*", re.ASCII)


class RouteSection(Section):
    """What a called number stands for."""

    survey: str = Field(min_length=1, description="номер опроса, например csat")
    department: str = Field("", max_length=128, description="отдел, если его не назвала АТС")
    agent: str = Field("", max_length=128, description="сотрудник, если его не назвала АТС")
    language: Literal["", "ru", "en"] = Field("", description="язык: вариант опроса, у nps и en это nps_en")


def _route(value: object) -> object:
    """`701 = "csat"` is `701 = {survey = "csat"}`; what else it may be is said at once."""
    if isinstance(value, str):
        value = {"survey": value}
    if not isinstance(value, dict):
        return value
    known = list(RouteSection.model_fields)
    for key in value:
        if key not in known:
            close = get_close_matches(str(key), known, n=1)
            hint = f"похоже на {close[0]}" if close else f"бывают {', '.join(known)}"
            raise ValueError(f"ключа «{key}» у маршрута нет: {hint}")
    if not value.get("survey"):
        raise ValueError('у маршрута нет опроса: напишите номер = "csat" или номер = {survey = "csat", …}')
    return value


def _header_name(value: Any) -> Any:
    if isinstance(value, str) and value and not _HEADER_NAME.fullmatch(value):
        raise ValueError(f"«{value}» не имя заголовка SIP: нужно такое, как X-Agent-Id; пусто: не читать")
    return value


HeaderName = Annotated[str, BeforeValidator(_header_name)]


class HeadersSection(Section):
    """The INVITE headers in which the PBX says whose talk it was."""

    agent: HeaderName = Field("X-Agent-Id", description="заголовок с номером сотрудника; пусто: не читать")
    department: HeaderName = Field("X-Department", description="заголовок с отделом")
    conversation_id: HeaderName = Field("X-Conversation-Id", description="заголовок с номером разговора")
    customer_id: HeaderName = Field("X-Customer-Id", description="заголовок с номером клиента в CRM")
    customer_name: HeaderName = Field(
        "X-Customer-Name", description="заголовок с именем клиента: Анна, Анна Ким, Анна Львовна Ким"
    )
    customer_phone: HeaderName = Field("X-Customer-Phone", description="заголовок с телефоном клиента")
    token: HeaderName = Field("X-Announcement", description="заголовок со словом объявленного звонка")

    def names(self) -> tuple[str, ...]:
        """Those that are read."""
        return tuple(name for name in self.model_dump().values() if name)


class InboundSection(Section):
    routes: dict[str, Annotated[RouteSection, BeforeValidator(_route)]] = Field(
        {},
        description='номер = "опрос" или {survey, department, agent, language}; "7495*": начало номера',
    )
    default_survey: str = Field("csat", description="опрос для остальных входящих; пусто: отвечать «занято»")
    headers: HeadersSection = Field(HeadersSection(), description="имена заголовков INVITE")

    @field_validator("routes")
    @classmethod
    def _called_numbers(cls, value: dict[str, RouteSection]) -> dict[str, RouteSection]:
        for called in value:
            if not _CALLED.fullmatch(called):
                raise ValueError(
                    f"«{called}» не номер: нужны цифры или имя, как 701 или survey; "
                    'звёздочка только в конце: "74951234*"'
                )
        return value
