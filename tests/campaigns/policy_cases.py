"""A contact and a campaign with which nothing is wrong, and ways to change them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from bot.campaigns.facts import CampaignFacts, CampaignState, ContactFacts, PastRing
from bot.campaigns.schema import Campaign
from bot.core.endings import Disposition
from bot.surveys.schema import Calling as SurveyCalling

NOW = datetime(2026, 12, 2, 9, 0, tzinfo=UTC)
"""A Wednesday, noon in Moscow."""

SURVEY = SurveyCalling(max_attempts=3, hours_between=4.0, earliest="10:00", latest="20:00")


def campaign(
    *, state: str = CampaignState.RUNNING, calling_of_survey: SurveyCalling = SURVEY, **changed: Any
) -> CampaignFacts:
    """Running; `changed` are keys of the file."""
    written: dict[str, Any] = {"id": "autumn", "title": "Осень", "survey": "nps", "purpose": "service"}
    counts = changed.pop("counts", None)
    definition = Campaign.model_validate(written | changed)
    return CampaignFacts(definition, state, "nps", calling_of_survey, counts)


def contact(**changed: Any) -> ContactFacts:
    """In Moscow, never rung; `changed` are facts."""
    facts: dict[str, Any] = {
        "contact_id": "c1",
        "tz": "Europe/Moscow",
        "do_not_call": False,
        "consent": None,
        "on_the_line": False,
        "rings": (),
    }
    return ContactFacts(**(facts | changed))


def ring(
    disposition: Disposition | None,
    ago: timedelta = timedelta(days=3),
    *,
    of: str = "autumn",
    survey: str = "nps",
    promised_at: datetime | None = None,
    for_promise: bool = False,
    now: datetime = NOW,
) -> PastRing:
    """Dialled so long before `now`, and over a minute later where it is over."""
    at = now - ago
    ended = None if disposition is None else at + timedelta(minutes=1)
    return PastRing(f"a{ago}", of, survey, at, disposition, ended, promised_at, for_promise)
