"""Who gets to the node: by `otklik firewall` with a real nftables, and by the node itself without one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from typing import Any

import pytest

from bot.core.errors import BadInput, Unavailable
from bot.firewall import HURRIED, STRANGE_SOUND, STRANGERS, ruleset
from bot.settings import PROJECT
from bot.settings_load import load_settings
from bot.sip_door import door_of
from tests.trust.two_networks import ALLOWED, BURST, PBX, RTP, SIP, SOUND, WEB, WEBRTC

PER_SECOND = 5


async def printed(**sip: Any) -> str:
    return ruleset(await door_of(load_settings(sip={"port": SIP, **sip})))


@cache
def played(rules: str, module: str = "tests.trust.two_networks") -> dict[str, Any]:
    """What came of real packets, in a network of its own."""
    alone = ["unshare", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"]), "--net"]
    done = subprocess.run(
        [*alone, sys.executable, "-m", module],
        input=rules, cwd=PROJECT, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


async def trunk_and_sound() -> dict[str, Any]:
    sip = {"trunk": {"domain": f"{ALLOWED}:5060"}, "allowed": (PBX,), "media": (SOUND,)}
    return played(await printed(**sip, calls_per_s=PER_SECOND))


async def test_only_the_trunk_signals_and_strangers_are_dropped_and_counted() -> None:
    found = await trunk_and_sound()
    came = found["received"][str(SIP)]
    assert [each for each in came if "stranger" in each or "only send sound" in each] == []
    assert [each for each in came if each.startswith("OPTIONS")] == [f"OPTIONS {n}" for n in range(8)]
    assert found["tcp"] == {"stranger": False, "allowed": True}
    assert found["dropped"][STRANGERS] >= 3 * 2 + 1 + 1, "each datagram, and the TCP connection"


async def test_calls_above_the_rate_are_dropped_and_counted_and_nothing_else_is() -> None:
    found = await trunk_and_sound()
    taken = [each for each in found["received"][str(SIP)] if each.startswith("INVITE")]
    assert len(taken) + found["dropped"][HURRIED] == 8
    assert taken[:PER_SECOND] == [f"INVITE {number}" for number in range(PER_SECOND)]
    assert 0 < found["dropped"][HURRIED] <= 8 - PER_SECOND


async def test_over_tcp_it_is_connections_that_are_counted_and_not_the_calls_on_one() -> None:
    found = (await trunk_and_sound())["burst"]
    assert 0 < found["dropped"] <= BURST - PER_SECOND
    assert found["invites"] == BURST


async def test_sound_comes_from_the_trunk_and_from_who_is_named_for_sound() -> None:
    found = await trunk_and_sound()
    assert found["received"][str(RTP)] == ["sound", "sound of a telephone", "last"]
    assert found["dropped"][STRANGE_SOUND] == 1


async def test_a_telephone_that_the_node_rings_itself_may_answer() -> None:
    found = await trunk_and_sound()
    assert "180 Ringing" in found["received"][str(SIP)]
    assert "sound of a telephone" in found["received"][str(RTP)]


async def test_browsers_and_ports_that_are_not_ours_are_left_alone() -> None:
    found = await trunk_and_sound()
    assert found["received"][str(WEBRTC)] == ["a browser", "last"]
    assert found["received"][str(WEB)] == ["not ours", "last"]


def test_without_a_firewall_the_node_takes_calls_of_its_trunk_and_of_who_is_allowed_alone() -> None:
    found = played("", "tests.trust.strangers")
    assert found["statuses"] == {"trunk": 200, "allowed": 200, "stranger": 486}
    assert found["offered"] == ["trunk", "allowed"]
    assert found["lines"] == 0


async def test_networks_of_both_kinds_are_printed_each_in_its_set() -> None:
    rules = await printed(allowed=("10.0.0.0/24", "2001:db8::/64"), rtp_ports="40000-40999")
    assert "callers4 { type ipv4_addr; flags interval; auto-merge; elements = { 10.0.0.0/24 }; }" in rules
    assert "callers6 { type ipv6_addr; flags interval; auto-merge; elements = { 2001:db8::/64 }; }" in rules
    assert "udp dport 40000-40999 counter name strange_sound drop" in rules


async def test_a_node_that_nobody_may_call_gets_no_ruleset() -> None:
    with pytest.raises(BadInput) as refused:
        await printed()
    assert "sip.allowed" in refused.value.hint


async def test_a_trunk_whose_name_means_nothing_is_told() -> None:
    with pytest.raises(Unavailable) as refused:
        await printed(trunk={"domain": "no-such-trunk.invalid"})
    assert "no-such-trunk.invalid" in refused.value.message
    assert "sip.allowed" in refused.value.hint
