"""An nftables ruleset for a node, from its settings: who may signal, how often, and whose sound may come.

Pure: the addresses behind the trunk's names come in. Other ports of the machine are left alone: the ruleset
has a table of its own, whose chain accepts what it does not name.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bot.settings_sip import SipSection
from telephony.doorman import Address, Network, hosts_of

TABLE = "otklik"
STRANGERS, HURRIED, STRANGE_SOUND = "strangers", "too_many_calls", "strange_sound"
"""Counters of what is dropped: signalling and sound of those who are not listed, calls above the rate."""

_INVITE = f"0x{b'INVITE'.hex()}"
_PRIORITY = -10
"""Before a machine's own filter (priority 0): what is dropped here is dropped, whatever that one accepts."""


@dataclass(frozen=True, slots=True)
class Door:
    """`callers` may signal and send sound, `media` sound alone. `calls_per_s` is of one address."""

    sip_port: int
    rtp_ports: tuple[int, int]
    webrtc_ports: tuple[int, int] | None
    callers: tuple[Network, ...]
    media: tuple[Network, ...]
    calls_per_s: int


def trunk_hosts(sip: SipSection) -> tuple[str, ...]:
    """Whose addresses are let in beside those of `sip.allowed`."""
    return hosts_of((sip.trunk.domain, sip.trunk.proxy))


def lets_anybody_in(sip: SipSection) -> bool:
    """Without a trunk and without `sip.allowed` there is no ruleset: it would keep everybody out."""
    return bool(sip.allowed or trunk_hosts(sip))


def door_networks(named: Iterable[str], addresses: Iterable[Address]) -> tuple[Network, ...]:
    """Networks of the settings and single addresses as one list, each once. Raises ValueError."""
    found = [ipaddress.ip_network(each) for each in (*named, *map(str, addresses))]
    return tuple(dict.fromkeys(found))


def ruleset(door: Door) -> str:
    """What `nft -f -` takes; loading it again replaces it whole."""
    return "\n".join([*_head(door), *_sets(door), *_chain(door), "}", ""])


def _head(door: Door) -> Iterator[str]:
    yield "#!/usr/sbin/nft -f"
    yield f"# Otklik: SIP {door.sip_port}, RTP {_range(door.rtp_ports)}. Printed by `otklik firewall`."
    yield f"# Counters of what was dropped: nft list counters table inet {TABLE}"
    yield f"add table inet {TABLE}"
    yield f"delete table inet {TABLE}"
    yield f"table inet {TABLE} {{"
    for counter in (STRANGERS, HURRIED, STRANGE_SOUND):
        yield f"    counter {counter} {{ }}"


def _sets(door: Door) -> Iterator[str]:
    for name, networks in (("callers", door.callers), ("sound", (*door.callers, *door.media))):
        for version in (4, 6):
            of_version = [str(each) for each in networks if each.version == version]
            elements = f" elements = {{ {', '.join(of_version)} }};" if of_version else ""
            yield (
                f"    set {name}{version} {{ type ipv{version}_addr; flags interval; auto-merge;{elements} }}"
            )
    for version in (4, 6):
        yield (
            f"    set rates{version} "
            f"{{ type ipv{version}_addr; size 65535; flags dynamic,timeout; timeout 1m; }}"
        )


def _chain(door: Door) -> Iterator[str]:
    sip = f"th dport {door.sip_port}"
    both = "meta l4proto { tcp, udp }"
    yield "    chain input {"
    yield f"        type filter hook input priority {_PRIORITY}; policy accept;"
    yield '        iif "lo" accept'
    # A call is an INVITE over UDP, whose flow may be old; over TCP a connection may carry many calls.
    for version, family in ((4, "ip"), (6, "ip6")):
        rate = (
            f"update @rates{version} {{ {family} saddr limit rate over {door.calls_per_s}/second "
            f"burst {door.calls_per_s} packets }} counter name {HURRIED} drop"
        )
        known = f"{family} saddr @callers{version}"
        yield f"        udp dport {door.sip_port} @th,64,48 {_INVITE} {known} {rate}"
        yield f"        tcp dport {door.sip_port} ct state new {known} {rate}"
    for version, family in ((4, "ip"), (6, "ip6")):
        yield f"        {both} {sip} {family} saddr @callers{version} accept"
        yield f"        udp dport {_range(door.rtp_ports)} {family} saddr @sound{version} accept"
    # Answers to what the node sent itself: an agent's telephone that it rings, and the sound of that call.
    yield f"        {both} {sip} ct state established,related accept"
    yield f"        udp dport {_range(door.rtp_ports)} ct state established,related accept"
    if door.webrtc_ports is not None:
        yield f"        udp dport {_range(door.webrtc_ports)} accept"
    yield f"        {both} {sip} counter name {STRANGERS} drop"
    yield f"        udp dport {_range(door.rtp_ports)} counter name {STRANGE_SOUND} drop"
    yield "    }"


def _range(ports: tuple[int, int]) -> str:
    return f"{ports[0]}-{ports[1]}"
