"""Whose clock a caller's words are read by: told, from the number, or the company's."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from pydantic import ValidationError

from bot.core.clock import ManualClock
from bot.core.errors import SettingsInvalid
from bot.dispatch import Dispatcher
from bot.inbound.attributing import heard
from bot.inbound.settings import HeaderNames, InboundSettings
from bot.orders import CallOrder
from bot.planning import Met, plan_inbound
from bot.published import Published
from bot.settings_load import load_settings
from bot.store import queries
from bot.store.attempts import NewCall, queue_call
from bot.store.database import Database
from bot.store.settings import StoreSettings
from bot.surveys.loader import load_survey
from bot.timezones import customer_zone, zone_of_number

SURVEY = Path(__file__).parents[2] / "survey_defs" / "nps.yaml"


@pytest.mark.parametrize(
    ("number", "zone"),
    [
        ("+7 423 212-34-56", "Asia/Vladivostok"),
        ("8 (383) 200-00-00", "Asia/Novosibirsk"),
        ("84232123456", "Asia/Vladivostok"),
        ("+442071234567", "Europe/London"),
        ("+79161234567", None),  # a mobile number of a country with eleven zones
        ("+7000", None),
        ("anna", None),
        ("", None),
    ],
)
def test_a_number_tells_its_zone_where_there_is_one(number: str, zone: str | None) -> None:
    assert zone_of_number(number) == zone


def test_what_was_told_comes_first_and_the_company_last() -> None:
    assert customer_zone("Asia/Omsk", "+74232123456", "Europe/Samara") == "Asia/Omsk"
    assert customer_zone("", "+74232123456", "Europe/Samara") == "Asia/Vladivostok"
    assert customer_zone("", "+79161234567", "Europe/Samara") == "Europe/Samara"


def test_an_order_with_no_such_zone_is_refused() -> None:
    assert CallOrder(to="sip:a@b", timezone="Asia/Omsk").timezone == "Asia/Omsk"
    assert CallOrder(to="sip:a@b").timezone == ""
    with pytest.raises(ValidationError, match="Asia/Atlantis"):
        CallOrder(to="sip:a@b", timezone="Asia/Atlantis")


def test_the_companys_zone_is_a_setting() -> None:
    assert load_settings(timezone="Asia/Omsk").timezone == "Asia/Omsk"
    with pytest.raises(SettingsInvalid, match="timezone"):
        load_settings(timezone="Moscow")


async def test_a_call_is_placed_in_the_zone_of_its_contact(tmp_path: Path) -> None:
    """From the queue to the worker: the context has what stands at the contact."""
    placed: list[dict[str, Any]] = []

    async def request(do: str, **params: Any) -> dict[str, Any]:
        placed.append(params)
        return {}

    async with Database.open(StoreSettings(f"sqlite+aiosqlite:///{tmp_path}/otklik.sqlite")) as db:
        await db.upgrade()
        clock = ManualClock()
        call = NewCall("sip:+74232123456@pbx", "nps", "h", tz="Asia/Vladivostok")
        attempt = await queue_call(db, call, clock.now())
        (stored,) = await queries.calls(db, attempt_ids=(attempt.id,))
        assert stored.contact is not None
        assert stored.contact.tz == "Asia/Vladivostok"
        link = cast(Any, SimpleNamespace(request=request))
        await Dispatcher(db, link, clock, "worker-0")._place(attempt)
    assert placed[0]["context"]["timezone"] == "Asia/Vladivostok"


@pytest.mark.parametrize(
    ("remote", "zone"),
    [("sip:+74232123456@pbx", "Asia/Vladivostok"), ("sip:anonymous@pbx", "Europe/Samara")],
)
def test_a_caller_is_taken_in_the_zone_of_his_number(remote: str, zone: str, tmp_path: Path) -> None:
    published = Published(tmp_path)
    published.release(published.freeze(load_survey(SURVEY)))
    call = heard("sip:100@pbx", remote, {}, HeaderNames())
    inbound = InboundSettings(default_survey="nps")
    plan = plan_inbound("call-1", call, Met(), inbound, published, "Europe/Samara")
    assert plan.context.timezone == zone
