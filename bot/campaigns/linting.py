"""Lint of campaign files: what fits the schema and would still ring nobody, or the wrong people."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.campaigns.loader import read_campaign
from bot.campaigns.schema import Campaign
from bot.campaigns.windows import HORIZON_DAYS, window_in
from bot.surveys.lint import allowing
from bot.surveys.lint.rules import Rule, error, warning
from bot.surveys.problems import Fault, Loc, Problem
from bot.surveys.schema import Calling as SurveyCalling
from bot.surveys.schema import Survey

NEVER_OPEN = error(
    "never-open",
    "между starts и ends нет ни одного часа для звонков",
    "проверьте hours, closed, holidays, дни кампании и calling опроса",
)
SAME_QUOTA = error("same-quota", "две квоты об одних и тех же контактах", "оставьте одну")
UNKNOWN_SURVEY = error("unknown-survey", "такого опроса нет", "опубликуйте его: otklik survey publish")
MORE_ATTEMPTS = warning(
    "more-attempts",
    "attempts больше, чем разрешает опрос: действует меньшее",
    "уберите attempts или поднимите max_attempts опроса",
)
QUOTA_BEYOND = warning(
    "quota-beyond-target",
    "квота больше, чем target: её не набрать",
    "поднимите target или уменьшите квоту",
)
ADVERTISING = warning(
    "advertising",
    "реклама автоматическим дозваниванием запрещена (38-ФЗ, статья 18, часть 2), даже с согласием",
    "если это не реклама, напишите purpose: service",
)

RULES: dict[str, Rule] = {
    rule.id: rule
    for rule in (
        NEVER_OPEN,
        SAME_QUOTA,
        UNKNOWN_SURVEY,
        MORE_ATTEMPTS,
        QUOTA_BEYOND,
        ADVERTISING,
        allowing.USELESS,
    )
}
"""Every rule beyond the file and the schema, by its id."""

FindSurvey = Callable[[str], Survey | None]
"""The survey of this name (`id` or `id@version`), None where there is none."""


@dataclass(frozen=True, slots=True)
class _Found:
    rule: Rule
    loc: Loc
    detail: str = ""

    @property
    def fault(self) -> Fault:
        message = f"{self.rule.meaning}: {self.detail}" if self.detail else self.rule.meaning
        return Fault(self.rule.id, message, self.loc, self.rule.mend)


def lint_campaign(path: Path, find_survey: FindSurvey | None = None) -> tuple[Problem, ...]:
    """All problems of a file, in the order of its lines. Without `find_survey` nothing is said of the survey.

    What is against the schema is told alone: the rest can only be judged once that is mended.
    """
    read = read_campaign(path)
    if read.campaign is None or read.file is None:
        return read.problems
    problems = []
    for found in _all(read.campaign, find_survey):
        placed = read.file.problem(found.fault)
        problems.append(
            Problem(placed.place, placed.message, placed.hint, rule=found.rule.id, level=found.rule.level)
        )
    judged = set(RULES) - ({UNKNOWN_SURVEY.id, MORE_ATTEMPTS.id} if find_survey is None else set())
    left = allowing.allowed(path, read.file.text, problems, RULES, judged)
    return tuple(sorted(left, key=lambda problem: (problem.place.line, problem.place.column)))


def _all(campaign: Campaign, find_survey: FindSurvey | None) -> Iterator[_Found]:
    calling = _EVERY_HOUR
    if find_survey is not None:
        survey = find_survey(campaign.survey)
        if survey is None:
            yield _Found(UNKNOWN_SURVEY, ("survey",), campaign.survey)
        else:
            calling = survey.calling
            own = campaign.retries.attempts
            if own is not None and own > calling.max_attempts:
                yield _Found(MORE_ATTEMPTS, ("retries", "attempts"), f"{own} > {calling.max_attempts}")
    if not _ever_open(campaign, calling):
        yield _Found(NEVER_OPEN, ("calling",) if campaign.calling.hours else ("ends",))
    if campaign.purpose == "marketing":
        yield _Found(ADVERTISING, ("purpose",))
    seen: list[object] = []
    for place, quota in enumerate(campaign.quotas):
        if quota.where in seen:
            yield _Found(SAME_QUOTA, ("quotas", place), quota.id)
        seen.append(quota.where)
        if campaign.target is not None and quota.completed > campaign.target:
            yield _Found(
                QUOTA_BEYOND, ("quotas", place, "completed"), f"{quota.completed} > {campaign.target}"
            )


_EVERY_HOUR = SurveyCalling(earliest="00:00", latest="23:59")


def _ever_open(campaign: Campaign, calling: SurveyCalling) -> bool:
    """In UTC: hours and days are everybody's own, so that one zone stands for all. Of a campaign without a
    first day the year before its last one is judged, and a year of the past where it has neither."""
    window = window_in(ZoneInfo("UTC"), campaign.calling.country, campaign, calling)
    first = campaign.starts or (campaign.ends or _A_DAY) - timedelta(days=HORIZON_DAYS - 1)
    return window.next_open(datetime.combine(first, time(0), tzinfo=UTC)) is not None


_A_DAY = date(2026, 12, 31)
