"""A report as an Excel workbook: the figures of `otklik report`, each with its n and its denominator, as
numbers that can be counted on with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from io import BytesIO
from typing import Any

import xlsxwriter

from bot.reports.handling import Handling
from bot.reports.measures import SMALL, Measure, Scale
from bot.reports.report import Report, Row
from bot.reports.slices import By
from bot.reports.wording import by_name, end_name, scale_name, signal_name, step_name, topic_name
from bot.words import words

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

Cell = str | int | float | date | None

DIGITS = 4
"""Decimals that are kept: a cell shows two of them, and sums do not drift."""


class _Sheets:
    """Writes tables, each on a sheet of its own; texts are never formulas or links."""

    def __init__(self, file: BytesIO) -> None:
        options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        self.book = xlsxwriter.Workbook(file, options)
        self._bold = self.book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        self._number = self.book.add_format({"num_format": "0.00"})
        self._day = self.book.add_format({"num_format": "dd.mm.yyyy", "align": "left"})

    def table(self, name: str, heads: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
        sheet = self.book.add_worksheet(name)
        sheet.freeze_panes(1, 1)
        sheet.set_column(0, 0, 38)
        sheet.set_column(1, max(1, len(heads) - 1), 14)
        sheet.write_row(0, 0, heads, self._bold)
        for line, row in enumerate(rows, 1):
            for place, cell in enumerate(row):
                self._write(sheet, line, place, cell)

    def _write(self, sheet: Any, line: int, place: int, cell: Cell) -> None:
        match cell:
            case None:
                pass
            case str():
                sheet.write_string(line, place, cell)
            case date():
                sheet.write_datetime(line, place, cell, self._day)
            case float():
                sheet.write_number(line, place, round(cell, DIGITS), self._number)
            case _:
                sheet.write_number(line, place, cell)


def workbook(found: Report) -> bytes:
    """The whole file. Sheets: what it is about, scores, slices (where the report has any), the funnel, the
    questions, handling, matters."""
    file = BytesIO()
    sheets = _Sheets(file)
    with sheets.book:
        _about(sheets, found)
        _scores(sheets, found)
        if found.by is not None:
            _rows(sheets, found, found.by)
        _funnel(sheets, found)
        _questions(sheets, found)
        _handling(sheets, found)
        _matters(sheets, found)
    return file.getvalue()


def _heads(russian: str, english: str) -> list[str]:
    return words(russian, english).split("|")


def _about(sheets: _Sheets, found: Report) -> None:
    of = found.scope
    rows: list[tuple[Cell, Cell]] = [
        (words("Первый день", "First day"), of.period.first),
        (words("Последний день", "Last day"), of.period.last),
        (words("Часовой пояс", "Time zone"), of.period.zone),
        (words("Звонков", "Calls"), found.funnel.dialled),
    ]
    for name, chosen in (
        (words("Только сотрудники", "Employees only"), of.employees),
        (words("Только отделы", "Departments only"), of.departments),
        (words("Только опросы", "Surveys only"), of.surveys),
        (words("Только кампании", "Campaigns only"), of.campaigns),
        (words("Только темы", "Topics only"), tuple(map(topic_name, of.topics))),
    ):
        if chosen:
            rows.append((name, ", ".join(chosen)))
    rows.append(
        (
            words("Интервалы", "Intervals"),
            words(f"95 %; «мало» — меньше {SMALL} ответов", f"95 %; «few» is fewer than {SMALL} answers"),
        )
    )
    sheets.table(words("О чём", "About"), _heads("Отчёт|", "Report|"), rows)


def _scores(sheets: _Sheets, found: Report) -> None:
    heads = _heads(
        "Оценка|n|значение|от (95 %)|до (95 %)|среднее|к периоду до|больше случайного|"
        "промоутеры|нейтралы|критики|мало ответов",
        "Score|n|value|from (95 %)|to (95 %)|mean|to the period before|more than chance|"
        "promoters|passives|detractors|few answers",
    )
    rows: list[list[Cell]] = []
    for each in found.scores.measures:
        change = found.changes.get(each.scale)
        nps = each.scale.kind == "nps"
        rows.append(
            [
                scale_name(each.scale),
                *_score(each),
                each.mean.value,
                change.value if change else None,
                _yes(change is not None and change.clear),
                *((each.promoters, each.passives, each.detractors) if nps else (None, None, None)),
                _yes(each.small),
            ]
        )
    for asked in found.scores.questions:
        name = f"{asked.survey_id}.{asked.question_id}: {scale_name(asked.measure.scale)}"
        rows.append([name, *_score(asked.measure), asked.measure.mean.value])
    sheets.table(words("Оценки", "Scores"), heads, rows)


def _score(each: Measure) -> tuple[Cell, ...]:
    score = each.score
    return (each.count, score.value, score.low, score.high)


def _yes(told: bool) -> str:
    return words("да", "yes") if told else words("нет", "no")


def _rows(sheets: _Sheets, found: Report, by: By) -> None:
    scales = [each.scale for each in found.scores.measures]
    heads = _heads(
        "звонков|ответил человек|задан вопрос|пройден|соединены с сотрудником|звонок, с",
        "calls|answered by a human|a question put|completed|handed over|call, s",
    )
    ends = _heads("n|значение|от|до", "n|value|from|to")
    of_scales = [f"{scale_name(scale)}, {end}" for scale in scales for end in ends]
    rows = [_row(row, by, scales) for row in found.rows]
    sheets.table(by_name(by).capitalize(), [by_name(by), *heads, *of_scales], rows)


def _row(row: Row, by: By, scales: Sequence[Scale]) -> list[Cell]:
    of = row.funnel
    measured = [cell for scale in scales for cell in _score(row.scores.of(scale))]
    counts = (of.dialled, of.answered, of.began, of.completed, of.handed_over)
    return [_label(row, by), *counts, row.handling.call_s, *measured]


def _label(row: Row, by: By) -> Cell:
    if by.grain is not None:
        return date.fromisoformat(row.key)
    if by is By.TOPIC:
        return topic_name(row.key)
    if not row.key:
        return words("не указан", "none")
    return f"{row.label} ({row.key})" if row.label else row.key


def _funnel(sheets: _Sheets, found: Report) -> None:
    before = {step.name: step.count for step in found.funnel_before.steps()}
    rows: list[Sequence[Cell]] = [
        (
            step_name(step.name),
            step.count,
            step.share.value,
            step.share.low,
            step.share.high,
            step_name(step.of),
            step.of_count,
            before[step.name],
        )
        for step in found.funnel.steps()
    ]
    rows += [(end_name(end), times) for end, times in found.outcomes.items()]
    heads = _heads(
        "Шаг и исходы|звонков|доля, %|от (95 %)|до (95 %)|от чего|их|период до",
        "Step and outcomes|calls|share, %|from (95 %)|to (95 %)|of|count|period before",
    )
    sheets.table(words("Воронка", "Funnel"), heads, rows)


def _questions(sheets: _Sheets, found: Report) -> None:
    heads = _heads(
        "Вопрос|задан|ответ|не знает|отказ|нет ответа|ушли|ушли, % заданных|переспрошен|"
        "переспрошен, % заданных",
        "Question|put|answered|don't know|refused|no answer|left|left, % of put|re-asked|re-asked, % of put",
    )
    rows = [
        (
            f"{each.survey_id}.{each.question_id}",
            *(each.put, each.answered, each.dont_know, each.refused, each.no_answer),
            each.dropped,
            each.drop_off.value,
            each.reasked,
            each.reask_rate.value,
        )
        for each in found.questions
    ]
    sheets.table(words("Вопросы", "Questions"), heads, rows)


def _handling(sheets: _Sheets, found: Report) -> None:
    of: Handling = found.handling
    back = found.repeats
    rows: list[Sequence[Cell]] = [
        (words("звонок, среднее, с", "call, mean, s"), of.call_s, step_name("answered"), of.calls),
        (words("разговор с сотрудником, с", "agent's talk, s"), of.talk_s, _joined(), of.connected),
        (words("до сотрудника, с", "time to agent, s"), of.to_agent_s, _joined(), of.connected),
        (words("из них за 20 с, %", "within 20 s, %"), of.soon_share.value, _joined(), of.connected),
        (
            words("передач удалось, %", "handovers joined, %"),
            of.connected_share.value,
            words("передач", "handovers"),
            of.handovers,
        ),
        (
            words("обращений на клиента", "contacts per customer"),
            of.contacts_per_customer,
            words("клиентов", "customers"),
            of.customers,
        ),
        (
            words(f"позвонили снова за {back.days} дн., %", f"rang again within {back.days} days, %"),
            back.share.value,
            words("входящих, чей срок прошёл", "incoming calls of full term"),
            back.contacts,
        ),
    ]
    heads = _heads("Обслуживание|значение|от чего|их", "Handling|value|of|count")
    sheets.table(words("Обслуживание", "Handling"), heads, rows)


def _joined() -> str:
    return words("соединений", "joined")


def _matters(sheets: _Sheets, found: Report) -> None:
    of = found.matters
    rows: list[Sequence[Cell]] = []
    for kind, counts in (
        (words("тема жалоб", "topic of complaints"), {topic_name(k): v for k, v in of.topics.items()}),
        (words("другая тема", "other topic"), {topic_name(k): v for k, v in of.others.items()}),
        (words("замечено", "noticed"), {signal_name(k): v for k, v in of.signals.items()}),
        (words("чем найдено", "found by"), of.rules),
    ):
        rows += [(what, kind, times, of.calls) for what, times in counts.items()]
    heads = _heads("Что|вид|звонков|из отвеченных человеком", "What|kind|calls|of calls a human answered")
    sheets.table(words("Темы", "Matters"), heads, rows)
