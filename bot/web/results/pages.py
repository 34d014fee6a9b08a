"""The pages of results: an overview of a period, and its slices by employee, topic, over time …"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web

from bot.accounts.roles import READERS, TAKERS
from bot.core.errors import BadInput
from bot.reports.choices import choices
from bot.reports.export.writing import Format
from bot.reports.periods import Grain, Period
from bot.reports.report import report, sliced
from bot.reports.slices import NOTICED, By
from bot.reports.wording import by_name
from bot.web.parts import parts_of
from bot.web.rendering import render
from bot.web.results import overview, shown, slicing
from bot.web.results.asked import FILTERS, OWN, Asked, asked, usual
from bot.web.who import account_of, allowed
from bot.words import words

routes = web.RouteTableDef()

STEPS = (By.DAY, By.WEEK, By.MONTH, By.QUARTER)
MOST_POINTS = 400
"""Of a chart: a year by the day."""

OF_OVERVIEW = {"step": "", "heat": "dialled"}
OF_SLICES = {"sort": ""}


@routes.get("/results")
@allowed(*READERS)
async def results(request: web.Request) -> web.StreamResponse:
    parts, now = parts_of(request), parts_of(request).clock.now()
    try:
        wanted = asked_by(request, OF_OVERVIEW)
        heat_of = request.query.get("heat", "dialled")
        if heat_of not in overview.HEAT_OF:
            raise BadInput(words("такой тепловой карты нет", "there is no such heat map"))
        step = _step(wanted.period, request.query.get("step", ""))
        found = await report(parts.db, wanted.scope, now, by=step, repeat_days=wanted.days, brief=True)
    except BadInput as problem:
        return await refused(request, problem)
    values = {
        "found": found,
        "cards": [overview.card(found, each, wanted) for each in found.scores.measures],
        "steps": overview.steps(found),
        "ends": overview.ends(found, wanted),
        "matters": overview.matters(found, wanted),
        "service": overview.service(found),
        "questions": overview.questions(found),
        "question_scores": overview.question_scores(found),
        "series": overview.series(found) if step is not None else None,
        "step": step,
        "step_choices": [
            (each, _grain_name(each.grain)) for each in STEPS if each.grain and _fits(wanted.period, each)
        ],
        "heat": overview.heat(found, heat_of),
        "heat_of": heat_of,
        "heat_choices": {name: words(*title) for name, (title, _) in overview.HEAT_OF.items()},
    }
    return render(request, "results/overview.html", {**await _frame(request, wanted), **values})


@routes.get("/results/by/{by}")
@allowed(*READERS)
async def by_slice(request: web.Request) -> web.StreamResponse:
    parts, now = parts_of(request), parts_of(request).clock.now()
    by = slicing_of(request.match_info["by"])
    try:
        wanted = asked_by(request, OF_SLICES)
        found = await sliced(parts.db, wanted.scope, by, now, repeat_days=wanted.days)
    except BadInput as problem:
        return await refused(request, problem)
    table = slicing.table(found, wanted, request.path, request.query.get("sort", ""))
    values = {
        "by": by,
        "title": words(*TABS[by]) if by in TABS else by_name(by),
        "table": table,
        "many": by in NOTICED,
    }
    return render(request, "results/slices.html", {**await _frame(request, wanted), **values})


# What they have in common ----------------------------------------------------------------------


def asked_by(request: web.Request, own: Mapping[str, str] | None = None) -> Asked:
    """Raises BadInput."""
    parts = parts_of(request)
    return asked(request.query, parts.settings.timezone, parts.clock.now(), own)


def slicing_of(name: str) -> By:
    """Raises HTTPNotFound."""
    try:
        return By(name)
    except ValueError:
        raise web.HTTPNotFound from None


def _fits(period: Period, by: By) -> bool:
    assert by.grain is not None
    days = {By.DAY: 1, By.WEEK: 7, By.MONTH: 30, By.QUARTER: 91}[by]
    return 1 < period.days / days <= MOST_POINTS


def _step(period: Period, given: str) -> By | None:
    """Into what the chart divides the period; None for one day. Raises BadInput."""
    if given:
        chosen = next((each for each in STEPS if each.value == given), None)
        if chosen is None:
            raise BadInput(words("такого шага нет", "there is no such step"), hint=", ".join(STEPS))
        if _fits(period, chosen):
            return chosen
    if period.days == 1:
        return None
    return By.DAY if period.days <= 45 else By.WEEK if period.days <= 400 else By.MONTH


async def _frame(request: web.Request, wanted: Asked, problem: str = "") -> dict[str, Any]:
    """What every results page shows: the period, the filters and where else one can go."""
    parts = parts_of(request)
    today = parts.clock.now().astimezone(ZoneInfo(parts.settings.timezone)).date()
    later = wanted.later(today)
    of = wanted.period
    days = [shown.day(of.first)] + ([shown.day(of.last)] if of.days > 1 else [])
    chosen = {by: getattr(wanted.scope, field) for by, field in FILTERS.items()}
    members = await choices(parts.db, wanted.scope)
    tabs = [("/results", words("Обзор", "Overview"))]
    tabs += [(f"/results/by/{by}", words(*title)) for by, title in TABS.items()]
    here = request.path if request.path in {path for path, _ in tabs} else "/results"
    return {
        "asked": wanted,
        "here": here,
        "problem": problem,
        "period_name": " – ".join(days),
        "kinds": [*((each.value, _grain_name(each)) for each in Grain), (OWN, words("свой", "own"))],
        "present": _present(wanted, here, today),
        "earlier": wanted.earlier().again(here),
        "later": later.again(here) if later is not None else "",
        "filters": [
            (by.value, by_name(by), members.members[by], chosen[by]) for by in FILTERS if members.members[by]
        ],
        "narrowed": [
            (by_name(by), members.name(by, each)) for by, field in FILTERS.items() for each in chosen[by]
        ],
        "own": wanted.rest,
        "tabs": tabs,
        "formats": [each.value for each in Format],
        "may_personal": account_of(request).role in TAKERS,
    }


def _present(wanted: Asked, here: str, today: date) -> list[tuple[str, str, bool]]:
    """Today, this week, this month …: address, name, and whether it is the one that is shown."""
    periods = {grain: Period.of(grain, today, wanted.period.zone) for grain in Grain}
    return [
        (wanted.at(period).again(here), _grain_name(grain), period == wanted.period)
        for grain, period in periods.items()
    ]


TABS = {
    By.EMPLOYEE: ("Сотрудники", "Employees"),
    By.DEPARTMENT: ("Отделы", "Departments"),
    By.SURVEY: ("Опросы", "Surveys"),
    By.CAMPAIGN: ("Кампании", "Campaigns"),
    By.TOPIC: ("Темы", "Topics"),
    By.RULE: ("Правила и списки слов", "Rules and word lists"),
    By.DAY: ("По дням", "By day"),
    By.WEEK: ("По неделям", "By week"),
    By.MONTH: ("По месяцам", "By month"),
}


def _grain_name(grain: Grain) -> str:
    return {
        Grain.DAY: words("день", "day"),
        Grain.WEEK: words("неделя", "week"),
        Grain.MONTH: words("месяц", "month"),
        Grain.QUARTER: words("квартал", "quarter"),
        Grain.YEAR: words("год", "year"),
    }[grain]


async def refused(request: web.Request, problem: BadInput) -> web.Response:
    """The form again, with what was wrong."""
    parts = parts_of(request)
    wanted = usual(parts.settings.timezone, parts.clock.now())
    told = problem.message + (f" ({problem.hint})" if problem.hint else "")
    return render(request, "results/refused.html", await _frame(request, wanted, told), status=400)
