"""What the API answers; what it takes are `CallRequest` and `Announcement`."""

from __future__ import annotations

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from bot.core.requests import RequestedCall


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Accepted(_Answer):
    """Звонок принят."""

    id: str = Field(description="под этим именем о нём можно спросить")
    accepted_at: AwareDatetime
    not_before: AwareDatetime


class CallState(RequestedCall):
    """Что стало со звонком."""

    id: str
    accepted_at: AwareDatetime
    not_before: AwareDatetime
    why: list[str] = Field(description="reasons словами, на языке из Accept-Language")


class Announced(_Answer):
    """Входящий звонок объявлен."""

    id: str
    valid_until: AwareDatetime = Field(description="до этого времени его ждут")


class FieldProblem(_Answer):
    """Поле, которое не подходит."""

    pointer: str = Field(description="JSON Pointer (RFC 6901), как #/phone")
    detail: str


class ProblemDetails(_Answer):
    """Ошибка (RFC 9457), на языке из Accept-Language."""

    type: str
    title: str
    status: int
    detail: str
    code: str = Field(description="для программ: не меняется")
    hint: str | None = Field(None, description="что было бы верно")
    errors: list[FieldProblem] | None = None
