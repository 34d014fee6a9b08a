"""Every reason that the policy knows, one case at a time; and what overrules what."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.campaigns.facts import TARGET, CampaignFacts, CampaignState, ContactFacts, QuotaCount
from bot.campaigns.policy import Allowed, Refused, may_dial
from bot.campaigns.reason_words import REASONS, decision_lines, reason_words
from bot.campaigns.reasons import Reason, ReasonCode, ReasonKind
from bot.core.endings import Disposition, RetryCause
from tests.campaigns.policy_cases import NOW, SURVEY, campaign, contact, ring

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TWO_QUOTAS = [
    {"id": "sales", "where": {"department": "sales"}, "completed": 5},
    {"id": "support", "where": {"department": "support"}, "completed": 5},
]

SALES = contact(attributes={"department": "sales"})


def moscow(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 12, day, hour - 3, minute, tzinfo=UTC)


def refused(who: ContactFacts, which: CampaignFacts, now: datetime = NOW) -> Refused:
    decision = may_dial(who, which, now)
    assert isinstance(decision, Refused), decision
    return decision


def codes(who: ContactFacts, which: CampaignFacts, now: datetime = NOW) -> list[ReasonCode]:
    return [reason.code for reason in refused(who, which, now).reasons]


def test_somebody_with_whom_nothing_is_wrong_is_rung() -> None:
    assert may_dial(contact(), campaign(), NOW) == Allowed()


ONE_CAUSE: list[tuple[ReasonCode, ContactFacts, CampaignFacts]] = [
    (ReasonCode.DRAFT, contact(), campaign(state="draft")),
    (ReasonCode.PAUSED, contact(), campaign(state="paused")),
    (ReasonCode.DRAINING, contact(), campaign(state="draining")),
    (ReasonCode.STOPPED, contact(), campaign(state="stopped")),
    (ReasonCode.DONE, contact(), campaign(state="done")),
    (ReasonCode.UNKNOWN_STATE, contact(), campaign(state="RUNNING ")),
    (ReasonCode.TARGET_REACHED, contact(), campaign(target=5, counts={TARGET: QuotaCount(5)})),
    (ReasonCode.TARGET_UNDER_WAY, contact(), campaign(target=5, counts={TARGET: QuotaCount(3, 2)})),
    (ReasonCode.QUOTA_REACHED, SALES, campaign(quotas=TWO_QUOTAS, counts={"sales": QuotaCount(6)})),
    (ReasonCode.QUOTA_UNDER_WAY, SALES, campaign(quotas=TWO_QUOTAS, counts={"sales": QuotaCount(0, 5)})),
    (ReasonCode.QUOTA_UNKNOWN, SALES, campaign(quotas=TWO_QUOTAS)),
    (ReasonCode.WITHDRAWN, contact(withdrawn=True), campaign()),
    (ReasonCode.STALE, contact(ask_until=NOW - timedelta(seconds=1)), campaign()),
    (ReasonCode.DO_NOT_CALL, contact(do_not_call=True), campaign()),
    (ReasonCode.DO_NOT_CALL_UNKNOWN, contact(do_not_call=None), campaign()),
    (ReasonCode.NO_CONSENT, contact(consent=False), campaign(consent="required")),
    (ReasonCode.NO_CONSENT, contact(consent=False), campaign(purpose="marketing")),
    (ReasonCode.CONSENT_UNKNOWN, contact(consent=None), campaign(purpose="marketing")),
    (ReasonCode.ON_THE_LINE, contact(on_the_line=True), campaign()),
    (ReasonCode.ON_THE_LINE, contact(rings=(ring(None, of="other"),)), campaign()),
    (ReasonCode.ON_THE_LINE_UNKNOWN, contact(on_the_line=None), campaign()),
    (ReasonCode.NO_ZONE, contact(tz=""), campaign()),
    (ReasonCode.UNKNOWN_ZONE, contact(tz="Europe/Mosсow"), campaign()),  # a Cyrillic «с»
    (ReasonCode.UNKNOWN_ZONE, contact(tz="../../etc/passwd"), campaign()),
    (ReasonCode.UNKNOWN_COUNTRY, contact(country="XX"), campaign()),
    (ReasonCode.HISTORY_UNKNOWN, contact(rings=None), campaign()),
    (ReasonCode.BAD_NUMBER, contact(rings=(ring(Disposition.INVALID_NUMBER),)), campaign()),
    (ReasonCode.DECLINED, contact(rings=(ring(Disposition.DECLINED),)), campaign()),
    (ReasonCode.HUMAN_CALLS, contact(rings=(ring(Disposition.CALLBACK),)), campaign()),
    (
        ReasonCode.TALKED,
        contact(rings=(ring(Disposition.REFUSED),)),
        campaign(frequency={"any_survey": "1d", "same_survey": "1d"}),
    ),
    (
        ReasonCode.ATTEMPTS_USED,
        contact(rings=(ring(Disposition.BUSY, 4 * DAY), ring(Disposition.NO_ANSWER, 3 * DAY))),
        campaign(retries={"attempts": 2}),
    ),
    (
        ReasonCode.CAUSE_LIMIT,
        contact(rings=(ring(Disposition.VOICEMAIL),)),
        campaign(retries={"voicemail": {"after": ["1d"], "limit": 0}}),
    ),
    (
        ReasonCode.PROMISES_USED,
        contact(rings=(ring(Disposition.CALLBACK, promised_at=NOW - HOUR),)),
        campaign(retries={"promised": {"limit": 0}}),
    ),
    (ReasonCode.NOT_STARTED, contact(), campaign(starts="2026-12-03")),
    (ReasonCode.ENDED, contact(), campaign(ends="2026-12-01")),
    (ReasonCode.CLOSED_DAY, contact(), campaign(calling={"closed": ["2026-12-02"]})),
    (ReasonCode.NO_HOURS_TODAY, contact(), campaign(calling={"hours": "mon-tue 10-20"})),
    (ReasonCode.OUTSIDE_HOURS, contact(), campaign(calling={"hours": "mon-fri 13-20"})),
    (ReasonCode.TOO_EARLY, contact(next_at=NOW + HOUR), campaign()),
    (ReasonCode.TOO_EARLY, contact(rings=(ring(Disposition.NO_ANSWER, HOUR),)), campaign()),
    (ReasonCode.PROMISED_LATER, contact(promised_at=NOW + HOUR), campaign()),
    (
        ReasonCode.RINGS_PER_DAY,
        contact(rings=(ring(Disposition.BUSY, HOUR, of="x"), ring(Disposition.NO_ANSWER, 2 * HOUR, of=""))),
        campaign(frequency={"rings_per_day": 2}),
    ),
    (
        ReasonCode.RINGS_PER_WEEK,
        contact(rings=tuple(ring(Disposition.BUSY, day * DAY, of="other") for day in (2, 3))),
        campaign(frequency={"rings_per_week": 2}),
    ),
    (
        ReasonCode.SAME_SURVEY,
        contact(rings=(ring(Disposition.COMPLETED, 29 * DAY, of="other"),)),
        campaign(),
    ),
    (
        ReasonCode.ANY_SURVEY,
        contact(rings=(ring(Disposition.HUNG_UP, 6 * DAY, of="other", survey="csat"),)),
        campaign(),
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "who", "which"), ONE_CAUSE, ids=[f"{n}-{case[0]}" for n, case in enumerate(ONE_CAUSE)]
)
def test_one_cause_refuses_with_its_own_reason(
    code: ReasonCode, who: ContactFacts, which: CampaignFacts
) -> None:
    told = refused(who, which)
    assert [reason.code for reason in told.reasons] == [code]
    assert told.final is (told.reasons[0].kind is ReasonKind.FINAL)
    of_time = told.reasons[0].kind is ReasonKind.TIME
    assert (told.not_before is not None) is of_time
    assert told.reasons[0].not_before == told.not_before


def test_a_holiday_is_one_where_the_contact_is() -> None:
    new_year = datetime(2027, 1, 5, 9, 0, tzinfo=UTC)
    told = refused(contact(), campaign(), new_year)
    assert [reason.code for reason in told.reasons] == [ReasonCode.HOLIDAY]
    assert told.not_before == datetime(2027, 1, 9, 7, 0, tzinfo=UTC)  # Saturday, after the last holiday
    assert may_dial(contact(country="KZ"), campaign(), new_year) == Allowed()
    assert may_dial(contact(), campaign(calling={"holidays": True}), new_year) == Allowed()


def test_hours_that_the_survey_never_has_are_no_hours() -> None:
    only_monday = SURVEY.model_copy(update={"days": ("mon",)})
    which = campaign(calling={"hours": "tue-fri 10-20"}, calling_of_survey=only_monday)
    assert codes(contact(), which) == [ReasonCode.NO_HOURS]


def test_the_cases_know_every_reason_there_is() -> None:
    elsewhere = {ReasonCode.HOLIDAY, ReasonCode.NO_HOURS}
    assert {case[0] for case in ONE_CAUSE} | elsewhere == set(ReasonCode)


def test_all_reasons_are_told_at_once() -> None:
    who = contact(do_not_call=True, tz="", on_the_line=True, rings=(ring(Disposition.REFUSED),))
    which = campaign(state="paused", purpose="marketing")
    assert set(codes(who, which)) == {
        ReasonCode.PAUSED,
        ReasonCode.DO_NOT_CALL,
        ReasonCode.CONSENT_UNKNOWN,
        ReasonCode.ON_THE_LINE,
        ReasonCode.TALKED,
        ReasonCode.NO_ZONE,
        ReasonCode.SAME_SURVEY,
        ReasonCode.ANY_SURVEY,
    }
    assert refused(who, which).not_before is None


def test_a_moment_without_a_zone_is_nobodys_time() -> None:
    with pytest.raises(ValueError, match="zone"):
        may_dial(contact(), campaign(), datetime(2026, 12, 2, 12, 0))  # noqa: DTZ001


@pytest.mark.parametrize("state", [state for state in CampaignState if state != "running"])
def test_only_a_running_campaign_dials(state: str) -> None:
    assert len(codes(contact(), campaign(state=state))) == 1


def test_a_contact_without_what_a_quota_asks_for_is_not_rung() -> None:
    which = campaign(quotas=TWO_QUOTAS, counts={"sales": QuotaCount(0), "support": QuotaCount(0)})
    assert codes(contact(), which) == [ReasonCode.QUOTA_UNKNOWN] * 2
    assert may_dial(SALES, which, NOW) == Allowed()


def test_the_last_ring_must_end_within_the_hours() -> None:
    late = moscow(2, 19, 58) + timedelta(seconds=59)
    assert may_dial(contact(), campaign(), late) == Allowed()
    told = refused(contact(), campaign(), late + timedelta(seconds=1))
    assert told.not_before == moscow(3, 10)


def test_waits_for_the_latest_of_several_times() -> None:
    """Rung at 19:30, so again at 23:30 at the earliest, which is the next morning; and that day is closed."""
    who = contact(rings=(ring(Disposition.NO_ANSWER, timedelta(minutes=20), now=moscow(2, 19, 50)),))
    told = refused(who, campaign(calling={"closed": ["2026-12-03"]}), moscow(2, 19, 50))
    assert [reason.code for reason in told.reasons] == [ReasonCode.TOO_EARLY]
    assert told.reasons[0].not_before == moscow(2, 23, 31)  # four hours after it ended
    assert told.not_before == moscow(4, 10)


def test_what_can_only_be_after_the_last_day_is_over() -> None:
    told = refused(contact(next_at=NOW + DAY), campaign(ends="2026-12-02"))
    assert [reason.code for reason in told.reasons] == [ReasonCode.TOO_EARLY, ReasonCode.ENDED]
    assert told.final
    assert told.not_before is None


def test_a_cap_is_gone_when_enough_of_its_rings_are_a_day_old() -> None:
    rings = tuple(ring(Disposition.BUSY, hours * HOUR, of="other") for hours in (2, 5, 9))
    told = refused(contact(rings=rings), campaign(frequency={"rings_per_day": 2}), NOW)
    assert told.reasons == (Reason(ReasonCode.RINGS_PER_DAY, NOW - 5 * HOUR + DAY, "2"),)


def test_a_ring_of_the_future_counts_as_one_of_now() -> None:
    """Another node's clock is ahead: his phone rang all the same."""
    rings = tuple(ring(Disposition.BUSY, -hours * HOUR, of="other") for hours in (1, 2))
    assert codes(contact(rings=rings), campaign(frequency={"rings_per_day": 2})) == [ReasonCode.RINGS_PER_DAY]
    own = contact(rings=(ring(Disposition.BUSY, -HOUR),))
    assert codes(own, campaign()) == [ReasonCode.TOO_EARLY]


def test_a_lost_time_of_the_next_try_rings_nobody_too_early() -> None:
    """The interval is read from the ring itself; what the engine wrote down can only lengthen it."""
    who = contact(rings=(ring(Disposition.NO_ANSWER, 3 * HOUR),), next_at=NOW - HOUR)
    assert codes(who, campaign()) == [ReasonCode.TOO_EARLY]


class TestPromises:
    """A time that the customer named himself."""

    ASKED = ring(Disposition.CALLBACK, 2 * HOUR, promised_at=NOW)

    def test_is_kept_to_the_minute(self) -> None:
        who = contact(rings=(self.ASKED,), promised_at=NOW)
        assert may_dial(who, campaign(), NOW) == Allowed(for_promise=True)
        assert codes(who, campaign(), NOW - timedelta(seconds=1)) == [ReasonCode.PROMISED_LATER]

    def test_is_read_from_the_call_where_nobody_wrote_it_down(self) -> None:
        assert may_dial(contact(rings=(self.ASKED,)), campaign(), NOW) == Allowed(for_promise=True)

    def test_stands_in_for_intervals_attempts_and_caps(self) -> None:
        rings = (
            *(ring(Disposition.BUSY, hours * HOUR) for hours in (3, 4, 5)),
            ring(Disposition.COMPLETED, 3 * HOUR, of="other"),
            self.ASKED,
        )
        which = campaign(frequency={"rings_per_day": 1}, retries={"attempts": 1})
        assert may_dial(contact(rings=rings, next_at=NOW + HOUR), which, NOW) == Allowed(for_promise=True)

    @pytest.mark.parametrize(
        ("changed", "code"),
        [
            ({"do_not_call": True}, ReasonCode.DO_NOT_CALL),
            ({"withdrawn": True}, ReasonCode.WITHDRAWN),
            ({"on_the_line": True}, ReasonCode.ON_THE_LINE),
            ({"tz": "Asia/Kamchatka"}, ReasonCode.OUTSIDE_HOURS),
        ],
    )
    def test_stands_in_for_nothing_else(self, changed: dict[str, Any], code: ReasonCode) -> None:
        assert codes(replace(contact(rings=(self.ASKED,)), **changed), campaign()) == [code]

    @pytest.mark.parametrize("late", [timedelta(0), -timedelta(seconds=40), HOUR])
    def test_rings_nobody_twice(self, late: timedelta) -> None:
        """He was rung at the promised time and did not answer; nobody crossed the promise out."""
        kept = ring(Disposition.NO_ANSWER, HOUR - late, for_promise=True, now=NOW + HOUR)
        asked = ring(Disposition.CALLBACK, 3 * HOUR, promised_at=NOW)
        who = contact(rings=(asked, kept), promised_at=NOW)
        assert codes(who, campaign(), NOW + HOUR + timedelta(minutes=2)) == [ReasonCode.TOO_EARLY]

    def test_of_another_call_still_counts(self) -> None:
        """He asked for it through the company: no call of ours says so."""
        assert may_dial(contact(promised_at=NOW - HOUR), campaign(), NOW) == Allowed(for_promise=True)

    def test_has_a_limit_of_its_own(self) -> None:
        kept = tuple(
            ring(Disposition.CALLBACK, n * HOUR, promised_at=NOW, for_promise=True) for n in (2, 3, 4)
        )
        assert ReasonCode.PROMISES_USED in codes(contact(rings=kept, promised_at=NOW), campaign())


class TestWords:
    def test_every_reason_has_words_in_both_languages(self) -> None:
        assert set(REASONS) == set(ReasonCode)
        for russian, english in REASONS.values():
            assert any("а" <= letter <= "я" for letter in russian)
            assert english.isascii()

    def test_they_tell_the_first_moment_by_his_clock(self) -> None:
        told = refused(contact(tz="Asia/Omsk"), campaign(), moscow(2, 20))
        assert decision_lines(told, "Asia/Omsk") == (
            "звонить нельзя до 03.12.2026 10:00 (Asia/Omsk)",
            "у клиента сейчас не время для звонков; можно с 03.12.2026 10:00 (Asia/Omsk)",
        )

    def test_in_english(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OTKLIK_LANG", "en")
        assert decision_lines(Allowed(for_promise=True)) == ("may be called; he asked for it himself",)
        assert reason_words(Reason(ReasonCode.CAUSE_LIMIT, detail=RetryCause.VOICEMAIL)) == (
            "he is not called again for this cause (voicemail)"
        )

    def test_an_unknown_zone_is_told_by_utc(self) -> None:
        assert "06.12.2026 09:00 (UTC)" in reason_words(
            Reason(ReasonCode.TOO_EARLY, NOW + 4 * DAY), "Europe/Atlantis"
        )
