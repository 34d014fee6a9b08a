"""Links to a survey: made by an order, opened, redeemed by one browser, run out; and the call behind one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestServer
from pytest_aiohttp import AiohttpClient

from bot.core.clock import ManualClock
from bot.core.context import CallContext
from bot.core.errors import BadInput, CallOver, LinkRefused, SurveyInvalid, Unavailable
from bot.core.events import CallStarted, PromptStarted
from bot.surveys.loader import load_survey
from bot.web.customers.orders import LinkOrders
from bot.web.links import SurveyLinks
from bot.web.parts import Parts
from bot.web.server import make_app
from tests.node.running import SHORT_SURVEYS
from tests.web.conftest import HTML, Client, Orders
from tests.web.test_pages import messages

JSON = {"Content-Type": "application/json"}
OFFER = {"sdp": "v=0\r\n"}


@pytest.fixture
def digest(parts: Parts) -> str:
    """The short CSAT is published."""
    hashed = parts.published.freeze(load_survey(SHORT_SURVEYS / "csat.yaml"))
    parts.published.release(hashed)
    return hashed


@pytest.fixture
async def path(parts: Parts, digest: str) -> str:
    orders = LinkOrders(parts.links, parts.published, parts.settings.address)
    made = await orders.survey_link(
        {"survey": "csat", "name": "Анна", "agent": "ivanova", "phone": "+7 900 123-45-67"}
    )
    return str(made["url"]).removeprefix(parts.settings.address)


async def redeem(client: Client, path: str) -> int:
    async with client.post(f"{path}/redeem", json={}) as reply:
        return reply.status


async def test_opening_a_link_does_not_use_it_up(client: Client, path: str) -> None:
    """A messenger opens it to show a preview, and so does whoever only looks."""
    for _ in range(3):
        async with client.get(path, headers=HTML) as reply:
            page = await reply.text()
            assert reply.status == 200
            assert "Set-Cookie" not in reply.headers
    assert "Короткий CSAT" in page
    assert await redeem(client, path) == 200


async def test_a_link_is_redeemed_by_one_browser(
    client: Client, parts: Parts, path: str, aiohttp_client: AiohttpClient
) -> None:
    other: Client = await aiohttp_client(TestServer(make_app(parts)))
    assert await redeem(client, path) == 200
    assert await redeem(client, path) == 200  # pressed twice
    assert await redeem(other, path) == 409
    async with client.get(path, headers=HTML) as reply:
        assert reply.status == 200
    async with other.get(path, headers=HTML) as reply:
        assert reply.status == 409
        assert "в другом месте" in await reply.text()
    for what in ("offer", "press", "leave", "ice"):
        async with other.post(f"{path}/{what}", json={}) as reply:
            assert reply.status == 403


async def test_of_two_browsers_at_once_one_gets_it(
    parts: Parts, path: str, aiohttp_client: AiohttpClient
) -> None:
    clients = [await aiohttp_client(TestServer(make_app(parts))) for _ in range(4)]
    assert sorted(await asyncio.gather(*(redeem(client, path) for client in clients))) == [200, 409, 409, 409]


async def test_a_forged_or_cut_link_is_none(client: Client, parts: Parts, path: str) -> None:
    stranger = SurveyLinks(parts.db, parts.clock, "another secret of thirty-two chars")
    forged, _ = await stranger.make("csat", timedelta(hours=1))
    for bad in (path[:-1], path + "x", path.replace(".", "_"), f"/s/{forged}", "/s/x"):
        async with client.get(bad, headers=HTML) as reply:
            assert reply.status == 404, bad
            assert "Такой ссылки нет" in await reply.text()
        assert await redeem(client, bad) == 404


async def test_a_link_runs_out_but_a_call_that_began_goes_on(
    parts: Parts, digest: str, clock: ManualClock, worker: Orders, aiohttp_client: AiohttpClient
) -> None:
    worker.answers["webrtc_offer"] = {"sdp": "answer", "leg_id": "leg-1"}
    tokens = [(await parts.links.make("csat", timedelta(hours=1)))[0] for _ in range(2)]
    late, begun = [await aiohttp_client(TestServer(make_app(parts))) for _ in range(2)]
    assert await redeem(begun, f"/s/{tokens[1]}") == 200
    clock.advance(3600)
    async with late.get(f"/s/{tokens[0]}", headers=HTML) as reply:
        assert reply.status == 410
        assert "Срок ссылки вышел" in await reply.text()
    assert await redeem(late, f"/s/{tokens[0]}") == 410
    async with begun.post(f"/s/{tokens[1]}/offer", json=OFFER) as reply:
        assert reply.status == 200


async def test_the_order_says_what_it_needs(parts: Parts, digest: str) -> None:
    orders = LinkOrders(parts.links, parts.published, "https://otklik.test")
    with pytest.raises(SurveyInvalid, match="absent"):
        await orders.survey_link({"survey": "absent"})
    for bad, where in (
        ({}, "survey"),
        ({"survey": "csat", "valid_s": 5}, "valid_s"),
        ({"survey": "csat", "phone": "drop table"}, "phone"),
        ({"survey": "csat", "who": "x"}, "who"),
    ):
        with pytest.raises(BadInput, match=where):
            await orders.survey_link(bad)
    made = await orders.survey_link({"survey": "csat", "valid_s": 60})
    assert made["url"].startswith("https://otklik.test/s/")
    assert made["expires_at"] == "2026-01-01T00:01:00+00:00"


async def test_no_name_or_number_stands_in_a_link(path: str) -> None:
    assert len(path) < 80
    assert "900" not in path
    assert "%" not in path


# The call -------------------------------------------------------------------------------------


async def test_the_first_offer_makes_the_call_and_later_ones_come_back_to_it(
    client: Client, path: str, digest: str, worker: Orders
) -> None:
    worker.answers["webrtc_offer"] = {"sdp": "answer", "leg_id": "leg-1"}
    await redeem(client, path)
    for _ in range(2):
        async with client.post(f"{path}/offer", json=OFFER) as reply:
            assert await reply.json() == {"sdp": "answer", "leg_id": "leg-1"}
    (do, first), (_, again) = worker.taken
    context = CallContext.model_validate(first["context"])
    assert (do, first["purpose"], first["sdp"]) == ("webrtc_offer", "customer", OFFER["sdp"])
    assert (context.survey_hash, context.direction, context.call_id) == (digest, "inbound", first["call_id"])
    assert (context.customer.first_name, context.agent.id) == ("Анна", "ivanova")
    assert first["remote"] == "tel:+79001234567"
    assert again == {
        "purpose": "customer",
        "call_id": first["call_id"],
        "sdp": OFFER["sdp"],
        "again": True,
    }
    async with client.post(f"{path}/press", json={"keys": "10"}) as reply:
        assert reply.status == 200
    async with client.post(f"{path}/ice", json={"leg_id": "leg-1", "candidate": "candidate:1"}) as reply:
        assert reply.status == 200
    async with client.post(f"{path}/leave", json={}) as reply:
        assert reply.status == 200
    assert worker.taken[2:] == [
        ("press", {"call_id": first["call_id"], "keys": "10"}),
        ("webrtc_ice", {"leg_id": "leg-1", "candidate": "candidate:1"}),
        ("hang_up", {"call_id": first["call_id"], "side": "caller"}),
    ]


async def test_a_call_that_did_not_come_about_may_be_tried_again(
    client: Client, path: str, worker: Orders
) -> None:
    await redeem(client, path)
    worker.answers["webrtc_offer"] = Unavailable("all lines are taken")
    async with client.post(f"{path}/offer", json=OFFER) as reply:
        assert reply.status == 503
    worker.answers["webrtc_offer"] = {"sdp": "answer", "leg_id": "leg-1"}
    async with client.post(f"{path}/offer", json=OFFER) as reply:
        assert reply.status == 200
    assert "again" not in worker.taken[-1][1]


async def test_a_call_that_is_over_is_told_as_such(client: Client, path: str, worker: Orders) -> None:
    worker.answers["webrtc_offer"] = {"sdp": "answer", "leg_id": "leg-1"}
    await redeem(client, path)
    async with client.post(f"{path}/offer", json=OFFER) as reply:
        assert reply.status == 200
    worker.answers["webrtc_offer"] = CallOver("this call is over")
    async with client.post(f"{path}/offer", json=OFFER) as reply:
        assert reply.status == 410
        assert (await reply.json())["error"]["code"] == "call_over"


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("offer", {}),
        ("offer", {"sdp": 5}),
        ("press", {"keys": ""}),
        ("press", {"keys": "1" * 13}),
        ("ice", {}),
    ],
)
async def test_what_a_page_never_sends(
    client: Client, path: str, worker: Orders, what: str, body: dict[str, Any]
) -> None:
    worker.answers["webrtc_offer"] = {"sdp": "answer", "leg_id": "leg-1"}
    await redeem(client, path)
    async with client.post(f"{path}/offer", json=OFFER) as reply:
        assert reply.status == 200
    async with client.post(f"{path}/{what}", json=body) as reply:
        assert reply.status == 400
    for data in (b"[]", b"{", b"\xff"):
        async with client.post(f"{path}/{what}", data=data, headers=JSON) as reply:
            assert reply.status == 400
    assert len(worker.taken) == 1


async def test_nothing_is_pressed_before_there_is_a_call(client: Client, path: str, worker: Orders) -> None:
    await redeem(client, path)
    async with client.post(f"{path}/press", json={"keys": "1"}) as reply:
        assert reply.status == 409
    assert worker.taken == []


# Captions -------------------------------------------------------------------------------------


@pytest.fixture
def numbers() -> Iterator[int]:
    return iter(range(1, 1000))


async def test_a_page_that_comes_back_sees_what_was_said_and_goes_on(
    client: Client, parts: Parts, path: str, digest: str, clock: ManualClock, worker: Orders, control: Orders
) -> None:
    worker.answers["webrtc_offer"] = {"sdp": "answer", "leg_id": "leg-1"}
    await redeem(client, path)
    async with client.post(f"{path}/offer", json=OFFER):
        call_id = worker.taken[0][1]["call_id"]
    head = {"call_id": call_id, "at": clock.now()}
    prompt = {"purpose": "question", "duration_s": 1.0}
    started = CallStarted(
        seq=1,
        direction="inbound",
        remote="tel:+79001234567",
        survey_id="csat",
        survey_hash=digest,
        attempt_id="attempt-1",
        **head,
    )
    said = PromptStarted(seq=2, prompt=1, text="Это опрос.", **{**prompt, "purpose": "introduction"}, **head)
    asked = PromptStarted(seq=3, prompt=2, text="Оценка?", question_id="csat", **prompt, **head)
    control.answers["events"] = {"events": [each.model_dump(mode="json") for each in (started, said)]}
    async with client.get(f"{path}/events") as reply:
        parts.live.publish(said)  # stored meanwhile: not told twice
        parts.live.publish(asked)
        told = [data for _, data in await messages(reply, 3)]
    assert [each["what"] for each in told] == ["said", "said", "keys"]
    assert (told[1]["text"], told[2]["layout"], len(told[2]["keys"])) == ("Оценка?", "scale", 5)
    control.answers["events"] = {"events": [each.model_dump(mode="json") for each in (started, said, asked)]}
    async with client.get(f"{path}/events", headers={"Last-Event-ID": "2"}) as reply:
        again = [data for _, data in await messages(reply, 2)]
    assert again == told[1:]
    parts.live.close()


async def test_a_link_of_another_node_is_refused_by_its_signature(parts: Parts, tmp_path: Path) -> None:
    with pytest.raises(LinkRefused) as refused:
        await parts.links.find("abc.def")
    assert refused.value.why == "unknown"
