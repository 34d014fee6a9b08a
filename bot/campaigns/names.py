"""Values of a campaign's file that are written in a form of their own, and what is said of wrong ones."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from bot.campaigns.frame import frame_of
from bot.core.errors import BadInput
from bot.surveys.problems import fault
from bot.triage.shifts import DAYS, FRIDAY, Span, parse_shift
from bot.triage.working_days import require_country

SURVEY_PATTERN = r"^[a-z][a-z0-9_]{0,39}(@[1-9]\d{0,8})?$"
NUMBER_PATTERN = r"^(\+[1-9]\d{6,14})?$"


def narrow_hours(text: str) -> str:
    """The hours in their one written form. Raises a fault where they are none, or leave the frame."""
    try:
        shift = parse_shift(text)
    except BadInput as error:
        message = error.message.partition(": ")[2]
        raise fault("bad-value", f"hours: {message}", hint=f"например: {_EXAMPLE}") from error
    for weekday, spans in enumerate(shift.days):
        frame = frame_of(day_off=weekday > FRIDAY)
        for span in spans:
            if span[0] < frame[0] or span[1] > frame[1]:
                raise fault(
                    "bad-value",
                    f"hours: {DAYS[weekday]} {_clock(span)} шире, чем можно звонить",
                    hint=f"не шире, чем {DAYS[weekday]} {_clock(frame)}, по часам того, кому звонят",
                )
    return str(shift)


def known_country(code: str) -> str:
    """The code itself. Raises a fault where the holidays of the country are not known."""
    try:
        require_country(code or "-")
    except BadInput as error:
        raise fault("bad-value", f"country: {error.message}", hint=error.hint) from error
    return code


def survey_name(text: str) -> str:
    if not re.match(SURVEY_PATTERN, text):
        raise fault("bad-value", f"survey: «{text}» не имя опроса", hint="id или id@версия: nps, nps@2")
    return text


def caller_number(text: str) -> str:
    if not re.match(NUMBER_PATTERN, text):
        raise fault(
            "bad-value", f"number: «{text}» не номер", hint="с кодом страны и без пробелов: +74951234567"
        )
    return text


def _clock(span: Span) -> str:
    return "-".join(f"{minutes // 60:02}:{minutes % 60:02}" for minutes in span)


_EXAMPLE = "mon-fri 10:00-20:00; sat 11:00-18:00"

Hours = Annotated[
    str, AfterValidator(narrow_hours), WithJsonSchema({"type": "string", "examples": [_EXAMPLE]})
]
Country = Annotated[
    str, AfterValidator(known_country), WithJsonSchema({"type": "string", "pattern": "^[A-Z]{2}$"})
]
SurveyName = Annotated[
    str, AfterValidator(survey_name), WithJsonSchema({"type": "string", "pattern": SURVEY_PATTERN})
]
CallerNumber = Annotated[
    str, AfterValidator(caller_number), WithJsonSchema({"type": "string", "pattern": NUMBER_PATTERN})
]
