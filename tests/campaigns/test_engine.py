"""A campaign step by step: whom it rings, when again, and that it never rings whom it must not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.campaigns.facts import CampaignState
from bot.campaigns.reasons import ReasonCode
from bot.campaigns.schema import Campaign
from bot.core.endings import Disposition, RetryCause
from bot.core.ids import new_id
from bot.store import campaigns as store
from bot.store.account_tables import AuditRow
from bot.store.attempts import claim_next, recover_expired
from bot.store.settings import LEASE_S
from bot.store.tables import AttemptStatus
from tests.campaigns.stage import Stage, at_once, campaign


async def test_a_campaign_rings_everybody_once_and_is_done(stage: Stage) -> None:
    await stage.contacts("anna", "boris", "vera")
    await stage.start(campaign())
    dialled = await stage.dial()
    assert {attempt.contact_id for attempt in dialled} == {"anna", "boris", "vera"}
    assert {(each.status, each.number, each.worker) for each in dialled} == {
        (AttemptStatus.DIALLING, 1, "node/worker-0")
    }
    assert (await stage.tick()).queued == (), "nobody twice"
    for attempt in dialled:
        await stage.ends(attempt, Disposition.COMPLETED)
    assert (await stage.tick()).over
    assert (await stage.state())[0] == CampaignState.DONE
    tally = await store.tally(stage.db, "after")
    assert (tally.attempts, tally.dispositions, tally.members) == (3, {"completed": 3}, {"talked": 3})
    assert tally.sums_up


async def test_by_a_clock_that_is_off_nobody_is_chosen_and_no_campaign_is_over(stage: Stage) -> None:
    await stage.contacts("anna")
    await stage.start(campaign())
    (attempt,) = await stage.dial()
    await stage.ends(attempt, Disposition.COMPLETED)
    stage.on_time = False
    ticked = await stage.tick()
    assert (ticked.queued, ticked.over) == ((), False)
    assert (await stage.state())[0] == CampaignState.RUNNING
    stage.on_time = True
    assert (await stage.tick()).over


async def test_who_was_busy_is_rung_again_after_the_interval_and_no_oftener_than_the_limit(
    stage: Stage,
) -> None:
    await stage.contacts("anna")
    rules = {"jitter": 0, "attempts": 9, "busy": {"after": ["10m", "30m"], "limit": 2}}
    await stage.start(campaign(retries=rules))
    gaps = []
    for number in range(1, 4):
        (attempt,) = await stage.dial()
        assert (attempt.number, attempt.cause) == (number, RetryCause.BUSY if number > 1 else "")
        await stage.ends(attempt, Disposition.BUSY)
        await stage.tick()
        member = await stage.member("anna")
        if member.next_at is None:
            break
        gaps.append(member.next_at - stage.now)
        stage.clock.advance(gaps[-1].total_seconds() - 1)
        assert await stage.dial() == [], "a second too early"
        stage.wait(seconds=1)
    assert gaps == [timedelta(minutes=10), timedelta(minutes=30)]
    assert (await stage.member("anna")).done == "cause_limit"
    assert len(await stage.attempts()) == 3


async def test_an_opt_out_takes_back_what_waits_for_a_line_in_every_campaign(stage: Stage) -> None:
    await stage.contacts("anna")
    await stage.start(campaign("first"))
    (attempt,) = await stage.dial("first")
    await stage.start(campaign("second"))
    assert (await stage.tick("second")).queued == (), "she is on the line"
    await stage.ends(attempt, Disposition.OPTED_OUT, stage.answered(attempt), stage.opt_out(attempt))
    stage.wait(days=40)
    for name in ("first", "second"):
        assert await stage.dial(name) == []
    assert len(await stage.attempts()) == 1
    assert "do_not_call" in (await stage.member("anna", "second")).refused


async def test_an_opt_out_between_the_choice_and_the_claim_wins(stage: Stage) -> None:
    await stage.contacts("anna", "boris")
    await stage.start(campaign())
    queued = (await stage.tick()).queued
    first = await stage.claim(queued[0])
    assert first is not None
    blocked = (await stage.attempts("boris" if first.contact_id == "anna" else "anna"))[0]
    async with stage.db.write() as session:
        from bot.store.tables import DoNotCall

        session.add(DoNotCall(phone=blocked.phone, at=stage.now))
    assert await stage.claim(blocked.id) is None
    (stored,) = await stage.attempts(blocked.contact_id)
    assert (stored.disposition, stored.dialled_at) == (Disposition.CANCELLED, None)


async def test_the_window_is_asked_for_again_in_the_claim(stage: Stage) -> None:
    await stage.contacts("anna")
    await stage.start(campaign())
    stage.wait(hours=7, minutes=50)  # 19:50
    (attempt_id,) = (await stage.tick()).queued
    stage.wait(minutes=11)
    assert await stage.claim(attempt_id) is None
    member = await stage.member("anna")
    assert member.attempt_id is None
    assert member.next_at is not None
    assert stage.now < member.next_at
    assert "outside_hours" in member.refused
    stage.clock.advance((member.next_at - stage.now).total_seconds())
    assert len(await stage.dial()) == 1, "in the morning"


async def test_a_pause_takes_back_who_waits_and_a_resume_rings_them(stage: Stage) -> None:
    await stage.contacts("anna", "boris")
    await stage.start(campaign())
    queued = (await stage.tick()).queued
    assert await stage.engine.pause("after", "обед")
    assert [await stage.claim(attempt_id) for attempt_id in queued] == [None, None]
    assert (await stage.tick()).over
    assert await stage.state() == (CampaignState.PAUSED, "обед")
    await stage.resume("after")
    assert len(await stage.dial()) == 2
    tally = await store.tally(stage.db, "after")
    assert (tally.dispositions, tally.open) == ({"cancelled": 2}, {"dialling": 2})
    assert tally.sums_up


async def test_a_claim_that_comes_after_a_pause_leaves_its_member_where_he_was(stage: Stage) -> None:
    await stage.contacts("anna")
    await stage.start(campaign())
    (attempt_id,) = (await stage.tick()).queued
    among = (CampaignState.RUNNING,)
    await store.change_state(stage.db, "after", to=CampaignState.PAUSED, among=among, now=stage.now)
    assert await stage.claim(attempt_id) is None
    await stage.resume("after")
    assert len(await stage.dial()) == 1, "at once, and not after a while"


async def test_a_stop_lets_calls_end_and_rings_nobody_new(stage: Stage) -> None:
    await stage.contacts("anna", "boris")
    await stage.start(campaign(pacing={"lines": 1, "agents": False}))
    (attempt,) = await stage.dial()
    among = (CampaignState.RUNNING,)
    await store.change_state(stage.db, "after", to=CampaignState.DRAINING, among=among, now=stage.now)
    assert not (await stage.tick()).over
    await stage.ends(attempt, Disposition.COMPLETED)
    assert (await stage.tick()).over
    assert (await stage.state())[0] == CampaignState.STOPPED
    assert len(await stage.attempts()) == 1


async def test_an_attempt_that_nobody_vouches_for_is_interrupted_and_counts_as_rung(stage: Stage) -> None:
    await stage.contacts("anna")
    await stage.start(campaign())
    (attempt,) = await stage.dial()
    stage.clock.advance(LEASE_S - 1)
    await recover_expired(stage.db, stage.now)
    assert await stage.dial() == []
    stage.clock.advance(1)
    await recover_expired(stage.db, stage.now)
    assert await stage.dial() == [], "not before its interval"
    member = await stage.member("anna")
    assert (member.cause, member.last_disposition) == (RetryCause.INTERRUPTED, Disposition.INTERRUPTED)
    assert member.next_at == stage.now + timedelta(minutes=15)
    stage.wait(minutes=15)
    (again,) = await stage.dial()
    assert (again.number, again.resumes) == (2, ""), "it had no answer to go on from"
    assert again.id != attempt.id


async def test_an_interrupted_survey_is_gone_on_with_while_it_is_fresh(stage: Stage) -> None:
    await stage.contacts("anna")
    await stage.start(campaign(retries={"jitter": 0, "interrupted": {"after": ["15m"], "limit": 5}}))
    (first,) = await stage.dial()
    await stage.ends(first, Disposition.INTERRUPTED, stage.answered(first), stage.answer(first, "nps", 9))
    await stage.tick()
    stage.wait(minutes=15)
    (second,) = await stage.dial()
    assert second.resumes == first.id
    await stage.ends(second, Disposition.INTERRUPTED)
    await stage.tick()
    stage.wait(days=2)
    (third,) = await stage.dial()
    assert third.resumes == "", "too long ago: it begins anew"


async def test_what_was_taken_for_lost_and_was_not_is_reckoned_with_anew(stage: Stage) -> None:
    await stage.contacts("anna")
    await stage.start(campaign())
    (attempt,) = await stage.dial()
    stage.clock.advance(LEASE_S)
    await recover_expired(stage.db, stage.now)
    await stage.tick()
    assert (await stage.member("anna")).done == ""
    await stage.ends(attempt, Disposition.COMPLETED)  # its spool was slow
    assert await stage.engine.reconcile() == ["after"]
    member = await stage.member("anna")
    assert (member.done, member.next_at) == ("talked", None)
    stage.wait(hours=1)
    assert await stage.dial() == []


async def test_a_promised_time_is_kept_to_the_minute(stage: Stage) -> None:
    await stage.contacts("anna", "boris")
    await stage.start(campaign(pacing={"lines": 1, "agents": False}))
    (attempt,) = await stage.dial()
    due = stage.now + timedelta(days=1, hours=3)  # 15:00 tomorrow
    await stage.ends(attempt, Disposition.CALLBACK, stage.answered(attempt), stage.promise(attempt, due))
    await stage.tick()
    member = await stage.member(attempt.contact_id or "")
    assert (member.next_at, member.promised_at, member.cause) == (due, due, RetryCause.PROMISED)
    stage.clock.advance((due - stage.now).total_seconds() - 1)
    for other in await stage.dial():
        assert other.contact_id != attempt.contact_id
        await stage.ends(other, Disposition.COMPLETED, after_s=1)
    (kept,) = await stage.dial()
    assert (kept.contact_id, kept.cause) == (attempt.contact_id, RetryCause.PROMISED)


async def test_whom_a_person_rings_back_is_left_alone(stage: Stage) -> None:
    await stage.contacts("anna")
    await stage.start(campaign())
    (attempt,) = await stage.dial()
    await stage.ends(attempt, Disposition.CALLBACK, stage.answered(attempt))
    assert (await stage.tick()).over
    assert (await stage.member("anna")).done == "human_calls"


async def test_the_breaker_pauses_and_says_why(stage: Stage) -> None:
    await stage.contacts(*(f"c{number}" for number in range(30)))
    rules = {"failures": {"share": 0.3, "over": "15m", "sample": 20}}
    await stage.start(campaign(breaker=rules, pacing={"lines": 25, "per_second": 50, "agents": False}))
    dialled = await stage.dial()
    assert len(dialled) == 25
    for number, attempt in enumerate(dialled):
        ending = Disposition.FAILED if number % 2 else Disposition.BUSY
        await stage.ends(attempt, ending, after_s=0.1)
    assert (await stage.tick()).over
    state, reason = await stage.state()
    assert state == CampaignState.PAUSED
    assert "12 / 25" in reason
    await stage.resume("after")
    assert not (await stage.tick()).over, "whoever resumed it had seen that"


async def test_a_campaign_whose_survey_is_gone_pauses_with_the_reason(stage: Stage) -> None:
    await stage.contacts("anna")
    await stage.start(campaign(survey="another"))
    assert (await stage.tick()).over
    assert await stage.state() == (CampaignState.PAUSED, "опрос «another» не опубликован")


async def test_lines_agents_and_the_rate_hold_it_back(stage: Stage) -> None:
    await stage.contacts(*(f"c{number}" for number in range(40)))
    await stage.start(campaign(pacing={"lines": 30, "per_second": 3, "agents": True, "agent_share": 0.5}))
    assert await stage.dial() == [], "it is not known who is there"
    stage.agents = 1
    assert len(await stage.dial()) == 2, "every second answer is expected to want an agent"
    stage.agents = 20
    stage.wait(seconds=1)
    assert len(await stage.dial()) == 3, "the trunk's and the campaign's rate"
    assert await stage.dial() == []


async def test_one_contact_of_two_campaigns_is_never_on_two_lines(stage: Stage) -> None:
    await stage.contacts("anna")
    await stage.start(campaign("first"))
    await stage.start(campaign("second"))
    queued = [*(await stage.tick("first")).queued, *(await stage.tick("second")).queued]
    assert len(queued) == 2
    claimed = await at_once(*(stage.claim(attempt_id) for attempt_id in queued))
    assert sum(attempt is not None for attempt in claimed) == 1


async def test_who_has_no_zone_is_not_rung_and_does_not_hold_the_campaign_up(stage: Stage) -> None:
    await stage.contacts("anna")
    await stage.contacts("nowhere", tz="")
    await stage.start(campaign())
    (attempt,) = await stage.dial()
    assert attempt.contact_id == "anna"
    await stage.ends(attempt, Disposition.COMPLETED)
    assert (await stage.tick()).over
    tally = await store.tally(stage.db, "after")
    assert (tally.members, tally.refused) == ({"talked": 1, "waiting": 1}, {"no_zone": 1})


async def test_a_call_by_hand_is_not_taken_for_a_campaigns_and_the_other_way_round(stage: Stage) -> None:
    await stage.contacts("anna")
    await stage.start(campaign())
    await stage.tick()
    assert await claim_next(stage.db, worker="node/worker-0", now=stage.now) is None


@pytest.mark.parametrize("ending", [each for each in Disposition if each is not Disposition.CANCELLED])
async def test_whatever_an_attempt_comes_to_its_member_is_done_with_or_waits(
    stage: Stage, ending: Disposition
) -> None:
    await stage.contacts("anna")
    await stage.start(campaign())
    (attempt,) = await stage.dial()
    await stage.ends(attempt, ending)
    await stage.tick()
    member = await stage.member("anna")
    assert (member.next_at is None) == bool(member.done)
    tally = await store.tally(stage.db, "after")
    assert (tally.attempts, tally.dispositions) == (1, {ending: 1})


async def test_what_is_changed_while_it_runs_holds_from_the_next_step_on(stage: Stage) -> None:
    """Also for whom the old hours put off, and who was done with because the last day had passed."""
    await stage.contacts("anna", "boris")
    ended = campaign(ends=(stage.now - timedelta(days=1)).date().isoformat())
    await stage.start(campaign(calling={"hours": "mon 15:00-20:00"}))
    assert await stage.dial() == []
    async with stage.db.write() as session:
        member = await stage.member("boris")
        member.done, member.next_at = ReasonCode.ENDED, None
        session.add(member)

    async def redefined(was: Campaign, to: Campaign) -> bool:
        return await store.redefine(
            stage.db, "after", was=was.model_dump_json(), definition=to.model_dump_json(),
            among=(CampaignState.RUNNING,), now=stage.now, again=(ReasonCode.ENDED,),
            audit=AuditRow(
                id=new_id("audit"), at=stage.now, login="olga", role="ops", address="", action="change",
                subject="campaign", subject_id="after",
            ),
        )  # fmt: skip

    was, to = campaign(calling={"hours": "mon 15:00-20:00"}), campaign(calling={"hours": "mon 10:00-20:00"})
    assert not await redefined(ended, to), "it is another one than was looked at"
    assert await stage.dial() == []
    assert await redefined(was, to)
    assert {attempt.contact_id for attempt in await stage.dial()} == {"anna", "boris"}
