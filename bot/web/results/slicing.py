"""The table of a slicing: its columns, what they are of, and the order of its rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.reports.export.figures import scale_ids
from bot.reports.measures import Scale, share
from bot.reports.report import Row, Sliced
from bot.reports.slices import By
from bot.reports.wording import by_name, scale_name, step_name
from bot.web.results import shown
from bot.web.results.asked import FILTERS, Asked
from bot.web.results.shown import Cell
from bot.words import words


@dataclass(frozen=True, slots=True)
class Column:
    """`id` names it in an address (`sort=nps`); `about` says what it is of."""

    id: str
    title: str
    about: str
    cell: Callable[[Row], Cell]


@dataclass(frozen=True, slots=True)
class Line:
    """`path` leads to the same figures of this slice alone, `calls` to its calls; "" where neither can be."""

    name: str
    cells: tuple[Cell, ...]
    path: str
    calls: str


@dataclass(frozen=True, slots=True)
class Head:
    """`sort` is the address that sorts by it, `sorted` how it is: `ascending`, `descending` or ""."""

    title: str
    about: str
    sort: str
    sorted: str


@dataclass(frozen=True, slots=True)
class Shown:
    heads: tuple[Head, ...]
    lines: tuple[Line, ...]
    total: Line


NAME = "name"


def table(found: Sliced, asked: Asked, path: str, sort: str) -> Shown:
    """Sorted by a column's id, from the greatest with `-` before it; rows without that figure come last.
    An order that is not known is that of the report: by the number of calls, or by time."""
    columns = columns_of([each.scale for each in found.total.scores.measures])
    titles = [(NAME, by_name(found.by), ""), *((each.id, each.title, each.about) for each in columns)]
    heads = tuple(
        Head(title, about, asked.again(path, sort=_next(sort, id_)), _sorted(sort, id_))
        for id_, title, about in titles
    )
    lines = [_line(found.by, row, columns, asked) for row in found.rows]
    total = Line(words("Всего", "All"), tuple(each.cell(found.total) for each in columns), "", asked.calls())
    return Shown(heads, tuple(_in_order(lines, columns, sort)), total)


def _next(sort: str, id_: str) -> str:
    """From the worst, then from the best: that is what a table of people is sorted for."""
    return f"-{id_}" if sort == id_ else id_


def _sorted(sort: str, id_: str) -> str:
    return {id_: "ascending", f"-{id_}": "descending"}.get(sort, "")


def _in_order(lines: Sequence[Line], columns: Sequence[Column], sort: str) -> list[Line]:
    id_, falling = sort.removeprefix("-"), sort.startswith("-")
    if id_ == NAME:
        return sorted(lines, key=lambda line: line.name.casefold(), reverse=falling)
    place = next((at for at, each in enumerate(columns) if each.id == id_), None)
    if place is None:
        return list(lines)

    def value(line: Line) -> float:
        found = line.cells[place].value
        assert isinstance(found, int | float)
        return found

    known = [line for line in lines if line.cells[place].value is not None]
    return sorted(known, key=value, reverse=falling) + [
        line for line in lines if line.cells[place].value is None
    ]


def _line(by: By, row: Row, columns: Sequence[Column], asked: Asked) -> Line:
    name = shown.slice_name(by, row.key, row.label)
    path = calls = ""
    if by.grain is not None:
        part = next(each for each in asked.period.parts(by.grain) if each.first.isoformat() == row.key)
        of_part = asked.at(part)
        path, calls = of_part.address("/results"), of_part.calls()
    elif by in FILTERS and row.key and not (by is By.TOPIC and asked.scope.topics):
        # Among calls of some topics, those of another are not that topic's calls.
        of_slice = asked.only(by, row.key)
        path, calls = of_slice.address("/results"), of_slice.calls()
    return Line(name, tuple(each.cell(row) for each in columns), path, calls)


def columns_of(scales: Sequence[Scale]) -> tuple[Column, ...]:
    ids = scale_ids(scales)
    begun = words("от начатых опросов", "of the surveys begun")
    human = words("от звонков, где ответил человек", "of the calls answered by a human")
    joined = words("по соединениям", "over those joined")
    return (
        Column("dialled", step_name("dialled"), "", lambda row: shown.count(row.funnel.dialled)),
        Column("answered", step_name("answered"), "", lambda row: shown.count(row.funnel.answered)),
        Column("began", step_name("began"), "", lambda row: shown.count(row.funnel.began)),
        Column("completed", step_name("completed"), begun, _completed),
        Column("handed_over", step_name("handed_over"), human, _handed_over),
        *(Column(ids[scale], scale_name(scale), "", _measure(scale)) for scale in scales),
        Column(
            "call_s",
            words("звонок, среднее", "call, mean"),
            human,
            lambda row: shown.seconds(row.handling.call_s),
        ),
        Column(
            "talk_s",
            words("разговор с сотрудником, среднее", "agent's talk, mean"),
            joined,
            lambda row: shown.seconds(row.handling.talk_s),
        ),
        Column(
            "to_agent_s",
            words("до сотрудника, среднее", "time to agent, mean"),
            joined,
            lambda row: shown.seconds(row.handling.to_agent_s),
        ),
        Column(
            "connected",
            words("передач удалось", "handovers joined"),
            words("от начатых передач", "of the handovers tried"),
            lambda row: shown.share(row.handling.connected, row.handling.connected_share),
        ),
        Column(
            "held",
            words("с удержанием", "with a hold"),
            words("от разговоров, чьё удержание видно", "of the talks with known holds"),
            lambda row: shown.share(row.handling.held, row.handling.held_share),
        ),
        Column(
            "contacts_per_customer",
            words("обращений на клиента", "contacts per customer"),
            words(
                "звонки, где ответил человек, на разные телефоны", "calls answered by a human, by telephones"
            ),
            lambda row: shown.plain(row.handling.contacts_per_customer, 2),
        ),
        Column(
            "repeated",
            words("позвонили снова", "rang again"),
            words("от входящих, чей срок прошёл", "of the incoming calls of full term"),
            lambda row: shown.share(row.repeats.repeated, row.repeats.share),
        ),
    )


def _completed(row: Row) -> Cell:
    return shown.share(row.funnel.completed, share(row.funnel.completed, row.funnel.began))


def _handed_over(row: Row) -> Cell:
    return shown.share(row.funnel.handed_over, share(row.funnel.handed_over, row.funnel.answered))


def _measure(scale: Scale) -> Callable[[Row], Cell]:
    return lambda row: shown.measure(row.scores.of(scale))
