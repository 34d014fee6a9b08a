"""Campaigns, whom each of them is to ring, and the nodes that do it.

What happened to a member is in his attempts; his row says only what comes next. Claims and caps read the
attempts themselves, so a row that lags behind rings nobody too early.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field

from bot.store.tables import Table, moment_field, words_field


class CampaignRow(Table, table=True):
    """`definition` is the JSON of `bot.campaigns.schema.Campaign`, `state` a `CampaignState` of
    `bot.campaigns.facts`. `standing` ones wait for members that come one by one and are never done.
    `reason` says in words why it is in its state."""

    __tablename__ = "campaigns"

    id: str = Field(primary_key=True)
    title: str = ""
    survey_id: str
    definition: str = words_field()
    state: str = Field(default="draft", index=True)
    reason: str = words_field(default="")
    standing: bool = False
    created_at: datetime = moment_field()
    started_at: datetime | None = moment_field(default=None)
    changed_at: datetime = moment_field()


class MemberRow(Table, table=True):
    """One contact of one campaign.

    `next_at` is when he is looked at again, `not_before` the earliest that his retry allows, `cause` why he
    is to be rung again (`RetryCause`), `promised_at` the moment that he was promised, `resume_until` until
    when his interrupted survey is gone on with. `attempt_id` is the attempt in hand, `last_attempt_id` the
    last one that was reckoned with and `last_disposition` as what. `done` is why there is nothing more to
    do (a `ReasonCode`), "" while there is. `refused` are the reasons for which policy refused him last, by
    commas. What the call is about: `agent_id`, `department`, `conversation_id`, `request_id`, as in
    `Attempt`; after `ask_until` that is too long ago to be asked about.
    """

    __tablename__ = "campaign_members"
    __table_args__ = (
        Index("ix_campaign_members_campaign_id_next_at", "campaign_id", "next_at"),
        Index("ix_campaign_members_contact_id", "contact_id"),
        Index("ix_campaign_members_attempt_id", "attempt_id"),
    )

    campaign_id: str = Field(primary_key=True)
    contact_id: str = Field(primary_key=True)
    next_at: datetime | None = moment_field(default=None)
    not_before: datetime | None = moment_field(default=None)
    cause: str = ""
    promised_at: datetime | None = moment_field(default=None)
    resume_until: datetime | None = moment_field(default=None)
    attempt_id: str | None = None
    last_attempt_id: str | None = None
    last_disposition: str = ""
    done: str = ""
    refused: str = words_field(default="")
    refused_at: datetime | None = moment_field(default=None)
    agent_id: str = ""
    department: str = ""
    conversation_id: str = ""
    request_id: str = ""
    ask_until: datetime | None = moment_field(default=None)
    added_at: datetime = moment_field()


class NodeRow(Table, table=True):
    """A node as it said of itself at `seen_at`: what nodes know of each other's lines. `boot` is new with
    every start of it."""

    __tablename__ = "nodes"

    name: str = Field(primary_key=True)
    boot: str
    seen_at: datetime = moment_field()
    free_lines: int = 0
    live: int = 0
    ready: bool = False
