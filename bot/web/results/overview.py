"""One report as the overview shows it: cards, tables and bars, every figure with what it is of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot.core.endings import Disposition
from bot.reports.export.figures import scale_ids
from bot.reports.funnel import QuestionFigures
from bot.reports.handling import HeatCell
from bot.reports.measures import Measure
from bot.reports.report import Report, Row
from bot.reports.slices import By
from bot.reports.wording import digits_of, end_name, number, scale_name, signal_name, step_name, topic_name
from bot.web.results import shown
from bot.web.results.asked import Asked
from bot.web.results.shown import Cell
from bot.words import words

LEVELS = 6
"""Shades of the heat map; 0 is an hour without calls."""


@dataclass(frozen=True, slots=True)
class Group:
    """Promoters, passives or detractors; `percent` is a bar's length."""

    name: str
    kind: str
    count: int
    percent: float
    calls: str


@dataclass(frozen=True, slots=True)
class Card:
    name: str
    cell: Cell
    mean: str
    change: str
    way: str
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of a list with bars: `percent` of the longest."""

    name: str
    cell: Cell
    percent: float
    calls: str = ""


@dataclass(frozen=True, slots=True)
class StepLine:
    name: str
    count: Cell
    share: Cell
    of: str
    percent: float
    before: int


@dataclass(frozen=True, slots=True)
class Heat:
    """Rows of a week's days, 24 cells each: (what is said, its shade)."""

    rows: tuple[tuple[str, tuple[tuple[str, int], ...]], ...]


def card(found: Report, each: Measure, asked: Asked) -> Card:
    told, way = shown.changed(each, found.changes[each.scale])
    mean = number(each.mean.value, 2) if each.scale.kind in ("nps", "csat") else ""
    groups: tuple[Group, ...] = ()
    if each.scale.kind == "nps" and each.count:
        groups = tuple(
            Group(name, kind, times, 100 * times / each.count, asked.calls(score=f"nps:{codes}"))
            for name, kind, codes, times in (
                (words("критики", "detractors"), "detractors", "0-6", each.detractors),
                (words("нейтралы", "passives"), "passives", "7-8", each.passives),
                (words("промоутеры", "promoters"), "promoters", "9-10", each.promoters),
            )
        )
    return Card(scale_name(each.scale), shown.measure(each), mean, told, way, groups)


def steps(found: Report) -> list[StepLine]:
    before = {step.name: step.count for step in found.funnel_before.steps()}
    whole = found.funnel.dialled or 1
    return [
        StepLine(
            step_name(step.name),
            shown.count(step.count),
            Cell("") if step.name == step.of else shown.share(step.count, step.share),
            "" if step.name == step.of else step_name(step.of),
            100 * step.count / whole,
            before[step.name],
        )
        for step in found.funnel.steps()
    ]


def ends(found: Report, asked: Asked) -> list[Bar]:
    def path(end: Disposition) -> str:
        return asked.calls(disposition=end.value)

    most = max(found.outcomes.values(), default=1)
    return [
        Bar(end_name(end), shown.count(times), 100 * times / most, path(end))
        for end, times in found.outcomes.items()
    ]


def matters(found: Report, asked: Asked) -> list[tuple[str, list[Bar]]]:
    """Named lists of what was noticed; only topics can be looked up in the journal."""

    def bars(counts: dict[str, int], name: Callable[[str], str], by: By | None = None) -> list[Bar]:
        most = max(counts.values(), default=1)
        return [
            Bar(
                name(what),
                shown.share(times, found.matters.share(times)),
                100 * times / most,
                asked.calls(topic=what) if by is By.TOPIC else "",
            )
            for what, times in counts.items()
        ]

    of = found.matters
    lists = [
        (words("Темы жалоб", "Topics of complaints"), bars(of.topics, topic_name, By.TOPIC)),
        (words("Другие темы", "Other topics"), bars(of.others, topic_name, By.TOPIC)),
        (words("Замечено", "Noticed"), bars(of.signals, signal_name)),
        (words("Чем найдено", "Found by"), bars(of.rules, str)),
    ]
    return [(name, found_bars) for name, found_bars in lists if found_bars]


def service(found: Report) -> list[tuple[str, Cell, str]]:
    """(name, value, what it is of)."""
    of, back = found.handling, found.repeats
    human = f"{step_name('answered')}: {of.calls}"
    joined = words(f"соединений: {of.connected}", f"joined: {of.connected}")
    tried = words(f"передач начато: {of.handovers}", f"handovers tried: {of.handovers}")
    watched = words(f"разговоров, чьё удержание видно: {of.watched}", f"talks with known holds: {of.watched}")
    held = words(f"разговоров с удержанием: {of.held}", f"talks with a hold: {of.held}")
    customers = words(f"разных телефонов: {of.customers}", f"different telephones: {of.customers}")
    term = words(
        f"входящих, чей срок прошёл: {back.contacts}", f"incoming calls of full term: {back.contacts}"
    )
    again = words(f"позвонили снова за {back.days} дн.", f"rang again within {back.days} days")
    negative = words("недовольство в словах", "discontent in words")
    return [
        (words("звонок, среднее", "call, mean"), shown.seconds(of.call_s), human),
        (words("разговор с сотрудником, среднее", "agent's talk, mean"), shown.seconds(of.talk_s), joined),
        (words("до сотрудника, среднее", "time to agent, mean"), shown.seconds(of.to_agent_s), joined),
        (
            words("до сотрудника за 20 секунд", "agent within 20 seconds"),
            shown.share(of.soon, of.soon_share),
            joined,
        ),
        (
            words("передач удалось", "handovers joined"),
            shown.share(of.connected, of.connected_share),
            tried,
        ),
        (words("с удержанием", "with a hold"), shown.share(of.held, of.held_share), watched),
        (words("на удержании, среднее", "on hold, mean"), shown.seconds(of.held_s), held),
        (
            words("обращений на клиента", "contacts per customer"),
            shown.plain(of.contacts_per_customer, 2),
            f"{human}, {customers}",
        ),
        (again, shown.share(back.repeated, back.share), term),
        (negative, shown.share(found.matters.negative, found.matters.negative_share), human),
    ]


@dataclass(frozen=True, slots=True)
class QuestionLine:
    name: str
    text: str
    counts: tuple[int, ...]
    drop_off: Cell
    reasked: Cell


def questions(found: Report) -> list[QuestionLine]:
    def line(each: QuestionFigures) -> QuestionLine:
        name = f"{each.survey_id}.{each.question_id}"
        counts = (each.put, each.answered, each.dont_know, each.refused, each.no_answer, each.elsewhere)
        return QuestionLine(
            name,
            found.names.get(name, ""),
            counts,
            shown.share(each.dropped, each.drop_off),
            shown.share(each.reasked, each.reask_rate),
        )

    return [line(each) for each in found.questions]


def question_scores(found: Report) -> list[tuple[str, str, str, Cell]]:
    """(question, what it asks, scale, score)."""
    return [
        (
            f"{each.survey_id}.{each.question_id}",
            found.names.get(f"{each.survey_id}.{each.question_id}", ""),
            scale_name(each.measure.scale),
            shown.measure(each.measure),
        )
        for each in found.scores.questions
    ]


# Over time -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Point:
    """One part of the period: `at` is its first day; a value is (text, value, low, high, n)."""

    at: str
    name: str
    dialled: int
    answered: int
    completed: int
    values: tuple[tuple[Cell, Any, Any, Any], ...]


@dataclass(frozen=True, slots=True)
class Series:
    """`scales` are (id, name, lowest and highest value that a score can have, digits)."""

    scales: tuple[tuple[str, str, float, float, int], ...]
    points: tuple[Point, ...]


def series(found: Report) -> Series:
    measures = found.scores.measures
    ids = scale_ids(each.scale for each in measures)
    scales = []
    for each in measures:
        low, high = {"nps": (-100.0, 100.0), "csat": (0.0, 100.0)}.get(
            each.scale.kind, (float(each.scale.low), float(each.scale.high))
        )
        scales.append((ids[each.scale], scale_name(each.scale), low, high, digits_of(each.scale)))

    def point(row: Row) -> Point:
        values = []
        for each in measures:
            of_part = row.scores.of(each.scale)
            score = of_part.score
            values.append((shown.measure(of_part), score.value, score.low, score.high))
        assert found.by is not None
        name = shown.slice_name(found.by, row.key, "")
        of = row.funnel
        return Point(row.key, name, of.dialled, of.answered, of.completed, tuple(values))

    return Series(tuple(scales), tuple(point(row) for row in found.rows))


# Hours and weekdays ----------------------------------------------------------------------------

HEAT_OF: dict[str, tuple[tuple[str, str], Callable[[HeatCell], float]]] = {
    "dialled": (("набрано и принято", "dialled or came in"), lambda each: each.dialled),
    "answered": (("ответил человек", "answered by a human"), lambda each: each.answered),
    "completed": (("опрос пройден", "completed"), lambda each: each.completed),
    "reach": (
        ("дозвон: ответил человек, % от набранных и принятых", "reached: answered, % of dialled or came in"),
        lambda each: 100 * each.answered / each.dialled,
    ),
}


def heat(found: Report, of: str) -> Heat:
    value = HEAT_OF[of][1]
    cells = {(each.weekday, each.hour): each for each in found.heat}
    most = max((value(each) for each in found.heat), default=0) or 1

    def one(weekday: int, hour: int) -> tuple[str, int]:
        each = cells.get((weekday, hour))
        if each is None:
            return "", 0
        level = 1 + min(LEVELS - 1, int(value(each) / most * LEVELS))
        return f"{value(each):.0f}", level if value(each) else 0

    days = words("пн вт ср чт пт сб вс", "Mon Tue Wed Thu Fri Sat Sun").split()
    return Heat(tuple((name, tuple(one(day, hour) for hour in range(24))) for day, name in enumerate(days)))
