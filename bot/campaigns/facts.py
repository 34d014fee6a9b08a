"""What the dial policy knows when it is asked: frozen, and read by the engine at the moment of asking.

None means that it is not known, and what is not known refuses the call.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.campaigns.schema import Campaign
from bot.core.endings import Disposition
from bot.surveys.schema import Calling as SurveyCalling


class CampaignState(StrEnum):
    """`draining` and `paused` dial nobody new, and what rings or talks goes on. `stopped` and `done` are
    final."""

    DRAFT = "draft"
    RUNNING = "running"
    PAUSED = "paused"
    DRAINING = "draining"
    STOPPED = "stopped"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class PastRing:
    """One outbound attempt that was dialled, of any campaign or none (`campaign_id` "").

    `at` is when it was dialled. `disposition` is None while it is dialling or live. `promised_at` is the
    time that the customer named in this call (disposition `callback`). `for_promise` tells that this ring
    itself kept such a promise: it is not counted against the attempts.
    """

    attempt_id: str
    campaign_id: str
    survey_id: str
    at: datetime
    disposition: Disposition | None
    ended_at: datetime | None = None
    promised_at: datetime | None = None
    for_promise: bool = False


@dataclass(frozen=True, slots=True)
class ContactFacts:
    """One contact as a member of one campaign.

    `tz` is his zone by its IANA name, "" where it is not known. `country` is whose holidays he keeps, ""
    for the campaign's. `do_not_call` is what the lists and his own words say, `do_not_call_source` where that
    stands (`call`, `list:NAME` …), for people. `consent` is whether one is on record that was not
    withdrawn. `on_the_line` is whether he has a call now, in either direction. `rings` are all his rings of
    at least the longest span of the campaign's rules, of all campaigns, in any order. `next_at` is the
    earliest moment that the last attempt's retry allows, `promised_at` a time that he was promised and
    that is not kept yet. After `ask_until` the talk that he is to be asked about is too long
    ago. `withdrawn` is whether he was taken out of the campaign. `attributes` are what quotas ask for
    (`department`, `region` …).
    """

    contact_id: str
    tz: str
    do_not_call: bool | None
    consent: bool | None
    on_the_line: bool | None
    rings: tuple[PastRing, ...] | None
    next_at: datetime | None = None
    promised_at: datetime | None = None
    withdrawn: bool = False
    ask_until: datetime | None = None
    country: str = ""
    do_not_call_source: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class QuotaCount:
    """Of the contacts whom a quota is for: completed surveys, and calls that ring or talk now."""

    completed: int
    under_way: int = 0


TARGET = ""
"""The key of the whole campaign among `CampaignFacts.counts`; the others are ids of quotas."""


@dataclass(frozen=True, slots=True)
class CampaignFacts:
    """A campaign now. `state` is a `CampaignState`; any other word refuses. `survey_id` without a version.
    `survey_calling` is the published survey's `calling`. `counts` are needed for what has a limit
    only: `TARGET` and the quotas' ids. `why` says in words why it is paused or stopped."""

    definition: Campaign
    state: str
    survey_id: str
    survey_calling: SurveyCalling
    counts: Mapping[str, QuotaCount] | None = None
    why: str = ""

    @property
    def attempts(self) -> int:
        """How often one customer is rung: what the campaign says, and no oftener than the survey does."""
        own, of_survey = self.definition.retries.attempts, self.survey_calling.max_attempts
        return of_survey if own is None else min(own, of_survey)
