"""Who may sign in, their sessions, what they did, and the links that let a customer take a survey in the
browser.

None of it comes from call events. Secrets are kept as hashes only: of a password by Argon2, of a
session's and a link's token by SHA-256 (they are random, so nothing slower is needed).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON
from sqlmodel import Field

from bot.store.tables import Table, UtcDateTime


class AccountRow(Table, table=True):
    """`login` is as `accounts.login_of` writes it; `agent_id` is the agent whose desk this account opens.
    `must_change`: somebody else knows the password, and nothing is shown before its owner chose another."""

    __tablename__ = "accounts"

    id: str = Field(primary_key=True)
    login: str = Field(unique=True)
    name: str = ""
    role: str
    agent_id: str = Field(default="", index=True)
    password_hash: str
    must_change: bool = False
    created_at: datetime = Field(sa_type=UtcDateTime)


class SessionRow(Table, table=True):
    """Somebody who is signed in. `id` is the SHA-256 of the token in his cookie; `address` is where he signed
    in from, `browser` what it called itself (User-Agent)."""

    __tablename__ = "sessions"

    id: str = Field(primary_key=True)
    account_id: str = Field(index=True)
    created_at: datetime = Field(sa_type=UtcDateTime)
    seen_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)
    address: str = ""
    browser: str = ""


class SurveyLinkRow(Table, table=True):
    """A link to a survey, for one customer. `ticket` is the SHA-256 of the token in the cookie of the
    browser that redeemed it; `call_id` the call that was made there; `phone` the customer's number, where it
    is known, for whoever must ring back."""

    __tablename__ = "survey_links"

    id: str = Field(primary_key=True)
    survey_id: str
    contact_id: str = ""
    first_name: str = ""
    phone: str = ""
    agent_id: str = ""
    department: str = ""
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)
    redeemed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ticket: str = ""
    call_id: str | None = Field(default=None, unique=True)


class AuditRow(Table, table=True):
    """One change of something, or one look at a person's data; rows are only ever added. `action` is a
    verb ("view", "publish"), `subject` and `subject_id` are what it was done to ("call", its id), `details`
    say what changed, never the data that were looked at."""

    __tablename__ = "audit_log"

    id: str = Field(primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime, index=True)
    login: str = Field(index=True)
    role: str
    address: str
    action: str
    subject: str
    subject_id: str = Field(index=True)
    details: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
