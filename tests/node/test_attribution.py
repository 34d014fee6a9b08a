"""Whose talk a passed-on call is about: every way in which a PBX can say it, by a real SIPp."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.core.clock import SystemClock
from bot.core.context import Person
from bot.core.errors import BadInput
from bot.core.events import Answered, CallEnded, CallEvent, CallStarted
from bot.settings_rooms import store_settings
from bot.store.attempts import NewCall, cancel, queue_call
from bot.store.database import Database
from tests.node.api import post
from tests.node.running import RunningNode
from tests.telephony.peers import sipp

PBX = Path(__file__).parent / "sipp" / "uac_passed_on.xml"
CALLER = "+74951112233@127.0.0.1"
HEX = b"agent=op-18;department=sales;conversation_id=c-2".hex()
X_HEADERS = {"X-Agent-Id": "op-17", "X-Department": "billing", "X-Conversation-Id": "c-1"}
UUI = {"User-to-User": f"04{HEX};encoding=hex;purpose=isdn-uui;content=isdn-uui"}
LONGEST_S = 60.0


async def passed_on(
    node: RunningNode, folder: Path, headers: Mapping[str, str], *, service: str, caller: str
) -> tuple[CallStarted, dict[str, Any]]:
    """A call that is passed on, answered, and hung up: how it started, and as it is stored."""
    lines = "".join(f"      {name}: {value}\n" for name, value in headers.items())
    scenario = folder / "passed_on.xml"
    scenario.write_text(PBX.read_text().replace("[headers]", lines))  # as they are, quotes and all
    async with await node.connect() as control:
        await control.watch()
        async with sipp(scenario, folder, calls=node.sip, service=service, caller=caller) as customer:
            started: CallStarted | None = None
            async with asyncio.timeout(LONGEST_S):
                async for event in control.events():
                    started = _seen(event, started, customer)
                    if isinstance(event, CallEnded):
                        break
            assert await customer.succeeded(), customer.log
        assert started is not None
        [stored] = (await control.request("calls", call_ids=[started.call_id]))["calls"]
    return started, stored


def _seen(event: CallEvent, started: CallStarted | None, customer: Any) -> CallStarted | None:
    if isinstance(event, Answered):
        customer.hang_up(customer.call_id())
    return event if isinstance(event, CallStarted) else started


def ring(
    node: RunningNode,
    folder: Path,
    headers: Mapping[str, str] | None = None,
    *,
    service: str = "100",
    caller: str = CALLER,
    announce: Mapping[str, Any] | None = None,
) -> tuple[CallStarted, dict[str, Any]]:
    if announce is not None:
        asyncio.run(post(node, "announcements", dict(announce)))
    return asyncio.run(passed_on(node, folder, headers or {}, service=service, caller=caller))


WAYS = {
    "x_headers": (X_HEADERS, None, ("op-17", "billing", "c-1"), "header"),
    "uui_hex": (UUI, None, ("op-18", "sales", "c-2"), "user_to_user"),
    "uui_text": (
        {"User-to-User": '"agent=op-19;department=sales;conversation_id=c-3";encoding=text'},
        None,
        ("op-19", "sales", "c-3"),
        "user_to_user",
    ),
    "uui_before_x_headers": (X_HEADERS | UUI, None, ("op-18", "sales", "c-2"), "user_to_user"),
    "announced_by_phone": (
        X_HEADERS | UUI,
        {"phone": "8 495 111-22-33", "agent": "op-20", "department": "vip", "conversation_id": "c-4"},
        ("op-20", "vip", "c-4"),
        "announcement",
    ),
    "announced_by_number": (
        {},
        {"called": "100", "agent": "op-21", "department": "vip", "conversation_id": "c-5"},
        ("op-21", "vip", "c-5"),
        "announcement",
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_who_had_the_talk(other_node: RunningNode, tmp_path: Path, way: str) -> None:
    headers, announcement, values, source = WAYS[way]
    started, stored = ring(other_node, tmp_path, headers, announce=announcement)
    assert (started.agent_id, started.department, started.conversation_id) == values
    assert (stored["agent_id"], stored["department"], stored["conversation_id"]) == values
    found = stored["attribution"]
    assert {found["agent"], found["department"], found["conversation_id"]} == {source}
    assert (stored["survey"], found["survey"]) == ("csat", "route")
    assert started.phone == "74951112233"


def test_a_malformed_user_to_user_refuses_no_call(other_node: RunningNode, tmp_path: Path) -> None:
    before = missing(other_node, "agent", "malformed")
    started, stored = ring(other_node, tmp_path, {"User-to-User": "0xBAD;encoding=hex"})
    assert started.agent_id == ""
    assert stored["attribution"]["agent"] is None
    assert stored["attribution"]["missing"]["agent"] == "malformed"
    assert stored["attribution"]["malformed"] == ["User-to-User"]
    assert missing(other_node, "agent", "malformed") == before + 1
    log = "".join(file.read_text() for file in other_node.settings.log_dir.glob("worker-0*"))
    assert "headers not understood" in log
    assert "0xBAD" not in log, "the data may be anything"


def test_what_nobody_says_is_shown_as_missing(other_node: RunningNode, tmp_path: Path) -> None:
    before = missing(other_node, "agent", "not_sent")
    started, stored = ring(other_node, tmp_path)
    assert (started.agent_id, started.conversation_id, stored["conversation_id"]) == ("", "", None)
    assert stored["attribution"]["agent"] is None
    assert stored["attribution"]["missing"]["agent"] == "not_sent"
    assert missing(other_node, "agent", "not_sent") == before + 1


def test_callers_known_unknown_and_hidden(other_node: RunningNode, tmp_path: Path) -> None:
    before = missing(other_node, "customer", "unknown_caller")
    _, stranger = ring(other_node, tmp_path, caller="+74950000777@127.0.0.1")
    assert (stranger["contact_id"], stranger["attribution"]["phone"]) == (None, "from")
    assert stranger["attribution"]["missing"]["customer"] == "unknown_caller"
    assert missing(other_node, "customer", "unknown_caller") == before + 1

    _, hidden = ring(other_node, tmp_path, caller="anonymous@anonymous.invalid")
    assert hidden["attribution"]["missing"]["phone"] == "withheld"

    asyncio.run(remember(other_node, "sip:+74950000888@pbx", Person(id="customer-888", first_name="Анна")))
    identity = {"P-Asserted-Identity": "<sip:+74950000888@pbx>"}
    started, known = ring(other_node, tmp_path, identity, caller="101@127.0.0.1")
    assert (started.contact_id, known["contact_id"], started.phone) == (
        "customer-888", "customer-888", "74950000888",
    )  # fmt: skip
    assert (known["attribution"]["customer"], known["attribution"]["phone"]) == ("contact", "asserted")


def test_an_announcement_is_checked_and_counts_once(other_node: RunningNode) -> None:
    said = {"token": "w-1", "agent": "op-17", "key": "k-1", "valid_s": 60}
    first = asyncio.run(other_node.ask("announce", **said))
    again = asyncio.run(other_node.ask("announce", **said))
    assert (first["new"], again["new"]) == (True, False)
    assert first["announcement"] == again["announcement"]
    for wrong, told in (
        ({"phone": "+74950000001", "survey": "cast"}, "cast"),
        ({"agent": "op-17"}, "phone, called или token"),
        ({"phone": "+74950000001", "agnet": "op-17"}, "agnet"),
    ):
        with pytest.raises(BadInput, match=told) as refused:
            asyncio.run(other_node.ask("announce", **wrong))
        assert refused.value.hint
    with pytest.raises(BadInput) as refused:
        asyncio.run(other_node.ask("announce", phone="+74950000001", survey="cast"))
    assert "csat" in refused.value.hint


def missing(node: RunningNode, value: str, why: str) -> float:
    return node.metrics().get(("otklik_inbound_attribution_total", (f"missing:{why}", value)), 0)


async def remember(node: RunningNode, uri: str, person: Person) -> None:
    """A customer whom we have wanted to ring before."""
    now = SystemClock().now()
    async with Database.open(store_settings(node.settings)) as db:
        order = NewCall(to_uri=uri, survey_id="csat", survey_hash="h", customer=person)
        attempt = await queue_call(db, order, now)
        await cancel(db, attempt.id, now)
