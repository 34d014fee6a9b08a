"""What is stored. SQL is the truth that everybody reads; call events are its only source for calls.

Rows that are projected from events carry no foreign keys: an event is never refused, whatever else
was lost. What is one and only one is held by the database itself: one answer for each question of a
call, and never two outbound calls at once for one contact.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, DateTime, Index, Text, UniqueConstraint, text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, MetaData, SQLModel


class UtcDateTime(TypeDecorator[datetime]):
    """A moment. Aware in, aware in UTC out; SQLite keeps it without a zone, PostgreSQL as timestamptz."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Table(SQLModel):
    """The root of our tables; its metadata names every constraint, so that migrations can, too."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def moment_field(**options: Any) -> Any:
    return Field(sa_type=UtcDateTime, **options)


def words_field(**options: Any) -> Any:
    return Field(sa_type=Text, **options)


class AttemptStatus(StrEnum):
    """Only ever goes forward, in this order."""

    QUEUED = "queued"
    DIALLING = "dialling"  # committed before the INVITE, under a lease
    LIVE = "live"
    FINAL = "final"


class HandoverOutcome(StrEnum):
    STARTED = "started"
    RINGING = "ringing"
    CONNECTED = "connected"
    FAILED = "failed"
    ENDED = "ended"


class CallbackStatus(StrEnum):
    OPEN = "open"
    DONE = "done"
    WITHDRAWN = "withdrawn"


class SurveyRow(Table, table=True):
    """A published survey: never changed, known by the hash of its content."""

    __tablename__ = "surveys"

    hash: str = Field(primary_key=True)
    id: str = Field(index=True)
    version: str
    title: str = ""
    json_: str = words_field(sa_column_kwargs={"name": "json"})
    published_at: datetime = moment_field()


class Contact(Table, table=True):
    """A customer. `phone` is `phones.phone_key(phone_uri)`; one contact for one phone.

    `external_id` is the company's own name for him, one contact each; "" where it gave none. `tz` is ""
    where his zone is not known. `manager_id` is the agent who looks after him; "" where none does.
    `other_phones` are further keys, by commas, each perhaps with `;ext=NUMBER`. `own_fields` is a JSON
    object of text: whatever else the company told. `import_id` is the import that told of him last.
    `do_not_call_at` is his own wish and goes with him to a new number.
    """

    __tablename__ = "contacts"
    __table_args__ = (
        Index(
            "uq_contacts_external_id",
            "external_id",
            unique=True,
            sqlite_where=text("external_id <> ''"),
            postgresql_where=text("external_id <> ''"),
        ),
    )

    id: str = Field(primary_key=True)
    phone: str = Field(unique=True)
    phone_uri: str
    first_name: str = ""
    middle_name: str = ""
    last_name: str = ""
    language: str = "ru"
    tz: str = ""
    manager_id: str = ""
    created_at: datetime = moment_field()
    do_not_call_at: datetime | None = moment_field(default=None)
    external_id: str = ""
    extension: str = ""
    other_phones: str = ""
    department: str = ""
    region: str = ""
    city: str = ""
    own_fields: str = words_field(default="")
    import_id: str = Field(default="", index=True)
    updated_at: datetime | None = moment_field(default=None)


class Attempt(Table, table=True):
    """One dialling of one contact, or one call that came in.

    `worker` and `lease_until` say who vouches that the call still lives, and until when.
    `conversation_id` is the company's own name for the talk that the call is about; `attribution` the
    JSON of `bot.core.attribution.Attribution` ("" for a call that we placed).
    Of a campaign's attempt: `due_at` is when it was decided on, `number` the how-manieth ring it is,
    `cause` why the contact is rung again ("" the first time), `resumes` the interrupted attempt whose survey
    goes on ("" for none). `request_id` is the `CallRequestRow` that asked for it, "" where none did.
    `disposition` is set exactly when `status` is final; `end_cause` when the call itself told its end.
    `asked_at` is when the first question was put. `erased` is how much of it is gone, a
    `bot.store.tables_privacy.Erased`; of who was erased, `phone` and `contact_id` are an alias of his own.
    """

    __tablename__ = "attempts"
    __table_args__ = (
        Index(
            "uq_attempts_one_live_invite",
            "contact_id",
            unique=True,
            sqlite_where=text("direction = 'outbound' AND status IN ('dialling', 'live')"),
            postgresql_where=text("direction = 'outbound' AND status IN ('dialling', 'live')"),
        ),
        Index("ix_attempts_status_created_at", "status", "created_at"),
        Index("ix_attempts_created_at", "created_at"),
        Index("ix_attempts_phone_created_at", "phone", "created_at"),
        Index("ix_attempts_agent_id_created_at", "agent_id", "created_at"),
        Index("ix_attempts_disposition_created_at", "disposition", "created_at"),
        Index("ix_attempts_erased_created_at", "erased", "created_at"),
        CheckConstraint("(status = 'final') = (disposition IS NOT NULL)", name="one_outcome"),
    )

    id: str = Field(primary_key=True)
    contact_id: str | None = Field(default=None, index=True)
    survey_id: str = Field(index=True)
    survey_hash: str
    direction: str
    to_uri: str
    phone: str = Field(index=True)
    agent_id: str = ""
    department: str = ""
    conversation_id: str = Field(default="", index=True)
    attribution: str = words_field(default="")
    campaign_id: str | None = Field(default=None, index=True)
    due_at: datetime | None = moment_field(default=None)
    number: int = 0
    cause: str = ""
    resumes: str = ""
    request_id: str = Field(default="", index=True)
    status: str = AttemptStatus.QUEUED
    worker: str = ""
    lease_until: datetime | None = moment_field(default=None)
    call_id: str | None = Field(default=None, unique=True)
    disposition: str | None = None
    end_cause: str | None = None
    end_status: int | None = None
    duration_s: float | None = None
    recording: str = ""
    created_at: datetime = moment_field()
    dialled_at: datetime | None = moment_field(default=None)
    answered_at: datetime | None = moment_field(default=None)
    asked_at: datetime | None = moment_field(default=None)
    ended_at: datetime | None = moment_field(default=None)
    erased: int = Field(default=0, sa_column_kwargs={"server_default": "0"})


class CallEventRow(Table, table=True):
    """One call event as it was spooled. `projected` is False where the other tables could not take it."""

    __tablename__ = "call_events"

    event_id: str = Field(primary_key=True)
    call_id: str = Field(index=True)
    seq: int
    at: datetime = moment_field(index=True)
    kind: str
    json_: str = words_field(sa_column_kwargs={"name": "json"})
    projected: bool = True


class AnswerRow(Table, table=True):
    """The outcome of one question of one call; a later answer to the same question replaces it.

    `value` is the answer as text (a list of choices joined by commas), `number` the same where it
    is a number.
    """

    __tablename__ = "answers"
    __table_args__ = (UniqueConstraint("call_id", "question_id"),)

    event_id: str = Field(primary_key=True)
    call_id: str
    seq: int
    attempt_id: str | None = Field(default=None, index=True)
    survey_hash: str = Field(default="", index=True)
    question_id: str
    kind: str
    status: str
    value: str | None = words_field(default=None)
    number: float | None = None
    confidence: float
    source: str
    heard: str = words_field(default="")
    at: datetime = moment_field()


class DoNotCall(Table, table=True):
    """A phone that is never rung again. `phone` is a `phones.phone_key`.

    `source` is `call` (said in the call `call_id`, in these `words`), `hand`, `list:NAME` or `import:FILE`;
    then `words` say why, and `by` is who did it.
    """

    __tablename__ = "do_not_call"

    phone: str = Field(primary_key=True)
    at: datetime = moment_field()
    call_id: str = ""
    words: str = words_field(default="")
    source: str = Field(default="call", index=True)
    by: str = ""


class Handover(Table, table=True):
    """One try to pass a caller on to a human; `id` is that of the event that began it. `agent_id` is
    who was rung last, and with whom the caller was joined if he was. `holds` is how often the agent held
    him from his desk and `held_s` for how long in all; None where that is not known: the talk did not go
    through us, or is from before holds were written down."""

    __tablename__ = "handovers"

    id: str = Field(primary_key=True)
    call_id: str = Field(index=True)
    target: str
    form: str
    reason: str = words_field(default="")
    outcome: str = HandoverOutcome.STARTED
    failure: str = words_field(default="")
    started_at: datetime = moment_field()
    connected_at: datetime | None = moment_field(default=None)
    ended_at: datetime | None = moment_field(default=None)
    ended_by: str = ""
    talk_s: float | None = None
    holds: int | None = None
    held_s: float | None = None
    agent_id: str = ""


class CallbackRow(Table, table=True):
    """Somebody is owed a call, by `owner_id` until `due_at` where an agent promised it. `when_said` is
    the caller's own words about the time."""

    __tablename__ = "callbacks"

    id: str = Field(primary_key=True)
    call_id: str = Field(index=True)
    attempt_id: str | None = Field(default=None, index=True)
    phone: str = ""
    promised_by: str
    when_said: str = words_field(default="")
    reason: str = words_field(default="")
    status: str = CallbackStatus.OPEN
    promised_at: datetime = moment_field()
    owner_id: str = Field(default="", index=True)
    due_at: datetime | None = moment_field(default=None)


class SpoolOffset(Table, table=True):
    """How far a spool's segment has been drained into this database."""

    __tablename__ = "spool_offsets"

    segment: str = Field(primary_key=True)
    end: int = Field(sa_column_kwargs={"name": "drained_to"})
