"""What a figure looks like on a page: its text, what stands below it, and whether it rests on few answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from bot.reports.measures import SMALL, Change, Measure
from bot.reports.slices import By
from bot.reports.wording import (
    NONE,
    change_value,
    digits_of,
    interval,
    number,
    score_value,
    topic_name,
)
from bot.surveys.scoring import Score
from bot.words import words


@dataclass(frozen=True, slots=True)
class Cell:
    """`below` is said smaller, `small` greys it, `path` is where it leads; it is sorted by `value`."""

    text: str
    below: str = ""
    small: bool = False
    path: str = ""
    value: float | str | None = None


def count(value: int, path: str = "") -> Cell:
    return Cell(f"{value:,}".replace(",", "\u00a0"), path=path if value else "", value=value)


def plain(value: float | None, digits: int = 1, unit: str = "") -> Cell:
    shown = number(value, digits)
    return Cell(shown if value is None else f"{shown}{unit}", value=value)


def seconds(value: float | None) -> Cell:
    """As people read it: 45,2 с, then 3:05."""
    if value is None:
        return Cell(NONE)
    if value < 60:
        return Cell(f"{number(value)}\u00a0{words('с', 's')}", value=value)
    whole = round(value)
    return Cell(f"{whole // 60}:{whole % 60:02}", value=value)


def share(part: int, score: Score) -> Cell:
    """A share with how many of how many below it."""
    if score.value is None:
        return Cell(NONE)
    between = interval(score)
    below = f"{part} {words('из', 'of')} {score.count}" + (f" · {between}" if between else "")
    return Cell(f"{number(score.value)}\u00a0%", below, score.count < SMALL, value=score.value)


def measure(each: Measure) -> Cell:
    """A score with its n and interval; «мало» says in words what grey says in colour."""
    score = each.score
    if score.value is None:
        return Cell(NONE, value=None)
    between = interval(score, digits_of(each.scale))
    parts = [f"n = {each.count}", between, few() if each.small else ""]
    return Cell(
        score_value(each.scale, score), " · ".join(filter(None, parts)), each.small, value=score.value
    )


def few() -> str:
    return words("мало", "few")


def changed(each: Measure, change: Change) -> tuple[str, str]:
    """In words, and which way: `good`, `bad`, or "" where it may be chance or nothing is known."""
    if change.value is None:
        return words("в прошлый раз ответов не было", "no answers the period before"), ""
    shown = change_value(change, each.scale)
    if not change.clear:
        return f"{shown}, {words('в пределах случайного', 'may be chance')}", ""
    lower_is_better = each.scale.direction == "lower_is_easier"
    between = f"{number(change.low, digits_of(each.scale))}…{number(change.high, digits_of(each.scale))}"
    return f"{shown} ({between})", "good" if (change.value > 0) != lower_is_better else "bad"


def day(moment: date) -> str:
    return f"{moment:%d.%m.%Y}" if words("ru", "en") == "ru" else moment.isoformat()


def slice_name(by: By, key: str, label: str) -> str:
    """What a row of a slicing is called."""
    if by.grain is not None:
        first = date.fromisoformat(key)
        return f"{first:%m.%Y}" if by is By.MONTH else f"{first:%Y}" if by is By.YEAR else day(first)
    if by is By.TOPIC:
        return topic_name(key)
    return label or key or words("не указан", "none")
