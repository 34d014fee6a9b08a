"""`otklik firewall`: an nftables ruleset from the settings of this node."""

from __future__ import annotations

import asyncio

import typer
from rich.console import Console

from bot.core.errors import BadInput, Unavailable
from bot.firewall import Door, door_networks, lets_anybody_in, ruleset, trunk_hosts
from bot.settings import Settings
from bot.settings_load import load_settings
from bot.words import words
from telephony.doorman import Address, resolved

app = typer.Typer(add_completion=False)
console = Console(stderr=True, highlight=False)


@app.command(
    help=words(
        "Правила nftables из настроек: otklik firewall > otklik.nft && sudo nft -f otklik.nft",
        "An nftables ruleset from the settings: otklik firewall > otklik.nft && sudo nft -f otklik.nft",
    )
)
def firewall() -> None:
    """Prints and changes nothing. What was looked up in the DNS is told on stderr."""
    typer.echo(ruleset(asyncio.run(door_of(load_settings()))), nl=False)


async def door_of(settings: Settings) -> Door:
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
    trunks = [address for host in trunk_hosts(sip) for address in await _addresses(host)]
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
        found = await resolved(host)
    except OSError as error:
        raise Unavailable(
            words(f"адрес транка {host} не узнать: {error}", f"the trunk {host} is not resolved: {error}"),
            hint=words(
                "DNS должен отвечать; или назовите адреса в sip.allowed, а в sip.trunk.domain число",
                "the DNS must answer; or name addresses in sip.allowed and a number in sip.trunk.domain",
            ),
        ) from error
    if [str(address) for address in found] != [host]:
        told = ", ".join(map(str, found))
        console.print(
            words(
                f"{host}: {told}. Сменит адрес — повторите команду.",
                f"{host}: {told}. Should it move, run this again.",
            )
        )
    return found
