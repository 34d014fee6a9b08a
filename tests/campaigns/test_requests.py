"""Calls that a CRM asks for, by a standing campaign: one call for a customer, about his latest talk."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from bot.campaigns.facts import CampaignState
from bot.campaigns.requested import what_became
from bot.campaigns.standing import ask_for, standing_id
from bot.core.context import Person
from bot.core.endings import Disposition
from bot.core.errors import NumberBlocked, RequestsStopped, ZoneUnknown
from bot.core.requests import CallRequest, RequestedCall, RequestState
from bot.store import campaigns as store
from bot.store import requests
from bot.store.attempts import NewCall
from bot.store.tables import Contact, DoNotCall
from bot.store.tables_campaigns import CampaignRow
from tests.campaigns.stage import Stage, campaign

NAME = "request_nps"
MOBILE = "+79001112233"


async def ask(stage: Stage, talk: str, *, phone: str = MOBILE, tz: str = "Europe/Moscow") -> str | None:
    """Kept and seen to, as the node does it; the request is named by its talk."""
    call = CallRequest(
        phone=phone, survey="nps", timezone=tz, conversation_id=talk, agent=Person(id=f"agent-of-{talk}")
    )
    await requests.keep(stage.db, talk, "crm", call, stage.now)
    return await place(stage, talk, phone=phone, tz=tz)


async def place(stage: Stage, talk: str, *, phone: str = MOBILE, tz: str = "Europe/Moscow") -> str | None:
    new = NewCall(
        to_uri=f"sip:{phone}@pbx", survey_id="nps", survey_hash="hash", customer=Person(id="crm-1"), tz=tz,
        agent_id=f"agent-of-{talk}", department="support", conversation_id=talk,
    )  # fmt: skip
    return await ask_for(stage.db, talk, new, stage.now)


async def became(stage: Stage, talk: str) -> RequestedCall:
    return await what_became(stage.db, talk, stage.published, stage.now)


async def campaigns(stage: Stage) -> dict[str, CampaignRow]:
    async with stage.db.read() as session:
        return {row.id: row for row in (await session.exec(select(CampaignRow))).all()}


async def test_a_request_makes_a_member_and_the_engine_its_call(stage: Stage) -> None:
    assert await ask(stage, "talk-1") == NAME
    assert await place(stage, "talk-1") == NAME, "asked for twice"
    assert await stage.engine.reconcile() == [NAME]
    assert (await became(stage, "talk-1")).state is RequestState.WAITING
    assert await stage.attempts() == [], "never an attempt that skips policy"
    (queued,) = (await stage.tick(NAME)).queued
    assert (await became(stage, "talk-1")).state is RequestState.QUEUED
    attempt = await stage.claim(queued)
    assert attempt is not None, "a company without agents is rung for as well"
    assert (attempt.request_id, attempt.contact_id, attempt.conversation_id) == ("talk-1", "crm-1", "talk-1")
    assert (attempt.agent_id, attempt.department, attempt.campaign_id) == ("agent-of-talk-1", "support", NAME)
    assert (await became(stage, "talk-1")).state is RequestState.DIALLING
    await stage.ends(attempt, Disposition.COMPLETED)
    assert not (await stage.tick(NAME)).over, "it waits for others"
    over = await became(stage, "talk-1")
    assert (over.state, over.disposition, over.attempt_id) == ("final", "completed", attempt.id)


async def test_outside_of_his_hours_a_request_waits_and_says_until_when(stage: Stage) -> None:
    await ask(stage, "talk-1", tz="Asia/Kamchatka")  # 21:00 there
    assert await stage.dial(NAME) == []
    told = await became(stage, "talk-1")
    assert (told.state, told.reasons) == ("waiting", ("outside_hours",))
    assert told.allowed_at is not None
    assert told.allowed_at > stage.now
    stage.clock.advance((told.allowed_at - stage.now).total_seconds() - 1)
    assert await stage.dial(NAME) == []
    stage.wait(seconds=1)
    (attempt,) = await stage.dial(NAME)
    assert attempt.request_id == "talk-1"


@pytest.mark.parametrize("queued", [False, True])
async def test_while_he_waits_the_later_talk_takes_the_place_of_the_earlier(
    stage: Stage, queued: bool
) -> None:
    await ask(stage, "talk-1")
    if queued:
        await stage.tick(NAME)
    stage.wait(seconds=30)
    await ask(stage, "talk-2")
    (attempt,) = await stage.dial(NAME)
    assert (attempt.request_id, attempt.conversation_id) == ("talk-2", "talk-2")
    assert attempt.agent_id == "agent-of-talk-2"
    first, second = await became(stage, "talk-1"), await became(stage, "talk-2")
    assert (first.state, first.superseded_by, first.call_id) == ("superseded", "talk-2", "")
    assert (second.state, second.attempt_id) == ("dialling", attempt.id)
    assert len(await stage.attempts()) == 1


async def test_an_earlier_talk_that_was_put_off_gives_way_to_a_later_one(stage: Stage) -> None:
    for talk in ("talk-1", "talk-2"):
        call = CallRequest(phone=MOBILE, survey="nps", conversation_id=talk)
        await requests.keep(stage.db, talk, "crm", call, stage.now)
        stage.wait(seconds=1)
    for talk in ("talk-2", "talk-1"):
        await place(stage, talk)
    (attempt,) = await stage.dial(NAME)
    assert attempt.request_id == "talk-2"
    assert (await became(stage, "talk-1")).superseded_by == "talk-2"


async def test_a_talk_that_comes_while_he_is_on_the_line_is_kept_and_never_rings_twice(stage: Stage) -> None:
    await ask(stage, "talk-1")
    (attempt,) = await stage.dial(NAME)
    assert await ask(stage, "talk-2") is None, "it waits in the table of requests"
    assert [row.id for row in await requests.due(stage.db, stage.now)] == ["talk-2"]
    await stage.ends(attempt, Disposition.BUSY)
    assert await place(stage, "talk-2") is None, "that is not reckoned with yet"
    await stage.tick(NAME)
    assert await place(stage, "talk-2") == NAME
    assert await stage.dial(NAME) == [], "the interval after a busy line holds for the new talk, too"
    assert (await became(stage, "talk-2")).reasons == ("too_early",)
    first = await became(stage, "talk-1")
    assert (first.state, first.disposition, first.superseded_by) == ("final", "busy", "talk-2")
    stage.wait(minutes=10)
    (again,) = await stage.dial(NAME)
    assert again.request_id == "talk-2"


async def test_a_talk_soon_after_a_survey_is_refused_by_the_frequency_with_the_reason(stage: Stage) -> None:
    await ask(stage, "talk-1")
    (attempt,) = await stage.dial(NAME)
    await stage.ends(attempt, Disposition.COMPLETED)
    await stage.tick(NAME)
    stage.wait(hours=1)
    assert await ask(stage, "talk-2") == NAME
    assert await stage.dial(NAME) == []
    refused = await became(stage, "talk-2")
    assert (refused.state, refused.refused) == ("refused", "stale"), "in 30 days nobody remembers the talk"
    assert set(refused.reasons) == {"same_survey", "any_survey", "stale"}
    assert (await became(stage, "talk-1")).disposition == "completed"
    stage.wait(days=31)
    assert await ask(stage, "talk-3") == NAME
    (third,) = await stage.dial(NAME)
    assert third.request_id == "talk-3"
    assert (await became(stage, "talk-2")).refused == "stale", "it keeps its own reason"


async def test_after_some_days_nobody_is_rung_about_a_talk_any_more(stage: Stage) -> None:
    await stage.start(campaign("own", ask_within="2h"), standing=True)
    await store.change_state(
        stage.db, "own", to=CampaignState.PAUSED, among=(CampaignState.RUNNING,), now=stage.now
    )
    assert await ask(stage, "talk-1") == "own"
    assert (await became(stage, "talk-1")).reasons == ("paused",)
    stage.wait(hours=2, seconds=1)
    await stage.resume("own")
    assert await stage.dial("own") == []
    assert (await became(stage, "talk-1")).refused == "stale"


async def test_whose_campaign_it_is(stage: Stage) -> None:
    """What somebody made goes before ours; who waits stays where he is; what is stopped stays so."""
    assert await ask(stage, "talk-1") == NAME
    await stage.start(campaign("own"), standing=True)
    assert await ask(stage, "talk-2") == NAME, "he waits there, and is not rung by two"
    assert await place_other(stage, "talk-3") == "own"
    for name in ("own", NAME):
        await store.change_state(
            stage.db, name, to=CampaignState.STOPPED, among=(CampaignState.RUNNING,), now=stage.now
        )
    with pytest.raises(RequestsStopped) as refused:
        await ask(stage, "talk-4")
    assert "--standing" in refused.value.hint
    told = await became(stage, "talk-2")
    assert (told.state, told.refused) == ("refused", "stopped")
    assert set(await campaigns(stage)) == {NAME, "own"}
    assert len(standing_id("s" * 64)) == 40
    assert standing_id("s" * 64) != standing_id("s" * 63)


async def place_other(stage: Stage, talk: str) -> str | None:
    """Another customer."""
    phone = "+79004445566"
    call = CallRequest(phone=phone, survey="nps")
    await requests.keep(stage.db, talk, "crm", call, stage.now)
    new = NewCall(f"sip:{phone}@pbx", "nps", "hash", tz="Europe/Moscow")
    return await ask_for(stage.db, talk, new, stage.now)


async def test_without_a_zone_nothing_is_kept(stage: Stage) -> None:
    with pytest.raises(ZoneUnknown, match="time zone"):
        await ask(stage, "talk-1", tz="")
    assert await campaigns(stage) == {}
    async with stage.db.read() as session:
        assert (await session.exec(select(Contact))).all() == []
    await ask(stage, "talk-2", phone="+74232123456", tz="")
    async with stage.db.read() as session:
        assert (await session.exec(select(Contact.tz))).one() == "Asia/Vladivostok", "his number tells it"


async def test_a_wish_not_to_be_rung_holds_by_number_by_person_and_later(stage: Stage) -> None:
    await ask(stage, "talk-1")
    async with stage.db.write() as session:
        contact = await session.get(Contact, "crm-1")
        assert contact is not None
        contact.do_not_call_at = stage.now  # said under an earlier number: no list has this one
        session.add(contact)
    told = await became(stage, "talk-1")
    assert (told.state, told.refused) == ("refused", "do_not_call")
    assert await stage.dial(NAME) == []
    for phone in (MOBILE, "+79009998877"):
        with pytest.raises(NumberBlocked):
            await ask(stage, f"to {phone}", phone=phone)
    async with stage.db.write() as session:
        session.add(DoNotCall(phone="79004445566", at=stage.now))
    with pytest.raises(NumberBlocked):
        await place_other(stage, "listed")


async def test_an_interrupted_survey_is_not_gone_on_with_about_another_talk(stage: Stage) -> None:
    await ask(stage, "talk-1")
    (attempt,) = await stage.dial(NAME)
    told: list[Any] = [stage.answered(attempt), stage.answer(attempt, "nps", 9)]
    await stage.ends(attempt, Disposition.INTERRUPTED, *told)
    stage.wait(minutes=20)
    await stage.tick(NAME)
    assert (await stage.attempts())[-1].resumes == attempt.id
    await ask(stage, "talk-2")
    (again,) = await stage.dial(NAME)
    assert (again.request_id, again.resumes) == ("talk-2", "")
    assert again.dialled_at is not None
    assert again.dialled_at - stage.now < timedelta(seconds=1)
