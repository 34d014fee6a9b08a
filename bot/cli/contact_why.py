"""`otklik contact why PHONE`: why somebody was or was not rung, in words; reads the database alone."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from bot.campaigns.contacts import a_phone
from bot.campaigns.explaining import cause_words, explain
from bot.campaigns.reason_words import told
from bot.cli.campaign_surveys import survey_named
from bot.cli.live import DISPOSITIONS
from bot.cli.on_database import open_database
from bot.core.endings import Disposition
from bot.core.errors import SurveyInvalid
from bot.settings import Settings
from bot.settings_load import load_settings
from bot.surveys.loader import survey_hash
from bot.surveys.schema import Survey
from bot.words import words


def why(
    phone: Annotated[
        str, typer.Argument(help=words("номер в любом написании", "the phone, however written"))
    ],
    as_json: Annotated[bool, typer.Option("--json", help=words("вывести JSON", "print JSON"))] = False,
) -> None:
    """Почему ему звонили или нет, и можно ли звонить сейчас: всё, на что смотрит правило дозвона."""
    found = asyncio.run(_explain(load_settings(), phone))
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=1))
    else:
        _print(found)


async def _explain(settings: Settings, phone: str) -> dict[str, Any]:
    find = survey_named(settings)

    def surveys(name: str) -> tuple[str, Survey]:
        survey = find(name)
        if survey is None:
            raise SurveyInvalid(words(f"опроса «{name}» нет", f"there is no survey {name}"))
        return survey_hash(survey), survey

    async with open_database(settings) as db:
        return await explain(db, a_phone(phone), surveys, datetime.now(UTC))


def _print(found: dict[str, Any]) -> None:
    console, tz = Console(highlight=False), found["tz"]
    zone = tz or words("часовой пояс неизвестен", "the time zone is not known")
    name = found["contact_id"] or words("контакта с таким номером нет", "no contact has this phone")
    console.print(Text.assemble((found["phone"], "bold cyan"), f" · {name} · {zone}"))
    if blocked := found["do_not_call"]:
        said = f": «{blocked['words']}»" if blocked["words"] else ""
        since = _at(blocked["at"], tz)
        console.print(
            words(f"Не звонить никогда, с {since}{said}", f"Never to be called, since {since}{said}"),
            style="red",
        )
    for campaign in found["campaigns"]:
        console.print(Text.assemble(("\n" + campaign["campaign"], "bold"), f" «{campaign['title']}»"))
        first, *others = campaign["lines"]
        console.print("  " + first, style="green" if campaign["may"] else "yellow")
        for line in others:
            console.print("  · " + line)
    if not found["campaigns"] and found["contact_id"]:
        console.print(words("Ни в одной кампании его нет.", "He is in no campaign."))
    if found["history"]:
        console.print("\n" + words("Что было", "What was"), style="bold")
    for attempt in found["history"]:
        console.print("  " + _attempt(attempt, tz))


def _attempt(attempt: dict[str, Any], tz: str) -> str:
    """One line: when, of what, and how it ended."""
    arrow = "→" if attempt["direction"] == "outbound" else "←"
    at = _at(attempt["dialled_at"] or attempt["decided_at"], tz)
    of = attempt["campaign"] or words("не из кампании", "of no campaign")
    ended = attempt["disposition"]
    outcome = words(*DISPOSITIONS[Disposition(ended)]) if ended else words("идёт", "under way")
    if attempt["direction"] == "outbound" and attempt["dialled_at"] is None and ended:
        outcome += words(", не звонили", ", not rung")
    cause = f" ({cause_words(attempt['cause'])})" if attempt["cause"] else ""
    return f"{arrow} {at} · {of} · {attempt['survey']}{cause}: {outcome}"


def _at(moment: str, tz: str) -> str:
    return told(datetime.fromisoformat(moment), tz)
