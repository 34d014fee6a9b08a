"""Why somebody is not rung: stable codes for programs, and what each of them means for what comes next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ReasonCode(StrEnum):
    # The campaign.
    DRAFT = "draft"
    PAUSED = "paused"
    DRAINING = "draining"
    STOPPED = "stopped"
    DONE = "done"
    UNKNOWN_STATE = "unknown_state"
    TARGET_REACHED = "target_reached"
    TARGET_UNDER_WAY = "target_under_way"
    QUOTA_REACHED = "quota_reached"
    QUOTA_UNDER_WAY = "quota_under_way"
    QUOTA_UNKNOWN = "quota_unknown"
    # The contact.
    WITHDRAWN = "withdrawn"
    STALE = "stale"
    DO_NOT_CALL = "do_not_call"
    DO_NOT_CALL_UNKNOWN = "do_not_call_unknown"
    NO_CONSENT = "no_consent"
    CONSENT_UNKNOWN = "consent_unknown"
    ON_THE_LINE = "on_the_line"
    ON_THE_LINE_UNKNOWN = "on_the_line_unknown"
    NO_ZONE = "no_zone"
    UNKNOWN_ZONE = "unknown_zone"
    UNKNOWN_COUNTRY = "unknown_country"
    # What was already tried.
    HISTORY_UNKNOWN = "history_unknown"
    TALKED = "talked"
    BAD_NUMBER = "bad_number"
    DECLINED = "declined"
    HUMAN_CALLS = "human_calls"
    ATTEMPTS_USED = "attempts_used"
    CAUSE_LIMIT = "cause_limit"
    PROMISES_USED = "promises_used"
    # The time.
    NOT_STARTED = "not_started"
    ENDED = "ended"
    CLOSED_DAY = "closed_day"
    HOLIDAY = "holiday"
    NO_HOURS_TODAY = "no_hours_today"
    OUTSIDE_HOURS = "outside_hours"
    NO_HOURS = "no_hours"
    TOO_EARLY = "too_early"
    PROMISED_LATER = "promised_later"
    RINGS_PER_DAY = "rings_per_day"
    RINGS_PER_WEEK = "rings_per_week"
    SAME_SURVEY = "same_survey"
    ANY_SURVEY = "any_survey"


class ReasonKind(StrEnum):
    """`time` passes by itself at `not_before`; `standing` holds until somebody or something changes the
    facts; `final` never passes: the member is done with."""

    TIME = "time"
    STANDING = "standing"
    FINAL = "final"


_TIME = frozenset(
    {
        ReasonCode.NOT_STARTED,
        ReasonCode.CLOSED_DAY,
        ReasonCode.HOLIDAY,
        ReasonCode.NO_HOURS_TODAY,
        ReasonCode.OUTSIDE_HOURS,
        ReasonCode.TOO_EARLY,
        ReasonCode.PROMISED_LATER,
        ReasonCode.RINGS_PER_DAY,
        ReasonCode.RINGS_PER_WEEK,
        ReasonCode.SAME_SURVEY,
        ReasonCode.ANY_SURVEY,
    }
)
_FINAL = frozenset(
    {
        ReasonCode.STOPPED,
        ReasonCode.DONE,
        ReasonCode.TARGET_REACHED,
        ReasonCode.QUOTA_REACHED,
        ReasonCode.WITHDRAWN,
        ReasonCode.STALE,
        ReasonCode.TALKED,
        ReasonCode.BAD_NUMBER,
        ReasonCode.DECLINED,
        ReasonCode.HUMAN_CALLS,
        ReasonCode.ATTEMPTS_USED,
        ReasonCode.CAUSE_LIMIT,
        ReasonCode.PROMISES_USED,
        ReasonCode.ENDED,
    }
)


@dataclass(frozen=True, slots=True)
class Reason:
    """`not_before` is the first moment at which this one reason is gone, for the kind `time` alone.
    `detail` is what the words name beside it: a quota, a list, a count, a zone."""

    code: ReasonCode
    not_before: datetime | None = None
    detail: str = ""

    @property
    def kind(self) -> ReasonKind:
        if self.code in _TIME:
            return ReasonKind.TIME
        return ReasonKind.FINAL if self.code in _FINAL else ReasonKind.STANDING
