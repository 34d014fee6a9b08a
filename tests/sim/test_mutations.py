"""A fuzzer's messages: the same seed gives the same, every kind is made, and damage is damage. Where they go,
and what is made of the memory that they leave behind."""

from __future__ import annotations

import random
import struct
from collections import Counter
from typing import cast

import pytest

from bot.cli.bench_fuzz import as_figures
from bot.core.control import ControlClient
from bot.core.errors import Unavailable
from bot.sim.bench.fuzz_calls import Line, LiveEnd
from bot.sim.bench.fuzz_pages import Page, link_id, longest_silence
from bot.sim.bench.fuzz_run import KINDS, NOBODY, FuzzFound, Fuzzing, Source, targets
from bot.sim.bench.fuzz_seeds import Seeds
from bot.sim.bench.fuzz_watch import Seen, later_growth, memory_verdict
from bot.sim.bench.mutations import MOST, Mutator
from bot.sim.bench.soaking import Verdict
from bot.sim.browser import heard_at
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


def test_what_is_shaped_like_dtls_is_cut_into_records_as_dtls_is() -> None:
    """RFC 6347, 4.1: kind, version, epoch, number, length; what does not fit would be dropped unread."""
    rng = random.Random(7)
    seeds, kinds = Seeds("127.0.0.1:5070", "127.0.0.1:9", rng, Mutator(rng)), set()
    for _ in range(300):
        message = seeds.dtls()
        assert 19 < message[0] < 64  # RFC 7983, 7: else it is not taken for DTLS
        while message:
            kind, version, length = struct.unpack("!BH8xH", message[:13])
            assert version in (0xFEFD, 0xFEFF, 0x0303)
            assert len(message) >= 13 + length
            kinds.add(kind)
            message = message[13 + length :]
    assert kinds == {20, 21, 22, 23, 25, 26}


def test_a_browsers_port_is_sent_all_that_comes_to_a_call_and_no_sip() -> None:
    sip, control = ("127.0.0.1", 5060), cast(ControlClient, None)
    line, page = Line("live-0", "csat", {}, control), Page("page-0", "csat", {}, control)
    assert targets("rtp", sip, [line], [page]) == targets("dtls", sip, [line], [page]) == []
    assert targets("stun", sip, [line], [page]) == [sip]
    line.at, page.at = ("127.0.0.1", 30_000), ("127.0.0.1", 31_000)
    assert targets("sip", sip, [line], [page]) == targets("sdp", sip, [line], [page]) == [sip]
    assert targets("stun", sip, [line], [page]) == [sip, line.at, page.at]
    for kind, port in (("rtp", 30_000), ("dtls", 30_000), ("rtcp", 30_001)):
        assert targets(kind, sip, [line], [page]) == [("127.0.0.1", port), page.at]


def test_where_a_browsers_call_is_heard_and_what_it_hears() -> None:
    assert link_id("http://127.0.0.1:8080/s/abc.signature") == "abc"
    answer = (
        "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"
        "m=audio 31007 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 127.0.0.1\r\n"
    )
    candidate = "a=candidate:1 1 udp 2130706431 127.0.0.1 31007 typ host\r\n"
    assert heard_at(answer + candidate) == ("127.0.0.1", 31_007)
    with pytest.raises(Unavailable, match="address"):
        heard_at(answer)
    assert longest_silence([1.1, 1.2, 3.0, 3.9, 9.0], began_at=1.0, ended_at=4.0) == pytest.approx(1.8)
    assert longest_silence([1.1], began_at=1.0, ended_at=9.0) == pytest.approx(7.9)
    assert longest_silence([], began_at=1.0, ended_at=4.0) == 3.0


# Memory ---------------------------------------------------------------------------------------


def looks(seconds: int, at_first_mb: float, later_mb: float) -> list[Seen]:
    """One a second: what comes in the first third, and what comes evenly in the other two."""
    third = seconds / 3
    return [
        Seen(at, 280 + at_first_mb * min(at / third, 1) + later_mb * max(at - third, 0) / (2 * third))
        for at in map(float, range(seconds + 1))
    ]


def test_memory_that_grows_after_the_first_third_is_a_leak() -> None:
    assert later_growth(looks(180, 37.0, 0.0)) == pytest.approx(0.0, abs=0.5)
    assert memory_verdict(looks(180, 37.0, 10.0)) is Verdict.MET
    assert later_growth(looks(180, 0.0, 60.0)) == pytest.approx(45.0, abs=0.5)
    assert memory_verdict(looks(180, 0.0, 60.0)) is Verdict.MISSED


def test_of_a_short_run_memory_is_told_and_not_judged() -> None:
    assert memory_verdict(looks(80, 0.0, 500.0)) is Verdict.NOT_JUDGED
    assert later_growth(looks(80, 0.0, 500.0)) > 300
    assert memory_verdict([]) is Verdict.NOT_JUDGED


def test_what_programs_get_of_a_fuzzed_node() -> None:
    def found(later_mb: float) -> FuzzFound:
        sent = dict.fromkeys(KINDS, 1)
        return FuzzFound(sent, 0, (LiveEnd(""),), tuple(looks(180, 30.0, later_mb)), answers=True)

    plan = Fuzzing(180.0, seed=9, number="csat", keys={})
    told = as_figures(found(60.0), plan, 181.0)
    assert told.keys() == {
        *("minutes", "seed", "sent", "messages", "crashes", "calls", "calls_lost", "lost", "calls_refused"),
        *("answers_changed", "options_answered", "rss_mb", "rss_growth_mb", "rss_growth_later_mb", "memory"),
        *("cpus", "load_1m"),
    }
    assert (told["rss_growth_mb"], told["rss_growth_later_mb"], told["memory"]) == (90.0, 45.5, "missed")
    assert not found(60.0).well
    assert found(20.0).well
