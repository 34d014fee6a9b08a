"""What is told to other systems, and what they may ask: webhooks, the API's tokens, calls they asked for.

A delivery is the outbox: its row is written in the transaction that projects the call event which it
tells of. It holds no personal data: the message is made of the call's events when it is sent.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index
from sqlmodel import Field

from bot.store.tables import Table, moment_field, words_field


class EventName(StrEnum):
    """What an endpoint may ask to be told."""

    CALL_COMPLETED = "call.completed"  # the call is over, whatever its disposition
    SCORE_LOW = "score.low"  # of a call that is over, with a low score that stands
    CONTACT_OPTED_OUT = "contact.opted_out"
    HANDOVER_CONNECTED = "handover.connected"
    HANDOVER_FAILED = "handover.failed"
    CASE_OPENED = "case.opened"
    ALERT_LOW_SCORE = "alert.low_score"  # the first low score of a call, while it still goes on
    ALERT_OPT_OUT_WAVE = "alert.opt_out_wave"  # many ask never to be called again: about no single call


class DeliveryStatus(StrEnum):
    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"  # given up: sent again only by hand


class WebhookEndpointRow(Table, table=True):
    """Where messages go. `events` are names with a comma before and after each. `secret` signs, so it
    has to be kept as it is. `personal`: with phones and words; `private`: may stand on an address that is
    not public. `disabled_why` is said where `disabled_at` is set: told nothing until it is enabled."""

    __tablename__ = "webhook_endpoints"

    id: str = Field(primary_key=True)
    name: str = Field(unique=True)
    url: str
    secret: str
    events: str
    personal: bool = False
    private: bool = False
    created_at: datetime = moment_field()
    disabled_at: datetime | None = moment_field(default=None)
    disabled_why: str = ""


class WebhookDeliveryRow(Table, table=True):
    """One message for one endpoint. `message_id` is the `webhook-id`, the same at every try; the message
    tells of the call up to its event `seq`, or, with no `call_id`, of the alert that has its id. A sender
    holds it until `claimed_until`. `sent_tries` counts since it was last set going."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (Index("ix_webhook_deliveries_status_next_at", "status", "next_at"),)

    id: str = Field(primary_key=True)
    endpoint_id: str = Field(index=True)
    message_id: str
    event: str
    call_id: str = Field(index=True)
    seq: int
    at: datetime = moment_field()
    status: str = DeliveryStatus.WAITING
    tries: int = 0
    next_at: datetime = moment_field()
    claimed_until: datetime | None = moment_field(default=None)
    done_at: datetime | None = moment_field(default=None)


class WebhookTryRow(Table, table=True):
    """One try, as it went: `status` is HTTP's, None where no answer came, and `error` says why. Of the
    answer's body the beginning is kept."""

    __tablename__ = "webhook_tries"

    id: str = Field(primary_key=True)
    delivery_id: str = Field(index=True)
    at: datetime = moment_field(index=True)
    duration_ms: int
    status: int | None = None
    error: str = words_field(default="")
    body_head: str = words_field(default="")


class ApiTokenRow(Table, table=True):
    """A program that may use the API. `id` is the SHA-256 of its token; `scopes` are parted by commas."""

    __tablename__ = "api_tokens"

    id: str = Field(primary_key=True)
    name: str = Field(unique=True)
    scopes: str
    created_at: datetime = moment_field()
    expires_at: datetime | None = moment_field(default=None)
    used_at: datetime | None = moment_field(default=None)
    revoked_at: datetime | None = moment_field(default=None)


class CallRequestRow(Table, table=True):
    """A call that another system asked for. `id` follows from who asked (`asked_by`, a token's name) and
    its idempotency key; `body_hash` is the SHA-256 of `json`, a `bot.core.requests.CallRequest`. It is
    taken up when it is due: then `contact_id` waits in `campaign_id`. `superseded_by` is the request about a
    later talk with him that took its place; `refused` is why nothing came of it (the code of an error, or a
    `bot.campaigns.reasons.ReasonCode`)."""

    __tablename__ = "call_requests"
    __table_args__ = (Index("ix_call_requests_taken_up_at_due_at", "taken_up_at", "due_at"),)

    id: str = Field(primary_key=True)
    asked_by: str
    body_hash: str
    json_: str = words_field(sa_column_kwargs={"name": "json"})
    created_at: datetime = moment_field()
    due_at: datetime = moment_field()
    taken_up_at: datetime | None = moment_field(default=None)
    refused: str = ""
    campaign_id: str = ""
    contact_id: str = ""
    superseded_by: str = ""
