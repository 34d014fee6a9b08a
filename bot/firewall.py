"""An nftables ruleset for a node, from its settings: who may signal, how often, and whose sound may come.

Pure: the addresses behind the trunk's names come in. Other ports of the machine are left alone: the ruleset
has a table of its own, whose chain accepts what it does not name.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bot.settings_sip import SipSection
from bot.words import words
from telephony.doorman import Address, Network, hosts_of

TABLE = "otklik"
STRANGERS, HURRIED, STRANGE_SOUND = "strangers", "too_many_calls", "strange_sound"
"""Counters of what is dropped: signalling and sound of those who are not listed, calls above the rate."""

_INVITE = f"0x{b'INVITE'.hex()}"
_PRIORITY = -10
"""Before a machine's own filter (priority 0): what is dropped here is dropped, whatever that one accepts."""

_LISTED_SET = re.compile(
    r"\bset (?P<name>(?:callers|sound)[46]) \{[^{}]*?(?:elements = \{(?P<elements>[^{}]*)\}[^{}]*)?\}"
)
_LISTED_CHAIN = re.compile(r"\bchain input \{\n(?P<rules>(?:(?![ \t]*\}$).*\n)*)", re.MULTILINE)
_BURST = re.compile(r" burst \d+ packets")
"""As large as the rate; nft leaves out what is its default."""
_SETTINGS = (
    (("порты", "ports"), re.compile(r"dport (\S+)")),
    (("calls_per_s", "calls_per_s"), re.compile(r"over (\d+)/second")),
)


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


@dataclass(frozen=True, slots=True)
class _Table:
    """What a ruleset lets in, however it is laid out: the networks of each set, and the chain's rules."""

    networks: Mapping[str, tuple[Network, ...]]
    rules: tuple[str, ...]


def differences(door: Door, listed: str) -> tuple[str, ...]:
    """In words, how a table that is loaded differs from what `ruleset(door)` would load now; nothing where it
    does not. `listed` is what `nft --numeric-priority list table` prints."""
    wanted, there = _table(ruleset(door)), _table(listed)
    return (*_other_networks(wanted, there), *_other_rules(wanted.rules, there.rules))


def _table(text: str) -> _Table:
    networks = {
        found["name"]: tuple(_networks(found["elements"] or "")) for found in _LISTED_SET.finditer(text)
    }
    chain = _LISTED_CHAIN.search(text)
    lines = chain["rules"].splitlines() if chain else ()
    return _Table(networks, tuple(_BURST.sub("", line.strip().replace('"', "")) for line in lines))


def _networks(elements: str) -> Iterator[Network]:
    """nft makes one of neighbours: a range, where no network holds just these."""
    for each in filter(None, map(str.strip, elements.split(","))):
        first, dash, last = each.partition("-")
        if dash:
            ends = ipaddress.ip_address(first), ipaddress.ip_address(last)
            yield from ipaddress.summarize_address_range(*ends)
        else:
            yield ipaddress.ip_network(each)


def _other_networks(wanted: _Table, there: _Table) -> Iterator[str]:
    for name, networks in wanted.networks.items():
        if name not in there.networks:
            yield words(f"нет набора {name}", f"there is no set {name}")
            continue
        loaded = there.networks[name]
        missing, beside = _beyond(networks, loaded), _beyond(loaded, networks)
        if missing:
            yield f"{name}: {words('нет', 'without')} {', '.join(missing)}"
        if beside:
            yield f"{name}: {words('лишние', 'besides')} {', '.join(beside)}"


def _beyond(networks: Iterable[Network], others: Iterable[Network]) -> list[str]:
    """What of these networks is in none of the others."""
    left: list[Any] = list(networks)
    for other in others:
        apart = [each for each in left if not each.overlaps(other)]
        around = [each for each in left if each.overlaps(other) and each.supernet_of(other)]
        left = [*apart, *(part for each in around for part in each.address_exclude(other))]
    return [str(each.network_address if each.num_addresses == 1 else each) for each in sorted(left)]


def _other_rules(wanted: tuple[str, ...], there: tuple[str, ...]) -> Iterator[str]:
    """By what can be set, where that tells it; else by the rules themselves."""
    if wanted == there:
        return
    if not there[1:]:  # the first one hooks the chain in
        yield words("нет ни одного правила", "there is no rule")
        return
    by_setting = [
        f"{words(*name)}: {_facts(fact, there)}; {words('по настройкам', 'the settings say')} "
        f"{_facts(fact, wanted)}"
        for name, fact in _SETTINGS
        if _facts(fact, there) != _facts(fact, wanted)
    ]
    missing = [f"«{rule}»" for rule in wanted if rule not in there]
    beside = [f"«{rule}»" for rule in there if rule not in wanted]
    if by_setting:
        yield from by_setting
    elif missing or beside:
        if missing:
            yield words("нет правила ", "without the rule ") + ", ".join(missing)
        if beside:
            yield words("лишнее правило ", "besides the rule ") + ", ".join(beside)
    else:
        yield words("правила идут в другом порядке", "the rules are in another order")


def _facts(pattern: re.Pattern[str], rules: tuple[str, ...]) -> str:
    return ", ".join(dict.fromkeys(pattern.findall("\n".join(rules)))) or "—"
