"""May this contact be rung for this campaign at this moment?

Fail-closed: what is not known refuses, with its own reason, and all reasons are told, not the first alone.
The engine asks when it chooses whom to ring, and once more with fresh facts in the transaction that claims
the attempt.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.campaigns.facts import CampaignFacts, CampaignState, ContactFacts
from bot.campaigns.frequency import too_often
from bot.campaigns.promises import open_promise
from bot.campaigns.quotas import unwanted
from bot.campaigns.reasons import Reason, ReasonCode, ReasonKind
from bot.campaigns.retries import Again, Over, after_ring, own_rings
from bot.campaigns.windows import Closed, Window, window_in
from bot.core.errors import BadInput
from bot.triage.working_days import require_country


@dataclass(frozen=True, slots=True)
class Allowed:
    """Dial now. `for_promise` is whether the ring keeps a promise: it must be stored with the attempt
    (`PastRing.for_promise`)."""

    for_promise: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """`reasons` are all that hold now, at least one. `not_before` is the first moment at which he may be
    rung if nothing but the time changes; None where time alone does not help."""

    reasons: tuple[Reason, ...]
    not_before: datetime | None = None

    @property
    def final(self) -> bool:
        """Whether he is done with in this campaign, whatever happens."""
        return any(reason.kind is ReasonKind.FINAL for reason in self.reasons)


Decision = Allowed | Refused


def may_dial(contact: ContactFacts, campaign: CampaignFacts, now: datetime) -> Decision:
    """Raises ValueError for a `now` without a zone: that would be nobody's time."""
    if now.tzinfo is None:
        raise ValueError("a moment without a time zone")
    window = window_of(contact, campaign)
    case = _Case(contact, campaign, window)
    standing = (*_of_campaign(campaign), *unwanted(contact, campaign), *_of_contact(contact, campaign))
    reasons = (*standing, *case.history(), *case.stale(now), *case.closed(now), *case.waits(now))
    if not reasons:
        return Allowed(for_promise=case.promise is not None)
    if any(reason.kind is not ReasonKind.TIME for reason in reasons):
        return Refused(reasons)
    first = case.first_allowed(now)
    if isinstance(first, Reason):
        return Refused((*reasons, first))
    too_late = tuple(case.stale(first))
    return Refused((*reasons, *too_late), None if too_late else first)


def window_of(contact: ContactFacts, campaign: CampaignFacts) -> Window | Reason:
    """When he may be rung for this campaign, or why that cannot be known."""
    if not contact.tz:
        return Reason(ReasonCode.NO_ZONE)
    try:
        zone = ZoneInfo(contact.tz)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return Reason(ReasonCode.UNKNOWN_ZONE, detail=contact.tz)
    country = contact.country or campaign.definition.calling.country
    try:
        require_country(country)
    except BadInput:
        return Reason(ReasonCode.UNKNOWN_COUNTRY, detail=country)
    return window_in(zone, country, campaign.definition, campaign.survey_calling)


class _Case:
    """One question to the policy: what does not depend on the moment is worked out once."""

    def __init__(self, contact: ContactFacts, campaign: CampaignFacts, window: Window | Reason) -> None:
        self._contact = contact
        self._campaign = campaign
        self._window = window
        self._rings = contact.rings or ()
        own = own_rings(self._rings, campaign)
        self.promise = open_promise(contact, own)
        self._next = after_ring(own, campaign, random=lambda: 0.0)
        self._kept = sum(ring.for_promise for ring in own)

    def history(self) -> Iterator[Reason]:
        """What his calls of this campaign have come to, if that ends it."""
        if self._contact.rings is None:
            yield Reason(ReasonCode.HISTORY_UNKNOWN)
        over = self._next.reason if isinstance(self._next, Over) else None
        limit = self._campaign.definition.retries.promised.limit
        if self.promise is not None and (over is None or over.code in _GIVE_WAY_TO_A_PROMISE):
            used = self._kept >= limit
            over = Reason(ReasonCode.PROMISES_USED, detail=str(limit)) if used else None
        if over is not None:
            yield over

    def stale(self, now: datetime) -> Iterator[Reason]:
        """Whether there is nothing left to ask about. A promised time is kept all the same."""
        until = self._contact.ask_until
        if until is not None and now > until and self.promise is None:
            yield Reason(ReasonCode.STALE)

    def closed(self, now: datetime) -> Iterator[Reason]:
        """Why it is not his hour."""
        window = self._window
        if isinstance(window, Reason):
            yield window
            return
        why = window.why_closed(now)
        if why is None:
            return
        opens = window.next_open(now)
        if opens is None:
            over = why is Closed.ENDED or window.ends is not None
            yield Reason(ReasonCode.ENDED if over else ReasonCode.NO_HOURS)
        else:
            yield Reason(ReasonCode(why.value), opens)

    def waits(self, now: datetime) -> Iterator[Reason]:
        """What must pass since his calls. A promised time stands in for all of it: he asked for it."""
        if self.promise is not None:
            if self.promise > now:
                yield Reason(ReasonCode.PROMISED_LATER, self.promise)
            return
        bounds = [self._contact.next_at] if self._contact.next_at else []
        if isinstance(self._next, Again):
            bounds.append(self._next.at)
        if bounds and (earliest := max(bounds)) > now:
            yield Reason(ReasonCode.TOO_EARLY, earliest)
        yield from too_often(self._rings, self._campaign, now)

    def first_allowed(self, now: datetime) -> datetime | Reason:
        """The first moment at which no reason of time holds, or why there is none. Each holds without a gap
        until its own `not_before`, so nothing is passed over by going on from the latest of them."""
        moment = now
        while reasons := (*self.closed(moment), *self.waits(moment)):
            never = next((reason for reason in reasons if reason.not_before is None), None)
            if never is not None:
                return never
            moment = max(reason.not_before for reason in reasons if reason.not_before is not None)
        return moment


_GIVE_WAY_TO_A_PROMISE = frozenset({ReasonCode.ATTEMPTS_USED, ReasonCode.CAUSE_LIMIT, ReasonCode.HUMAN_CALLS})

_STATES = {
    CampaignState.DRAFT: ReasonCode.DRAFT,
    CampaignState.PAUSED: ReasonCode.PAUSED,
    CampaignState.DRAINING: ReasonCode.DRAINING,
    CampaignState.STOPPED: ReasonCode.STOPPED,
    CampaignState.DONE: ReasonCode.DONE,
}


def _of_campaign(campaign: CampaignFacts) -> Iterator[Reason]:
    if campaign.state == CampaignState.RUNNING:
        return
    if campaign.state in _STATES:
        yield Reason(_STATES[CampaignState(campaign.state)], detail=campaign.why)
    else:
        yield Reason(ReasonCode.UNKNOWN_STATE, detail=campaign.state)


def _of_contact(contact: ContactFacts, campaign: CampaignFacts) -> Iterator[Reason]:
    if contact.withdrawn:
        yield Reason(ReasonCode.WITHDRAWN)
    if contact.do_not_call is None:
        yield Reason(ReasonCode.DO_NOT_CALL_UNKNOWN)
    elif contact.do_not_call:
        yield Reason(ReasonCode.DO_NOT_CALL, detail=contact.do_not_call_source)
    if campaign.definition.needs_consent and not contact.consent:
        unknown = contact.consent is None
        yield Reason(ReasonCode.CONSENT_UNKNOWN if unknown else ReasonCode.NO_CONSENT)
    alive = any(ring.disposition is None for ring in contact.rings or ())
    if contact.on_the_line or alive:
        yield Reason(ReasonCode.ON_THE_LINE)
    elif contact.on_the_line is None:
        yield Reason(ReasonCode.ON_THE_LINE_UNKNOWN)
