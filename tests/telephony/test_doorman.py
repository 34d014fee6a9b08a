"""Who may call in, without a network."""

from __future__ import annotations

import ipaddress

import pytest

from telephony.doorman import KEPT_S, Address, Doorman, host_of
from telephony.siptrace import sighting

INVITE = (
    "RX UDP {source}:5060 -> 192.0.2.1:5070\nINVITE sip:100@192.0.2.1 SIP/2.0\r\n"
    "Call-ID: one\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"
)


class Names:
    """A name server that counts what it is asked, and may be away."""

    def __init__(self, **known: str) -> None:
        self.known = known
        self.asked = 0
        self.away = False

    async def resolve(self, host: str) -> tuple[Address, ...]:
        self.asked += 1
        if self.away:
            raise OSError("no answer")
        return (ipaddress.ip_address(self.known[host]),)


@pytest.mark.parametrize(
    ("source", "admitted"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("192.0.2.77", True),
        ("2001:db8::7", True),
        ("::ffff:192.0.2.77", True),
        ("198.51.100.5", True),
        ("198.51.100.6", False),
        ("203.0.113.9", False),
        ("2001:db8::8", False),
        ("", False),
        ("no-address", False),
    ],
)
async def test_this_machine_the_trunk_and_the_networks_may_call_and_nobody_else(
    source: str, admitted: bool
) -> None:
    names = Names(**{"trunk.test": "198.51.100.5"})
    door = Doorman(("192.0.2.0/24", "2001:db8::7"), ("trunk.test:5062", ""), resolve=names.resolve)
    assert await door.admits(source) is admitted


async def test_a_trunk_that_moves_is_followed_and_one_whose_name_is_silent_is_kept() -> None:
    now = [0.0]
    names = Names(**{"trunk.test": "198.51.100.5"})
    door = Doorman((), ("trunk.test",), resolve=names.resolve, now=lambda: now[0])
    assert await door.admits("198.51.100.5")
    names.known["trunk.test"] = "198.51.100.6"
    assert await door.admits("198.51.100.5"), "asked a moment ago"
    assert names.asked == 1
    now[0] += KEPT_S
    assert await door.admits("198.51.100.6")
    assert not await door.admits("198.51.100.5")
    now[0] += KEPT_S
    names.away = True
    assert await door.admits("198.51.100.6"), "its name server is away, the trunk is not"
    assert names.asked == 3


@pytest.mark.parametrize(
    ("where", "host"),
    [
        ("pbx.test", "pbx.test"),
        ("pbx.test:5060", "pbx.test"),
        ("sip:sbc.test;transport=tcp", "sbc.test"),
        ("sip:otklik@sbc.test:5061;lr", "sbc.test"),
        ("<sip:sbc.test>", "sbc.test"),
        ("192.0.2.9:5060", "192.0.2.9"),
        ("[2001:db8::9]:5060", "2001:db8::9"),
        ("2001:db8::9", "2001:db8::9"),
        ("", ""),
    ],
)
def test_the_host_of_a_trunk_is_found_however_it_is_written(where: str, host: str) -> None:
    assert host_of(where) == host


@pytest.mark.parametrize(("source", "told"), [("192.0.2.7", "192.0.2.7"), ("[2001:db8::7]", "2001:db8::7")])
def test_the_trace_tells_where_an_invite_came_from(source: str, told: str) -> None:
    seen = sighting(INVITE.format(source=source))
    assert seen is not None
    assert (seen.call_id, seen.status, seen.source) == ("one", None, told)


def test_an_invite_of_ours_has_no_source() -> None:
    assert sighting(INVITE.format(source="192.0.2.1").replace("RX ", "TX ")) is None
