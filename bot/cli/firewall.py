"""`otklik firewall`: an nftables ruleset from the settings of this node."""

from __future__ import annotations

import asyncio

import typer
from rich.console import Console

from bot.firewall import ruleset
from bot.settings_load import load_settings
from bot.sip_door import door_of
from bot.words import words
from telephony.doorman import Address

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
    typer.echo(ruleset(asyncio.run(door_of(load_settings(), _tell))), nl=False)


def _tell(host: str, addresses: tuple[Address, ...]) -> None:
    if [str(address) for address in addresses] != [host]:
        told = ", ".join(map(str, addresses))
        console.print(
            words(
                f"{host}: {told}. Сменит адрес — повторите команду.",
                f"{host}: {told}. Should it move, run this again.",
            )
        )
