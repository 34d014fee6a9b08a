"""What holds for every contact, campaign and moment: nobody is rung outside his hours, no added cause ever
allows a call, and the first allowed moment is the first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from bot.campaigns.facts import TARGET, CampaignFacts, ContactFacts, PastRing, QuotaCount
from bot.campaigns.policy import Allowed, Refused, may_dial
from bot.campaigns.reasons import ReasonKind
from bot.core.endings import Disposition, retry_cause
from bot.surveys.schema import Calling as SurveyCalling
from tests.campaigns.clocks import ODD_CLOCKS, inside, is_working_day
from tests.campaigns.policy_cases import NOW, campaign, contact, ring

HOURS = {"mon-fri 10:00-20:00": (10 * 60, 20 * 60), "mon-sun 09:30-19:00": (9 * 60 + 30, 19 * 60)}
SURVEY_HOURS = ("10:00", "20:30")
AGAIN = [each for each in Disposition if retry_cause(each) is not None and each != Disposition.CALLBACK]
UNSEEN = ["other", ""]


@st.composite
def times(draw: st.DrawFn) -> tuple[str, datetime]:
    """A zone, and a moment of some days around the day on which something is the matter with it."""
    tz, day = draw(st.sampled_from(ODD_CLOCKS))
    noon = datetime.combine(day, time(12), tzinfo=ZoneInfo(tz)).astimezone(UTC)
    return tz, noon + timedelta(seconds=draw(st.integers(-3 * 86_400, 3 * 86_400)))


@st.composite
def rings(draw: st.DrawFn, now: datetime) -> PastRing:
    """Of this campaign or another, over or not, up to five weeks ago, or by a clock that is ahead."""
    own = draw(st.booleans())
    kinds = AGAIN if own else [*Disposition, None]
    ago = timedelta(seconds=draw(st.integers(-600, 35 * 86_400)))
    at = now - ago
    disposition = draw(st.sampled_from(kinds))
    return PastRing(
        attempt_id=draw(st.text("ab", max_size=3)),
        campaign_id="autumn" if own else draw(st.sampled_from(UNSEEN)),
        survey_id=draw(st.sampled_from(["nps", "csat"])),
        at=at,
        disposition=disposition,
        ended_at=at + timedelta(seconds=draw(st.integers(0, 300))) if disposition else None,
        for_promise=draw(st.booleans()),
    )


@st.composite
def cases(draw: st.DrawFn) -> tuple[ContactFacts, CampaignFacts, datetime]:
    """Anybody, mostly somebody who may be rung now or soon."""
    tz, now = draw(times())
    hours = draw(st.sampled_from(sorted(HOURS)))
    which = campaign(
        calling_of_survey=SurveyCalling(earliest=SURVEY_HOURS[0], latest=SURVEY_HOURS[1], max_attempts=5),
        calling={"hours": hours, "holidays": draw(st.booleans())},
        frequency={"rings_per_day": draw(st.integers(1, 3)), "rings_per_week": draw(st.integers(1, 6))},
    )
    who = contact(
        tz=tz,
        rings=tuple(draw(st.lists(rings(now), max_size=4))),
        next_at=draw(st.none() | st.integers(-100, 40 * 3600).map(lambda s: now + timedelta(seconds=s))),
        promised_at=draw(st.none() | st.integers(-9000, 90_000).map(lambda s: now + timedelta(seconds=s))),
    )
    return who, which, now


def hours_of(which: CampaignFacts) -> Callable[[datetime], tuple[int, int] | None]:
    """By the calendar and the file alone: the frame, the campaign's hours and the survey's, all at once."""
    own = HOURS[str(which.definition.calling.hours)]
    weekend_too = str(which.definition.calling.hours).startswith("mon-sun")

    def opens(day: datetime) -> tuple[int, int] | None:
        working = is_working_day(day)
        weekend = day.weekday() > 4
        holiday = not working and not weekend
        if (weekend and not working and not weekend_too) or (
            holiday and not which.definition.calling.holidays
        ):
            return None
        frame = (9 * 60, 21 * 60 if working else 20 * 60)
        return max(own[0], frame[0], 10 * 60), min(own[1], frame[1], 20 * 60 + 30)

    return opens


@given(cases())
@settings(max_examples=150, deadline=None)
def test_no_call_is_outside_its_hours(case: tuple[ContactFacts, CampaignFacts, datetime]) -> None:
    who, which, now = case
    if isinstance(may_dial(who, which, now), Allowed):
        assert inside(now, who.tz, hours_of(which))


CAUSES: list[Callable[[ContactFacts, CampaignFacts], tuple[ContactFacts, CampaignFacts]]] = [
    lambda who, which: (replace(who, do_not_call=True), which),
    lambda who, which: (replace(who, do_not_call=None), which),
    lambda who, which: (replace(who, on_the_line=True), which),
    lambda who, which: (replace(who, on_the_line=None), which),
    lambda who, which: (replace(who, withdrawn=True), which),
    lambda who, which: (replace(who, tz=""), which),
    lambda who, which: (replace(who, tz="Mars/Olympus"), which),
    lambda who, which: (replace(who, country="QQ"), which),
    lambda who, which: (replace(who, rings=None), which),
    lambda who, which: (replace(who, rings=(*(who.rings or ()), ring(None, of="x"))), which),
    lambda who, which: (replace(who, rings=(*(who.rings or ()), ring(Disposition.COMPLETED))), which),
    lambda who, which: (who, replace(which, state="paused")),
    lambda who, which: (who, replace(which, state="stopped")),
    lambda who, which: (who, replace(which, state="")),
    lambda who, which: (who, with_rules(which, purpose="marketing")),
    lambda who, which: (who, with_rules(which, ends=date(1970, 1, 1))),
    lambda who, which: (who, with_rules(which, starts=date(2090, 1, 1))),
    lambda who, which: (who, with_rules(which, target=1)),
    lambda who, which: (who, replace(with_rules(which, target=1), counts={TARGET: QuotaCount(0, 1)})),
]


def with_rules(which: CampaignFacts, **changed: Any) -> CampaignFacts:
    return replace(which, definition=which.definition.model_copy(update=changed))


@given(cases(), st.lists(st.integers(0, len(CAUSES) - 1), min_size=1, max_size=6))
@settings(max_examples=150, deadline=None)
def test_a_cause_that_is_added_never_allows_a_call(
    case: tuple[ContactFacts, CampaignFacts, datetime], causes: list[int]
) -> None:
    who, which, now = case
    for cause in causes:
        who, which = CAUSES[cause](who, which)
        told = may_dial(who, which, now)
        assert isinstance(told, Refused)
        assert told.reasons


@given(cases(), st.lists(st.floats(0, 1, exclude_max=True), max_size=8))
@example(
    (contact(next_at=NOW), campaign(calling={"hours": "mon-fri 10-20"}), NOW - timedelta(days=1)), [0.999]
)
@settings(max_examples=150, deadline=None)
def test_the_first_allowed_moment_is_allowed_and_none_before_it(
    case: tuple[ContactFacts, CampaignFacts, datetime], between: list[float]
) -> None:
    who, which, now = case
    told = may_dial(who, which, now)
    assume(isinstance(told, Refused) and told.not_before is not None)
    assert isinstance(told, Refused)
    first = told.not_before
    assert first is not None
    assert first > now
    assert isinstance(may_dial(who, which, first), Allowed)
    last = first - timedelta(microseconds=1)
    for moment in (last, *(min(last, now + share * (first - now)) for share in between)):
        earlier = may_dial(who, which, moment)
        assert isinstance(earlier, Refused)
        assert earlier.not_before == first


@given(cases())
@settings(max_examples=100, deadline=None)
def test_what_time_alone_does_not_change_has_no_first_moment(
    case: tuple[ContactFacts, CampaignFacts, datetime],
) -> None:
    """And what it does has one: for each reason, and for all of them together not before any."""
    who, which, now = case
    told = may_dial(who, which, now)
    if isinstance(told, Allowed):
        return
    kinds = {reason.kind for reason in told.reasons}
    assert (told.not_before is not None) is (kinds == {ReasonKind.TIME})
    for reason in told.reasons:
        assert (reason.not_before is not None) is (reason.kind is ReasonKind.TIME)
        if reason.not_before is not None and told.not_before is not None:
            assert now < reason.not_before <= told.not_before


@given(cases(), st.permutations(range(4)))
@settings(max_examples=60, deadline=None)
def test_the_order_in_which_rings_are_read_makes_no_difference(
    case: tuple[ContactFacts, CampaignFacts, datetime], order: list[int]
) -> None:
    who, which, now = case
    past = who.rings or ()
    assume(len({(each.at, each.attempt_id) for each in past}) == len(past))
    mixed = tuple(past[place] for place in order if place < len(past))
    assert may_dial(replace(who, rings=mixed), which, now) == may_dial(who, which, now)
