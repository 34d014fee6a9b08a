"""Whether strangers reach the SIP stack, for `otklik doctor`."""

from __future__ import annotations

import os
import shutil

from bot.core.hosts import is_loopback
from bot.findings import Finding, State, said
from bot.firewall import TABLE, lets_anybody_in
from bot.settings import Settings
from bot.words import words


async def door(settings: Settings) -> Finding:
    """They do not on loopback, behind the edge, or behind our nftables."""
    name = words("Защита SIP", "SIP's door")
    if is_loopback(settings.sip.host):
        return Finding(name, State.OK, words("слышен только этой машине", "heard by this machine alone"))
    if settings.sip.behind_edge:
        return Finding(name, State.OK, words("перед узлом край (sip.behind_edge)", "behind the edge"))
    status, told = await said(nft() or "nft", "list", "table", "inet", TABLE)
    if status == 0:
        return Finding(name, State.OK, words(f"nftables, таблица {TABLE}", f"nftables, table {TABLE}"))
    load = "otklik firewall > otklik.nft && sudo nft -f otklik.nft"
    hint = words(
        f"{load}; или край (deploy/README.md) и sip.behind_edge = true",
        f"{load}; or the edge (deploy/README.md) and sip.behind_edge = true",
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


def nft() -> str | None:
    """A user's PATH does not name the folder where Debian has it."""
    return shutil.which("nft", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")
