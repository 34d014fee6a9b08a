"""The hours of a campaign's file: written as shifts are, and never wider than the frame."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from bot.campaigns.frame import frame_of
from bot.core.errors import BadInput
from bot.surveys.problems import fault
from bot.triage.shifts import DAYS, FRIDAY, parse_shift
from bot.triage.working_days import require_country


def narrow_hours(text: str) -> str:
    """The hours in their one written form. Raises a fault where they are none, or leave the frame."""
    try:
        shift = parse_shift(text)
    except BadInput as error:
        message = error.message.partition(": ")[2]
        raise fault("bad-value", f"hours: {message}", hint=error.hint) from error
    for weekday, spans in enumerate(shift.days):
        opens, closes = frame_of(day_off=weekday > FRIDAY)
        for span in spans:
            if span[0] < opens or span[1] > closes:
                frame = f"{DAYS[weekday]} {_clock(opens, closes)}"
                raise fault(
                    "bad-value",
                    f"hours: {DAYS[weekday]} {_clock(*span)} — шире, чем можно звонить",
                    hint=f"не шире, чем {frame}, по часам того, кому звонят",
                )
    return str(shift)


def known_country(code: str) -> str:
    """The code itself. Raises a fault where the holidays of the country are not known."""
    try:
        require_country(code)
    except BadInput as error:
        raise fault("bad-value", f"country: {error.message}", hint=error.hint) from error
    if not code:
        raise fault("bad-value", "country: страна не названа", hint="код страны из двух букв: RU, BY, KZ")
    return code


def _clock(*span: int) -> str:
    return "-".join(f"{minutes // 60:02}:{minutes % 60:02}" for minutes in span)


Hours = Annotated[str, AfterValidator(narrow_hours)]
Country = Annotated[str, AfterValidator(known_country)]
