"""A call that another system asks for, and the port by which it comes about.

Whatever stands behind `RequestCall` decides when the customer is rung, and whether he may be at all: the
API only takes the wish, once for each id.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Protocol

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from bot.core.context import Person
from bot.core.phone_numbers import e164
from bot.core.zones import known_zone


def _number(written: str) -> str:
    number = e164(written)
    if number is None:
        raise PydanticCustomError(
            "phone",
            "это не телефонный номер: нужен как +7 495 000-00-00",
            {"en": "this is no telephone number: such as +7 495 000-00-00"},
        )
    return number


def _zone(name: str) -> str:
    try:
        return name and known_zone(name)
    except ValueError:
        raise PydanticCustomError(
            "zone",
            "такого часового пояса нет: нужен как Europe/Moscow",
            {"en": "there is no such time zone: such as Europe/Moscow"},
        ) from None


class CallRequest(BaseModel):
    """Ask this customer about that talk. Empty texts are what is not known."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    phone: Annotated[str, AfterValidator(_number)] = Field(
        min_length=1, max_length=64, description="телефон клиента, как 8 (900) 123-45-67 или +7…"
    )
    survey: str = Field(min_length=1, max_length=64, description="номер опроса, например nps")
    customer: Person = Field(Person(), description="клиент: его номер в вашей CRM и имя")
    timezone: Annotated[str, AfterValidator(_zone)] = Field(
        "", max_length=64, description="часовой пояс клиента, как Asia/Omsk; пусто: по номеру"
    )
    agent: Person = Field(Person(), description="кто говорил с клиентом")
    department: str = Field("", max_length=128, description="его отдел")
    conversation_id: str = Field("", max_length=128, description="номер разговора в вашей CRM")
    about: str = Field("", max_length=256, description="о чём говорили")
    not_before: AwareDatetime | None = Field(
        None, description="не звонить раньше этого времени (RFC 3339, с поясом); нет: как можно скорее"
    )


class RequestState(StrEnum):
    WAITING = "waiting"  # its time has not come, or policy does not allow it now
    QUEUED = "queued"
    DIALLING = "dialling"
    LIVE = "live"
    FINAL = "final"
    REFUSED = "refused"  # nobody was rung: the customer must not be
    SUPERSEDED = "superseded"  # nobody was rung about this talk: the call is about a later one


class RequestedCall(BaseModel):
    """What became of it. `refused` (a code) is set where it is that. `reasons` are why policy does not allow
    it now (`bot.campaigns.reasons.ReasonCode`), and `allowed_at` is the first moment at which they are gone
    by themselves, None where time alone does not help. `superseded_by` is the request about a later talk.
    `attempt_id`, `call_id` and `disposition` are those of its last call, "" before there is one: it may wait
    to be rung again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    state: RequestState
    refused: str = ""
    reasons: tuple[str, ...] = ()
    allowed_at: AwareDatetime | None = None
    superseded_by: str = ""
    attempt_id: str = ""
    call_id: str = ""
    disposition: str = ""


class RequestCall(Protocol):
    """Has calls made that were asked for. `bot.orders_requests.StandingCalls` is one."""

    async def place(self, request_id: str, call: CallRequest, now: datetime) -> bool:
        """See to one that is kept; idempotent. False where that must wait: this customer is on the line about
        another talk. Raises BadInput (NumberBlocked, ZoneUnknown, RequestsStopped, SurveyInvalid) where it
        cannot be, and nothing has come of it then; Unavailable."""

    async def state(self, request_id: str) -> RequestedCall:
        """As of now, of one that was placed."""
