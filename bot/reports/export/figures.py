"""The figures of a report as tables for other programs: those of a page, each value in a cell of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from bot.reports.export.columns import Cell, Column, Kind
from bot.reports.funnel import Funnel, QuestionFigures
from bot.reports.handling import Handling, Repeats
from bot.reports.measures import Change, Measure, Scale
from bot.reports.report import Report, Row, Sliced
from bot.reports.scores import Scores
from bot.reports.slices import By
from bot.reports.wording import by_name, end_name, scale_name, signal_name, step_name, topic_name
from bot.surveys.scoring import Score
from bot.words import words


@dataclass(frozen=True, slots=True)
class Figures:
    """One table; `title` names it for people."""

    title: str
    columns: tuple[Column, ...]
    rows: list[list[Cell]]


def _text(name: str, label: str) -> Column:
    return Column(name, label, Kind.TEXT)


def _number(name: str, label: str) -> Column:
    return Column(name, label, Kind.NUMBER)


def _score(prefix: str, label: str) -> tuple[Column, ...]:
    """A value with its n and the ends of its 95 % interval."""
    ends = words("95 %, от|95 %, до", "95 %, from|95 %, to").split("|")
    return (
        _number(f"{prefix}n", f"{label}, n"),
        _number(f"{prefix}value", label),
        _number(f"{prefix}low", f"{label}, {ends[0]}"),
        _number(f"{prefix}high", f"{label}, {ends[1]}"),
    )


def _cells(score: Score) -> list[Cell]:
    return [score.count, score.value, score.low, score.high]


# What one report has ---------------------------------------------------------------------------


def scores(found: Report) -> Figures:
    columns = (
        _text("scale", words("оценка", "score")),
        *_score("", words("значение", "value")),
        _number("mean", words("среднее", "mean")),
        *(_number(name, label) for name, label in _groups()),
        *_change_columns(),
        _text("codes", words("сколько каких кодов", "how often each code")),
    )
    rows = [_measure(each, found.changes.get(each.scale, Change())) for each in found.scores.measures]
    return Figures(words("Оценки", "Scores"), columns, rows)


def _change_columns() -> tuple[Column, ...]:
    label = words("к периоду до", "to the period before")
    return (
        _number("change", label),
        _number("change_low", f"{label}, 95 %, {words('от', 'from')}"),
        _number("change_high", f"{label}, 95 %, {words('до', 'to')}"),
    )


def _groups() -> tuple[tuple[str, str], ...]:
    return (
        ("promoters", words("промоутеры", "promoters")),
        ("passives", words("нейтралы", "passives")),
        ("detractors", words("критики", "detractors")),
    )


def _measure(each: Measure, change: Change) -> list[Cell]:
    nps = each.scale.kind == "nps"
    groups: list[Cell] = [getattr(each, name) if nps else None for name, _ in _groups()]
    codes = " ".join(f"{code}:{each.counts[code]}" for code in sorted(each.counts))
    return [
        scale_name(each.scale),
        *_cells(each.score),
        each.mean.value,
        *groups,
        change.value,
        change.low,
        change.high,
        codes,
    ]


def question_scores(found: Report) -> Figures:
    columns = (
        _text("question", words("вопрос", "question")),
        _text("scale", words("оценка", "score")),
        *_score("", words("значение", "value")),
        _number("mean", words("среднее", "mean")),
    )
    rows: list[list[Cell]] = [
        [
            f"{each.survey_id}.{each.question_id}",
            scale_name(each.measure.scale),
            *_cells(each.measure.score),
            each.measure.mean.value,
        ]
        for each in found.scores.questions
    ]
    return Figures(words("Оценки по вопросам", "Scores by question"), columns, rows)


def funnel(found: Report) -> Figures:
    columns = (
        _text("step", words("шаг", "step")),
        _number("calls", words("звонков", "calls")),
        _text("of", words("от чего доля", "share of what")),
        *_score("share_", words("доля, %", "share, %")),
        _number("before", words("звонков в периоде до", "calls in the period before")),
    )
    before = {step.name: step.count for step in found.funnel_before.steps()}
    rows: list[list[Cell]] = [
        [step_name(each.name), each.count, step_name(each.of), *_cells(each.share), before[each.name]]
        for each in found.funnel.steps()
    ]
    return Figures(words("Воронка", "Funnel"), columns, rows)


def outcomes(found: Report) -> Figures:
    columns = (
        _text("disposition", words("итог", "disposition")),
        _text("name", words("что это", "what it is")),
        _number("calls", words("звонков", "calls")),
    )
    rows: list[list[Cell]] = [[end.value, end_name(end), times] for end, times in found.outcomes.items()]
    return Figures(words("Итоги", "Outcomes"), columns, rows)


_QUESTION_COUNTS = ("put", "answered", "dont_know", "refused", "no_answer", "dropped", "elsewhere", "reasked")


def questions(found: Report) -> Figures:
    labels = words(
        "задан|ответ|не знает|отказ|нет ответа|ушли|ушли к сотруднику или ещё говорят|переспрошен",
        "put|answered|don't know|refused|no answer|left|to an agent, or still talking|re-asked",
    ).split("|")
    columns = (
        _text("question", words("вопрос", "question")),
        _text("text", words("что спрошено", "what is asked")),
        *map(_number, _QUESTION_COUNTS, labels),
        *_score("drop_off_", words("ушли, %", "left, %")),
        *_score("reask_", words("переспрошен, %", "re-asked, %")),
    )

    def row(each: QuestionFigures) -> list[Cell]:
        name = f"{each.survey_id}.{each.question_id}"
        counts = [getattr(each, count) for count in _QUESTION_COUNTS]
        return [
            name,
            found.names.get(name, ""),
            *counts,
            *_cells(each.drop_off),
            *_cells(each.reask_rate),
        ]

    return Figures(words("Вопросы", "Questions"), columns, [row(each) for each in found.questions])


def service(found: Report) -> Figures:
    columns = (*_handling_columns(), *_repeat_columns())
    rows = [[*_handling(found.handling), *_repeats(found.repeats)]]
    return Figures(words("Обслуживание", "Handling"), columns, rows)


def matters(found: Report) -> Figures:
    of = found.matters
    columns = (
        _text("kind", words("что это", "what it is")),
        _text("id", words("обозначение", "id")),
        _text("name", words("название", "name")),
        _number("calls", words("звонков", "calls")),
        *_score("share_", words("% от звонков, где ответил человек", "% of the calls answered by a human")),
    )
    groups: tuple[tuple[str, dict[str, int], Callable[[str], str]], ...] = (
        (words("тема жалобы", "topic of a complaint"), of.topics, topic_name),
        (words("другая тема", "other topic"), of.others, topic_name),
        (words("замечено", "noticed"), of.signals, signal_name),
        (words("чем найдено", "found by"), of.rules, str),
    )
    rows: list[list[Cell]] = [
        [kind, what, name(what), times, *_cells(of.share(times))]
        for kind, counts, name in groups
        for what, times in counts.items()
    ]
    discontent = words("недовольство в словах", "discontent in words")
    rows.append([discontent, "negative", discontent, of.negative, *_cells(of.negative_share)])
    return Figures(words("Темы и замеченное", "Topics and what was noticed"), columns, rows)


def heat(found: Report) -> Figures:
    labels = words(
        "день недели, 1 — понедельник|час|набрано и принято|ответил человек|опрос пройден",
        "weekday, 1 is Monday|hour|dialled or came in|answered by a human|completed",
    ).split("|")
    names = ("weekday", "hour", "dialled", "answered", "completed")
    rows: list[list[Cell]] = [
        [each.weekday + 1, each.hour, each.dialled, each.answered, each.completed] for each in found.heat
    ]
    return Figures(words("Часы и дни недели", "Hours and weekdays"), tuple(map(_number, names, labels)), rows)


OF_REPORT: dict[str, Callable[[Report], Figures]] = {
    "scores": scores,
    "question-scores": question_scores,
    "funnel": funnel,
    "outcomes": outcomes,
    "questions": questions,
    "handling": service,
    "matters": matters,
    "heat": heat,
}


# By employee, over time … ----------------------------------------------------------------------


def slices(found: Sliced) -> Figures:
    return slices_of(found.by, found.rows, found.total.scores)


def slices_of(by: By, rows: Iterable[Row], whole: Scores) -> Figures:
    """A row each; the scales are those that have answers in the whole scope."""
    scales = [each.scale for each in whole.measures]
    names = scale_ids(scales)
    columns = (
        _text("key", by_name(by)),
        _text("name", words("название", "name")),
        *(_number(step.name, step_name(step.name)) for step in Funnel().steps()),
        *_score("completed_", words("пройден, % от начатых", "completed, % of those begun")),
        *(column for scale in scales for column in _scale_columns(names[scale], scale)),
        *_handling_columns(),
        *_repeat_columns(),
    )
    return Figures(by_name(by), columns, [_slice(row, scales) for row in rows])


def scale_ids(scales: Iterable[Scale]) -> dict[Scale, str]:
    """`nps`, `csat_1_5`; where two scales would be called alike, the later ones have a number."""
    found: dict[Scale, str] = {}
    for scale in scales:
        name = scale.kind if scale.kind == "nps" else f"{scale.kind}_{scale.low}_{scale.high}"
        taken = sum(each == name or each.startswith(f"{name}__") for each in found.values())
        found[scale] = f"{name}__{taken + 1}" if taken else name
    return found


def _scale_columns(name: str, scale: Scale) -> tuple[Column, ...]:
    label = scale_name(scale)
    groups = _groups() if scale.kind == "nps" else ()
    return (
        *_score(f"{name}_", label),
        _number(f"{name}_mean", f"{label}, {words('среднее', 'mean')}"),
        *(_number(f"{name}_{group}", f"{label}, {of}") for group, of in groups),
    )


def _slice(row: Row, scales: Sequence[Scale]) -> list[Cell]:
    steps = row.funnel.steps()
    completed = next(step for step in steps if step.name == "completed")
    cells: list[Cell] = [row.key, row.label, *(step.count for step in steps), *_cells(completed.share)]
    for scale in scales:
        each = row.scores.of(scale)
        cells += [*_cells(each.score), each.mean.value]
        if scale.kind == "nps":
            cells += [getattr(each, group) for group, _ in _groups()]
    return [*cells, *_handling(row.handling), *_repeats(row.repeats)]


def _handling_columns() -> tuple[Column, ...]:
    plain = (
        ("call_s", words("звонок, среднее, с", "call, mean, s")),
        ("customers", words("клиентов", "customers")),
        ("contacts_per_customer", words("обращений на клиента", "contacts per customer")),
        ("handovers", words("передач начато", "handovers tried")),
        ("connected", words("соединений", "joined")),
        ("talk_s", words("разговор с сотрудником, среднее, с", "agent's talk, mean, s")),
        ("to_agent_s", words("до сотрудника, среднее, с", "time to agent, mean, s")),
        ("soon", words("соединены за 20 секунд", "joined within 20 seconds")),
        ("watched", words("разговоров, чьё удержание видно", "talks with known holds")),
        ("held", words("с удержанием", "with a hold")),
        ("held_s", words("на удержании, среднее, с", "on hold, mean, s")),
    )
    return tuple(_number(name, label) for name, label in plain)


def _handling(each: Handling) -> list[Cell]:
    return [getattr(each, column.name) for column in _handling_columns()]


def _repeat_columns() -> tuple[Column, ...]:
    return (
        _number("repeat_days", words("срок повторного обращения, дней", "term of a repeated contact, days")),
        _number("contacts", words("входящих, чей срок прошёл", "incoming calls of full term")),
        _number("repeated", words("из них позвонили снова", "of these rang again")),
    )


def _repeats(each: Repeats) -> list[Cell]:
    return [each.days, each.contacts, each.repeated]
