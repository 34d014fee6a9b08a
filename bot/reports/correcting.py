"""What a listener writes in place of a recorded answer, checked against what the question allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from bot.core.answer import AnswerStatus
from bot.core.errors import BadInput
from bot.core.intents import Topic
from bot.reports.definitions import Asked
from bot.reports.measures import SCORED
from bot.words import words

LONGEST = 4000
"""Letters of a corrected answer in free words."""

TAKEN_BACK = ""
"""What is chosen in place of an answer so that the recorded one stands again."""


@dataclass(frozen=True, slots=True)
class Right:
    """An answer as `AnswerRow` and `CorrectionRow` keep it; a `status` of "" takes a correction back."""

    status: str
    value: str | None = None
    number: float | None = None


def right(asked: Asked, status: str, values: Sequence[str]) -> Right:
    """From what the form sends. Raises BadInput for a status that is none, and for a value that the question
    cannot have."""
    if status == TAKEN_BACK:
        return Right("")
    if status not in set(AnswerStatus):
        raise BadInput(
            words(f"состояния «{status}» нет", f"no status «{status}»"), hint=", ".join(AnswerStatus)
        )
    if status != AnswerStatus.ANSWERED:
        return Right(status)
    if asked.kind == "multi_choice":
        return Right(status, ",".join(_options(asked, values)))
    if len(values) != 1:
        raise BadInput(words(f"у вопроса «{asked.id}» один ответ", f"«{asked.id}» has one answer"))
    return _single(asked, values[0].strip())


def _single(asked: Asked, value: str) -> Right:
    if asked.kind in SCORED or asked.kind == "number":
        number = _number(asked, value)
        return Right(AnswerStatus.ANSWERED, _written(number), number)
    if asked.kind == "yes_no" and value not in ("yes", "no"):
        raise BadInput(words(f"«{value}» не да и не нет", f"«{value}» is neither yes nor no"), hint="yes, no")
    if asked.kind == "choice":
        _options(asked, [value])
    if not value or len(value) > LONGEST:
        raise BadInput(
            words(f"ответ пуст или длиннее {LONGEST} знаков", f"an empty answer, or over {LONGEST} letters")
        )
    return Right(AnswerStatus.ANSWERED, value)


def _number(asked: Asked, value: str) -> float:
    try:
        number = float(value.replace(",", ".").replace("−", "-"))
    except ValueError as error:
        raise BadInput(words(f"«{value}» не число", f"«{value}» is no number"), hint=asked.id) from error
    scale = asked.scale
    if scale is not None and not (number.is_integer() and scale.low <= number <= scale.high):
        raise BadInput(
            words(f"«{value}» нет на шкале", f"«{value}» is not on the scale"),
            hint=f"{scale.low}–{scale.high}",
        )
    if not isfinite(number):
        raise BadInput(words(f"«{value}» не число", f"«{value}» is no number"), hint=asked.id)
    return number


def _written(number: float) -> str:
    return str(int(number)) if number.is_integer() else str(number)


def _options(asked: Asked, values: Sequence[str]) -> list[str]:
    """In the order of the survey, each once; a version whose options are not known takes any."""
    known = [option for option, _ in asked.options]
    wrong = [value for value in values if known and value not in known]
    if wrong or (not known and not all(values)):
        told = ", ".join(wrong)
        raise BadInput(words(f"ответа «{told}» нет", f"no option «{told}»"), hint=", ".join(known))
    return [option for option in known if option in values] if known else sorted(set(values))


def right_topics(values: Sequence[str]) -> str:
    """By commas. Raises BadInput for a topic that is none."""
    wrong = [value for value in values if value not in set(Topic)]
    if wrong:
        told = ", ".join(wrong)
        raise BadInput(words(f"темы «{told}» нет", f"there is no topic «{told}»"), hint=", ".join(Topic))
    return ",".join(topic for topic in Topic if topic in values)
