"""What a results page is asked for, from its address and back into addresses of other pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from multidict import MultiMapping

from bot.core.errors import BadInput
from bot.reports.handling import REPEAT_DAYS
from bot.reports.periods import Grain, Period, day_of, following
from bot.reports.slices import By, Scope
from bot.words import words

OWN = "own"
"""The period that a reader sets himself, from one day to another."""

FILTERS = {
    By.EMPLOYEE: "employees",
    By.DEPARTMENT: "departments",
    By.SURVEY: "surveys",
    By.CAMPAIGN: "campaigns",
    By.TOPIC: "topics",
}
"""A filter's name in an address -> its field in a scope."""

MOST_REPEAT_DAYS = 90


@dataclass(frozen=True, slots=True)
class Asked:
    """`days` are those of a repeated contact; `rest` is what else the page's own address holds."""

    scope: Scope
    days: int = REPEAT_DAYS
    rest: tuple[tuple[str, str], ...] = ()

    @property
    def period(self) -> Period:
        return self.scope.period

    @property
    def kind(self) -> str:
        return self.period.grain or OWN

    @property
    def narrowed(self) -> bool:
        return any(getattr(self.scope, field) for field in FILTERS.values())

    def address(self, path: str, **more: str) -> str:
        """A page of the same period and filters."""
        return f"{path}?{urlencode([*self._period(), *self.filters(), *self._days(), *more.items()])}"

    def again(self, path: str, **changed: str) -> str:
        """This page with something of its own changed."""
        kept = {name: value for name, value in self.rest if name not in changed}
        return self.address(path, **kept, **changed)

    def calls(self, **more: str) -> str:
        """The journal of the calls behind a figure; `more` narrows it further."""
        days = [("from", self.period.first.isoformat()), ("to", self.period.last.isoformat())]
        kept = [(name, value) for name, value in self.filters() if name not in more]
        return f"/calls?{urlencode([*days, *kept, *more.items()])}"

    def at(self, period: Period) -> Asked:
        return Asked(replace(self.scope, period=period), self.days, self.rest)

    def only(self, by: By, member: str) -> Asked:
        """The same of one member of a filter alone."""
        narrowed: dict[str, Any] = {FILTERS[by]: (member,)}
        return Asked(replace(self.scope, **narrowed), self.days, self.rest)

    def earlier(self) -> Asked:
        return self.at(self.period.before())

    def later(self, today: date) -> Asked | None:
        """None where it would lie in the future."""
        period = self.period
        after = period.last + timedelta(days=1)
        if after > today:
            return None
        if period.grain is not None:
            return self.at(Period.of(period.grain, following(period.grain, period.first), period.zone))
        return self.at(Period(after, after + timedelta(days=period.days - 1), period.zone))

    def filters(self) -> list[tuple[str, str]]:
        return [(by.value, each) for by, field in FILTERS.items() for each in getattr(self.scope, field)]

    def _period(self) -> list[tuple[str, str]]:
        period = self.period
        found = [("period", self.kind), ("from", period.first.isoformat())]
        return found if period.grain is not None else [*found, ("to", period.last.isoformat())]

    def _days(self) -> list[tuple[str, str]]:
        return [("days", str(self.days))] if self.days != REPEAT_DAYS else []


def asked(query: MultiMapping[str], zone: str, now: datetime, own: Mapping[str, str] | None = None) -> Asked:
    """This month where no period is named. `own` are the page's own parameters with what they are by
    default. Raises BadInput."""
    period = _period(query, zone, now)
    members: dict[str, Any] = {
        field: tuple(dict.fromkeys(each for each in query.getall(by.value, []) if each))
        for by, field in FILTERS.items()
    }
    rest = tuple((name, query.get(name, usual)) for name, usual in (own or {}).items())
    kept = tuple((name, value) for name, value in rest if value != (own or {})[name])
    return Asked(Scope(period, **members), _days(query.get("days", "")), kept)


def usual(zone: str, now: datetime) -> Asked:
    """Of an address that says nothing."""
    return Asked(Scope(Period.of(Grain.MONTH, _today(zone, now), zone)))


def _today(zone: str, now: datetime) -> date:
    return now.astimezone(ZoneInfo(zone)).date()


def _period(query: MultiMapping[str], zone: str, now: datetime) -> Period:
    first, last = query.get("from", ""), query.get("to", "")
    kind = query.get("period", OWN if first and last else Grain.MONTH.value)
    day = day_of(first) if first else _today(zone, now)
    if kind == OWN:
        return Period(day, day_of(last) if last else _today(zone, now), zone)
    try:
        grain = Grain(kind)
    except ValueError:
        raise BadInput(
            words(f"«{kind}» не период", f"«{kind}» is no period"), hint=", ".join([*Grain, OWN])
        ) from None
    return Period.of(grain, day, zone)


def _days(text: str) -> int:
    if not text:
        return REPEAT_DAYS
    if not text.isascii() or not text.isdigit() or len(text) > 3 or not 1 <= int(text) <= MOST_REPEAT_DAYS:
        raise BadInput(
            words(f"«{text}» не срок повторного обращения", f"«{text}» is no term of a repeated contact"),
            hint=words(f"от 1 до {MOST_REPEAT_DAYS} дней", f"from 1 to {MOST_REPEAT_DAYS} days"),
        )
    return int(text)
