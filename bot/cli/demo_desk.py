"""The demo's agent may sit in a browser: his account, and what is expected of him there."""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from bot.accounts.accounts import Accounts
from bot.accounts.passwords import Passwords
from bot.accounts.roles import Role
from bot.core.clock import SystemClock
from bot.core.control import ControlClient
from bot.core.events import CallEvent, HandoverAccepted
from bot.settings import Settings
from bot.settings_rooms import store_settings
from bot.sim.results import SimReport
from bot.sim.scenario import Scenario
from bot.store.database import Database
from bot.words import words

AGENT = "responsible"
"""The demo's surveys hand over to this target, and its SIP phone is set as this agent's."""

LOGIN = "demo"
TALK_S = 20.0
"""How long the demo's customer stays with somebody who talks to him from a browser, in seconds."""

_LOOK_S = 0.5


async def open_account(settings: Settings, control: ControlClient) -> dict[str, str]:
    """Let the demo's agent sign in; what to show of that, with a password that is made for this run."""
    record: dict[str, Any] = {
        "id": AGENT,
        "name": words("Сотрудник показа", "The demo's agent"),
        "login": LOGIN,
        "shift": "always",
        "languages": ["ru", "en"],
        "fallback": 1,
    }
    await control.request("agent_save", agents=[record])
    password = secrets.token_urlsafe(9)
    async with Database.open(store_settings(settings)) as db:
        await Accounts(db, Passwords(), SystemClock()).add(LOGIN, password, Role.AGENT, agent_id=AGENT)
    return {
        words("Рабочее место", "The agent's desk"): f"{settings.web.address}/agent",
        words("Вход", "Sign in as"): words(
            f"{LOGIN}, пароль на этот показ: {password}", f"{LOGIN}, password of this demo: {password}"
        ),
    }


async def is_open(control: ControlClient) -> bool:
    found: bool = (await control.request("presence", agent_id=AGENT))["desk"]
    return found


async def opened(control: ControlClient, within_s: float) -> bool:
    """Wait until somebody has the desk open; False where nobody has come by then."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if await is_open(control):
            return True
        await asyncio.sleep(_LOOK_S)  # polled: the board tells nobody
    return False


@dataclass
class TakenAtDesk:
    """Which calls a person took in the browser: no tone can be expected of him."""

    calls: set[str] = field(default_factory=set)

    def saw(self, event: CallEvent) -> None:
        if isinstance(event, HandoverAccepted) and event.by == "button":
            self.calls.add(event.call_id)

    def judged(self, report: SimReport) -> SimReport:
        """The report without what only the demo's own telephone could have done."""
        return report.model_copy(
            update={
                "calls": [
                    call.model_copy(
                        update={"failures": [each for each in call.failures if not _of_tone(each)]}
                    )
                    if call.call_id in self.calls
                    else call
                    for call in report.calls
                ]
            }
        )


def with_time_to_talk(scenario: Scenario) -> Scenario:
    """Its customers who are handed over stay for a while."""
    return scenario.model_copy(
        update={
            "calls": tuple(
                call.model_copy(
                    update={"after_transfer": call.after_transfer.model_copy(update={"listen_s": TALK_S})}
                )
                if call.after_transfer is not None
                else call
                for call in scenario.calls
            )
        }
    )


def _of_tone(failure: str) -> bool:
    return failure.startswith(("клиент не слышал агента", "агент не слышал клиента"))
