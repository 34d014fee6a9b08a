"""The desk over HTTP: who may, what is ordered, what is shown, and that no other site's page can."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlmodel import col, select

from bot.accounts.roles import Role
from bot.core.errors import BadInput, CallOver
from bot.core.events import HandoverConnected, HandoverEnded, HandoverRinging
from bot.store import agents, notes
from bot.store.account_tables import AuditRow
from bot.store.agents import StaffChange
from bot.store.tables_agents import AgentRow
from bot.web.parts import Parts
from tests.web.conftest import HTML, Client, Orders, csrf_of, sign_in

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
WHO: dict[str, Any] = {"call_id": "call-1", "at": NOW, "target": "responsible", "agent_id": "anna"}


def person(agent_id: str, **more: Any) -> dict[str, Any]:
    known = {"id": agent_id, "name": agent_id.title(), "department": "sales", "tz": "Europe/Moscow"}
    now = {"active": True, "department_name": "Продажи", "on_shift": True, "presence": None}
    return {**known, **now, **more}


CASE: dict[str, Any] = {
    "id": "case-1",
    "call_id": "call-1",
    "owner_id": "anna",
    "claimed_by": "",
    "department": "sales",
    "status": "open",
    "phone": "79001234567",
    "customer": "Елена",
    "words": "долго ждала",
    "callback": True,
    "breached": True,
    "due_at": "2026-11-28T09:00:00+00:00",
    "history": [
        {"id": "1", "at": NOW.isoformat(), "step": "opened", "agent_id": "", "text": "", "owner_id": ""}
    ],
}


def event(kind: str, **fields: Any) -> dict[str, Any]:
    return {"kind": kind, "call_id": "call-1", "at": NOW.isoformat(), **fields}


EVENTS = [
    event("call_started", seq=1, direction="inbound", remote="sip:+79001234567@trunk", survey_id="nps",
          survey_hash="none", attempt_id="attempt-1"),
    event("prompt_started", seq=2, prompt=1, purpose="question", text="Оцените нас", duration_s=1.0),
    event("turn_heard", seq=3, question_id="nps", source="speech", text="два <b>балла</b>"),
    event("answer_recorded", seq=4, question_id="nps", question_kind="nps",
          answer={"status": "answered", "value": 2}),
    event("signal_raised", seq=5, name="complaint", rule="unhappy", words="долго ждала"),
    event("handover_started", seq=6, target="responsible", form="bridge", reason="complaint",
          whisper="Оценка два"),
    event("prompt_started", seq=7, prompt=2, purpose="whisper", text="только сотруднику", duration_s=1.0),
]  # fmt: skip


@pytest.fixture(autouse=True)
def answers(control: Orders) -> None:
    control.answers |= {
        "agents": {
            "agents": [person("anna"), person("boris"), person("vera", department="help")],
            "departments": [],
        },
        "presence": {"state": "available", "desk": True},
        "events": {"events": EVENTS},
        "cases": {"cases": [CASE]},
        "case": {"case": CASE},
        "case_claim": {"claimed": True, "case": CASE},
    }


@pytest.fixture
async def anna(client: Client, parts: Parts) -> Client:
    await sign_in(client, parts, Role.AGENT, "anna", agent_id="anna")
    return client


@pytest.fixture
def rings(parts: Parts) -> None:
    parts.desks.saw(HandoverRinging(seq=7, **WHO))


@pytest.fixture
def talks(parts: Parts, rings: None) -> None:
    parts.desks.saw(HandoverConnected(seq=8, **WHO))


async def send(client: Client, path: str, body: dict[str, Any] | None = None, **more: Any) -> tuple[int, Any]:
    headers = {"X-CSRF-Token": await csrf_of(client, "/agent"), **more}
    async with client.post(f"/agent/{path}", json=body or {}, headers=headers) as reply:
        return reply.status, await reply.json()


async def page(client: Client, path: str) -> str:
    async with client.get(path, headers=HTML) as reply:
        assert reply.status == 200, await reply.text()
        return await reply.text()


CHANGES = (
    ["presence"]
    + [f"calls/call-1/{act}" for act in ("offer", "ice", "accept", "decline", "hold", "unhold")]
    + [f"calls/call-1/{act}" for act in ("hang-up", "pass-on", "note")]
    + [f"cases/case-1/{act}" for act in ("claim", "postpone", "reassign", "close", "note")]
)


@pytest.mark.parametrize("path", CHANGES)
async def test_no_order_without_the_sessions_token(
    anna: Client, talks: None, control: Orders, worker: Orders, path: str
) -> None:
    async with anna.post(f"/agent/{path}", json={"state": "busy"}) as reply:
        assert reply.status == 403
    assert (control.taken, worker.taken) == ([], [])


@pytest.mark.parametrize("path", CHANGES)
async def test_no_order_of_a_stranger(client: Client, worker: Orders, control: Orders, path: str) -> None:
    async with client.post(f"/agent/{path}", json={}) as reply:
        assert reply.status == 401
    assert (control.taken, worker.taken) == ([], [])


@pytest.mark.parametrize("path", [each for each in CHANGES if each.startswith("calls")])
async def test_no_order_to_somebody_elses_call(
    client: Client, parts: Parts, talks: None, worker: Orders, path: str
) -> None:
    await sign_in(client, parts, Role.AGENT, "boris", agent_id="boris")
    status, said = await send(client, path, {"sdp": "v=0", "page": "tab"})
    assert (status, said["error"]["code"]) == (400, BadInput.code)
    assert worker.taken == []


async def test_the_login_of_the_agents_table_opens_the_desk(client: Client, parts: Parts) -> None:
    await agents.save(parts.db, StaffChange(agents=[AgentRow(id="anna", login="Anna.I")]))
    await sign_in(client, parts, Role.AGENT, "anna.i")
    assert 'data-agent="anna"' in await page(client, "/agent")


async def test_an_administrator_without_a_desk_sees_every_case(client: Client, parts: Parts) -> None:
    await sign_in(client, parts, Role.ADMIN, "boss")
    assert 'data-agent=""' in await page(client, "/agent")
    assert "+79001234567" in await page(client, "/agent/cases")
    status, _ = await send(client, "presence", {"state": "busy"})
    assert status == 403


# Presence -------------------------------------------------------------------------------------------


async def test_presence_is_chosen_and_shown(anna: Client, control: Orders) -> None:
    assert (await send(anna, "presence", {"state": "busy"}))[0] == 200
    assert ("presence", {"agent_id": "anna", "state": "busy"}) in control.taken
    async with anna.get("/agent/now") as reply:
        assert await reply.json() == {"presence": "available", "calls": []}


async def test_a_presence_that_is_none_is_refused(anna: Client, control: Orders) -> None:
    status, said = await send(anna, "presence", {"state": "asleep"})
    assert status == 400
    assert "available" in said["error"]["hint"]
    assert not any(do == "presence" for do, _ in control.taken)


# The card -------------------------------------------------------------------------------------------


async def test_the_card_before_anybody_picks_up(anna: Client, rings: None) -> None:
    card = await page(anna, "/agent/calls/call-1")
    for shown in ("***67", "Оценка два", "«долго ждала»", "Оцените нас", "<dd>2</dd>", "не указан"):
        assert shown in card
    assert "79001234567" not in card
    assert "только сотруднику" not in card
    assert "<b>балла" not in card
    assert "&lt;b&gt;балла" in card


async def test_a_card_of_no_call_of_ones_own(anna: Client) -> None:
    async with anna.get("/agent/calls/call-1") as reply:
        assert reply.status == 400


async def test_colleagues_are_all_but_oneself(anna: Client, talks: None) -> None:
    found = await page(anna, "/agent/calls/call-1/colleagues")
    assert 'value="boris"' in found
    assert 'value="anna"' not in found


# The call -------------------------------------------------------------------------------------------


async def test_a_telephone_is_accepted_or_declined_by_button(
    anna: Client, rings: None, worker: Orders
) -> None:
    assert (await send(anna, "calls/call-1/accept"))[0] == 200
    assert (await send(anna, "calls/call-1/decline"))[0] == 200
    assert [(do, params["accepted"]) for do, params in worker.taken] == [
        ("agent_decides", True),
        ("agent_decides", False),
    ]


async def ring_at_desk(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts.live, "is_open", lambda agent_id: True)
    await parts.desks.ring_desk({"call_id": "call-1", "agent_id": "anna", "ring_s": 20.0})


async def test_the_page_picks_up_and_a_second_one_is_told(
    anna: Client, parts: Parts, worker: Orders, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ring_at_desk(parts, monkeypatch)
    worker.answers["webrtc_offer"] = {"sdp": "answer", "leg_id": "leg-1"}
    status, said = await send(anna, "calls/call-1/offer", {"sdp": "v=0", "page": "tab-1"})
    assert (status, said) == (200, {"sdp": "answer", "leg_id": "leg-1"})
    status, said = await send(anna, "calls/call-1/offer", {"sdp": "v=0", "page": "tab-2"})
    assert (status, said["error"]["code"]) == (409, "taken")
    (order,) = worker.taken
    assert order == (
        "webrtc_offer",
        {"purpose": "desk", "call_id": "call-1", "agent_id": "anna", "sdp": "v=0", "again": False},
    )
    assert (await send(anna, "calls/call-1/ice", {"leg_id": "leg-1", "candidate": "candidate:1"}))[0] == 200


async def test_a_talk_is_come_back_to_and_moved_to_another_window(
    anna: Client, parts: Parts, worker: Orders, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ring_at_desk(parts, monkeypatch)
    worker.answers["webrtc_offer"] = {"sdp": "answer", "leg_id": "leg-1"}
    await send(anna, "calls/call-1/offer", {"sdp": "v=0", "page": "tab-1"})
    parts.desks.saw(HandoverConnected(seq=8, **WHO))
    for asked, status in (
        ({"page": "tab-1"}, 200),
        ({"page": "tab-2"}, 409),
        ({"page": "tab-2", "move": True}, 200),
        ({"page": "tab-1"}, 409),
    ):
        assert (await send(anna, "calls/call-1/offer", {"sdp": "again", **asked}))[0] == status, asked
    assert [params["again"] for do, params in worker.taken] == [False, True, True]
    worker.answers["webrtc_offer"] = CallOver("gone")
    assert (await send(anna, "calls/call-1/offer", {"sdp": "again", "page": "tab-2"}))[0] == 410


async def test_an_offer_that_fails_leaves_the_ring_to_the_others(
    anna: Client, parts: Parts, worker: Orders, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ring_at_desk(parts, monkeypatch)
    worker.answers["webrtc_offer"] = BadInput("no audio")
    assert (await send(anna, "calls/call-1/offer", {"sdp": "v=0", "page": "tab-1"}))[0] == 400
    worker.answers["webrtc_offer"] = {"sdp": "answer", "leg_id": "leg-1"}
    assert (await send(anna, "calls/call-1/offer", {"sdp": "v=0", "page": "tab-2"}))[0] == 200


async def test_a_talk_is_held_passed_on_and_ended(anna: Client, talks: None, worker: Orders) -> None:
    for path, body in (("hold", {}), ("unhold", {}), ("pass-on", {"to": "boris"}), ("hang-up", {})):
        assert (await send(anna, f"calls/call-1/{path}", body))[0] == 200, path
    assert worker.taken == [
        ("hold", {"call_id": "call-1"}),
        ("unhold", {"call_id": "call-1"}),
        ("pass_on", {"call_id": "call-1", "to_agent_id": "boris"}),
        ("hang_up", {"call_id": "call-1", "side": "agent"}),
    ]


@pytest.mark.parametrize("to", ["anna", "nobody", "sip:+79001234567@trunk"])
async def test_a_talk_goes_to_nobody_outside_the_table(
    anna: Client, talks: None, worker: Orders, to: str
) -> None:
    assert (await send(anna, "calls/call-1/pass-on", {"to": to}))[0] == 400
    assert worker.taken == []


@pytest.mark.parametrize("path", ["hold", "unhold", "hang-up", "pass-on", "note"])
async def test_what_only_rings_is_no_talk(anna: Client, rings: None, worker: Orders, path: str) -> None:
    body = {"to": "boris", "outcome": "solved", "text": ""}
    assert (await send(anna, f"calls/call-1/{path}", body))[0] == 400
    assert worker.taken == []


async def test_a_note_and_an_outcome_are_kept(anna: Client, parts: Parts, talks: None) -> None:
    parts.desks.saw(HandoverEnded(seq=9, talk_s=5.0, by="caller", **WHO))
    for wrong in ({"outcome": "great", "text": ""}, {"outcome": "", "text": "что-то"}):
        assert (await send(anna, "calls/call-1/note", wrong))[0] == 400
    assert (await send(anna, "calls/call-1/note", {"outcome": "solved", "text": " Вернули "}))[0] == 200
    (note,) = await notes.notes(parts.db, ["call-1"])
    assert (note.agent_id, note.outcome, note.text) == ("anna", "solved", "Вернули")
    assert parts.desks.of_agent("anna") == []


# Cases ----------------------------------------------------------------------------------------------


async def change(client: Client, act: str, **form: str) -> tuple[int, str]:
    form["csrf"] = await csrf_of(client, "/agent")
    async with client.post(f"/agent/cases/case-1/{act}", data=form, headers=HTML) as reply:
        return reply.status, await reply.text()


async def test_cases_are_listed_and_overdue_ones_are_marked(anna: Client, control: Orders) -> None:
    listed = await page(anna, "/agent/cases")
    for shown in ("Елена", "просрочено", "28.11 12:00", "***67", "перезвонить", "Взять в работу"):
        assert shown in listed
    assert "79001234567" not in listed
    assert ("cases", {"limit": 200, "owner_id": "anna"}) in control.taken
    await page(anna, "/agent/cases?of=department")
    assert ("cases", {"limit": 200, "department": "sales"}) in control.taken
    assert "открыто" in await page(anna, "/agent/cases/case-1")


async def test_an_agents_looks_and_changes_are_noted(anna: Client, parts: Parts, talks: None) -> None:
    for _ in range(2):
        await page(anna, "/agent/calls/call-1")
        await page(anna, "/agent/cases/case-1")
    assert (await change(anna, "note", text="занято"))[0] == 200
    async with parts.db.read() as session:
        rows = (await session.exec(select(AuditRow).order_by(col(AuditRow.at), col(AuditRow.id)))).all()
    noted = [(row.action, row.subject, row.subject_id) for row in rows if row.action != "sign_in"]
    assert sorted(noted) == [
        ("note", "case", "case-1"),
        ("view", "call", "call-1"),
        ("view", "case", "case-1"),
        ("view", "cases", "mine"),
    ]


async def test_an_empty_list_says_so(anna: Client, control: Orders) -> None:
    control.answers["cases"] = {"cases": []}
    assert "никто не ждёт звонка" in await page(anna, "/agent/cases")


ORDERS: list[tuple[str, dict[str, str], tuple[str, dict[str, Any]]]] = [
    ("claim", {}, ("case_claim", {})),
    ("postpone", {"due": "2030-01-02T15:00"},
     ("case_postpone", {"due_at": "2030-01-02T15:00:00+03:00", "text": ""})),
    ("reassign", {"to": "boris"}, ("case_reassign", {"owner_id": "boris", "text": ""})),
    ("close", {"status": "done", "text": "помогли"},
     ("case_close", {"status": "done", "outcome": "помогли"})),
    ("note", {"text": "звонила"}, ("case_note", {"text": "звонила"})),
]  # fmt: skip


@pytest.mark.parametrize(("act", "form", "order"), ORDERS, ids=[each[0] for each in ORDERS])
async def test_each_change_is_one_order(
    anna: Client, control: Orders, act: str, form: dict[str, str], order: tuple[str, dict[str, Any]]
) -> None:
    status, text = await change(anna, act, **form)
    assert status == 200, text
    do, params = order
    assert (do, {"case_id": "case-1", "agent_id": "anna", **params}) in control.taken


async def test_who_claims_too_late_is_told(anna: Client, control: Orders) -> None:
    control.answers["case_claim"] = {"claimed": False, "case": CASE}
    status, text = await change(anna, "claim")
    assert status == 200
    assert "Обращение уже взял другой." in text


@pytest.mark.parametrize("due", ["", "завтра", "2001-01-01T10:00"])
async def test_a_deadline_that_makes_no_sense_is_refused(anna: Client, control: Orders, due: str) -> None:
    assert (await change(anna, "postpone", due=due))[0] == 400
    assert not any(do == "case_postpone" for do, _ in control.taken)


@pytest.mark.parametrize(
    ("login", "act", "status"),
    [("boris", "claim", 200), ("boris", "close", 403), ("vera", "claim", 403), ("vera", "note", 403)],
)
async def test_a_colleague_may_claim_and_a_stranger_nothing(
    client: Client, parts: Parts, login: str, act: str, status: int
) -> None:
    await sign_in(client, parts, Role.AGENT, login, agent_id=login)
    assert (await change(client, act, status="done", text="x"))[0] == status


async def test_a_change_that_is_none(anna: Client) -> None:
    assert (await change(anna, "burn"))[0] == 404
