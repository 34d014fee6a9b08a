"""A fuzzer's messages: the same seed gives the same, every kind is made, and damage is damage."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from bot.sim.bench.fuzz_run import KINDS, NOBODY, Fuzzing, Source
from bot.sim.bench.mutations import MOST, Mutator
from bot.sim.sip_message import Request, parse


def drawn(seed: int, count: int) -> list[tuple[str, bytes]]:
    source = Source(Fuzzing(1.0, seed=seed, number="csat", keys={}), "127.0.0.1:5070", "127.0.0.1:9")
    return [source.next() for _ in range(count)]


def test_the_same_seed_draws_the_same_messages_and_another_one_others() -> None:
    assert drawn(7, 300) == drawn(7, 300)
    assert drawn(7, 300) != drawn(8, 300)


def test_every_kind_is_drawn_and_most_of_it_is_damaged() -> None:
    messages = drawn(7, 2000)
    assert set(Counter(kind for kind, _ in messages)) == set(KINDS)
    assert all(len(message) <= MOST for _, message in messages)
    sip = [message for kind, message in messages if kind == "sip"]
    assert 0.02 < sum(_is_whole(message) for message in sip) / len(sip) < 0.8


def _is_whole(message: bytes) -> bool:
    try:
        return bool(parse(message).call_id)
    except Exception:
        return False


def test_a_damaged_description_lies_in_a_whole_invite() -> None:
    """Else the parser of SDP would never see it."""
    for message in (message for kind, message in drawn(7, 500) if kind == "sdp"):
        invite = parse(message)
        assert isinstance(invite, Request)
        assert invite.method == "INVITE"
        assert invite.uri.startswith(("sip:csat@", f"sip:{NOBODY}@"))
        head, _, body = message.partition(b"\r\n\r\n")
        assert f"Content-Length: {len(body)}".encode() in head.splitlines()


@pytest.mark.parametrize("data", [b"", b"\0", b"INVITE sip:a SIP/2.0\r\nTo: <sip:a>\r\n\r\n"])
def test_nothing_is_too_small_to_be_damaged(data: bytes) -> None:
    mutator = Mutator(random.Random(1))
    results = {mutator.text(data) for _ in range(300)} | {mutator.packet(data) for _ in range(300)}
    assert len(results) > 50
