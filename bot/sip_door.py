"""Who gets to the SIP stack: the door of this node's settings, and whether nftables keeps it, for
`otklik firewall` and `otklik doctor`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable

from bot.core.errors import BadInput, Unavailable
from bot.core.hosts import is_loopback
from bot.findings import Finding, State, said
from bot.firewall import TABLE, Door, differences, door_networks, lets_anybody_in, trunk_hosts
from bot.settings import Settings
from bot.words import words
from telephony.doorman import Address, resolved

LIST = ("--numeric-priority", "list", "table", "inet", TABLE)
"""What makes nft print the table as `bot.firewall.differences` reads it."""
_LOAD = "otklik firewall > otklik.nft && sudo nft -f otklik.nft"

Found = Callable[[str, tuple[Address, ...]], None]
"""Told a trunk's host and its addresses."""


async def door(settings: Settings) -> Finding:
    """Strangers do not reach it on loopback, behind the edge, or behind our nftables as they would be loaded
    now."""
    name = words("Защита SIP", "SIP's door")
    if is_loopback(settings.sip.host):
        return Finding(name, State.OK, words("слышен только этой машине", "heard by this machine alone"))
    if settings.sip.behind_edge:
        return Finding(name, State.OK, words("перед узлом край (sip.behind_edge)", "behind the edge"))
    status, told = await said(nft() or "nft", *LIST)
    if status == 0:
        return await _as_loaded(name, settings, told)
    hint = words(
        f"{_LOAD}; или край (deploy/README.md) и sip.behind_edge = true",
        f"{_LOAD}; or the edge (deploy/README.md) and sip.behind_edge = true",
    )
    if not lets_anybody_in(settings.sip):
        hint = words("назовите АТС в sip.trunk или sip.allowed, потом ", "name the PBX, then ") + hint
    if "not permitted" in told:
        found = words(
            f"есть ли таблица {TABLE} в nftables, видно только root",
            f"only root sees whether nftables has the table {TABLE}",
        )
    else:
        where = f"{settings.sip.host}:{settings.sip.port}"
        found = words(
            f"{where} открыт всем: нет ни таблицы {TABLE} в nftables, ни края",
            f"{where} is open to all: there is neither a table {TABLE} in nftables nor an edge",
        )
    return Finding(name, State.ADVICE, found, hint)


async def _as_loaded(name: str, settings: Settings, listed: str) -> Finding:
    """A table that is empty, or of settings that were changed since, keeps nobody out or the wrong ones."""
    try:
        wanted = await door_of(settings)
    except (BadInput, Unavailable) as error:
        found = words(
            f"таблица {TABLE} в nftables есть, но сверить её не с чем: {error.message}",
            f"nftables has a table {TABLE}, but there is nothing to compare it with: {error.message}",
        )
        return Finding(name, State.ADVICE, found, error.hint)
    if differ := differences(wanted, listed):
        found = words(
            f"таблица {TABLE} в nftables не по нынешним настройкам: ",
            f"the table {TABLE} in nftables is not that of the settings: ",
        )
        return Finding(name, State.ADVICE, found + "; ".join(differ), _LOAD)
    found = words(
        f"nftables, таблица {TABLE}: по настройкам", f"nftables, table {TABLE}: as the settings say"
    )
    return Finding(name, State.OK, found)


async def door_of(settings: Settings, on_found: Found = lambda host, addresses: None) -> Door:
    """Raises BadInput where nobody may call, Unavailable where a trunk's name is not resolved."""
    sip = settings.sip
    if not lets_anybody_in(sip):
        raise BadInput(
            words(
                "некого пускать: нет ни транка, ни sip.allowed", "nobody to let in: no trunk, no sip.allowed"
            ),
            hint=words(
                'назовите АТС: sip.trunk.domain = "…" или sip.allowed = ["192.0.2.7"]',
                'name the PBX: sip.trunk.domain = "…" or sip.allowed = ["192.0.2.7"]',
            ),
        )
    trunks: list[Address] = []
    for host in trunk_hosts(sip):
        addresses = await _addresses(host)
        on_found(host, addresses)
        trunks += addresses
    return Door(
        sip_port=sip.port,
        rtp_ports=sip.rtp_range,
        webrtc_ports=settings.webrtc.port_range if settings.web.port else None,
        callers=door_networks(sip.allowed, trunks),
        media=door_networks(sip.media, ()),
        calls_per_s=sip.calls_per_s,
    )


async def _addresses(host: str) -> tuple[Address, ...]:
    try:
        return await resolved(host)
    except (OSError, UnicodeError) as error:  # UnicodeError: no name, as sip..ru
        raise Unavailable(
            words(f"адрес транка {host} не узнать: {error}", f"the trunk {host} is not resolved: {error}"),
            hint=words(
                "DNS должен отвечать; или назовите адреса в sip.allowed, а в sip.trunk.domain число",
                "the DNS must answer; or name addresses in sip.allowed and a number in sip.trunk.domain",
            ),
        ) from error


def nft() -> str | None:
    """A user's PATH does not name the folder where Debian has it."""
    return shutil.which("nft", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")
