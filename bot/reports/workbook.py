"""A report as an Excel workbook: what it is about, then every table that the pages offer, a sheet each."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

import xlsxwriter

from bot.reports.export.columns import Cell, Column, Kind
from bot.reports.export.figures import OF_REPORT, Figures, slices_of
from bot.reports.export.sinks import TEXTS_AS_THEY_ARE, write_line
from bot.reports.measures import SMALL
from bot.reports.report import Report
from bot.reports.wording import topic_name
from bot.words import words

LONGEST_NAME = 31
"""Letters in a sheet's name (Excel specifications and limits)."""


def workbook(found: Report) -> bytes:
    """The whole file."""
    tables = [_about(found), *(table(found) for table in OF_REPORT.values())]
    if found.by is not None:
        tables.insert(1, slices_of(found.by, found.rows, found.scores))
    file = BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True, **TEXTS_AS_THEY_ARE}) as book:
        _write(book, tables)
    return file.getvalue()


def _write(book: xlsxwriter.Workbook, tables: Sequence[Figures]) -> None:
    bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
    moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    number = book.add_format({"num_format": "0.00"})
    for table in tables:
        name = table.title[:1].upper() + table.title[1:LONGEST_NAME]
        sheet = book.add_worksheet(name)
        sheet.freeze_panes(1, 1)
        sheet.set_column(0, 0, 38)
        sheet.set_column(1, max(1, len(table.columns) - 1), 14)
        sheet.write_row(0, 0, [column.label for column in table.columns], bold)
        for line, row in enumerate(table.rows, 1):
            write_line(sheet, line, table.columns, row, moment=moment, number=number)


def _about(found: Report) -> Figures:
    of = found.scope
    rows: list[list[Cell]] = [
        [words("Первый день", "First day"), of.period.first.isoformat()],
        [words("Последний день", "Last day"), of.period.last.isoformat()],
        [words("Часовой пояс", "Time zone"), of.period.zone],
        [words("Звонков", "Calls"), found.funnel.dialled],
    ]
    for name, chosen in (
        (words("Только сотрудники", "Employees only"), of.employees),
        (words("Только отделы", "Departments only"), of.departments),
        (words("Только опросы", "Surveys only"), of.surveys),
        (words("Только кампании", "Campaigns only"), of.campaigns),
        (words("Только темы", "Topics only"), tuple(map(topic_name, of.topics))),
    ):
        if chosen:
            rows.append([name, ", ".join(chosen)])
    rows.append(
        [
            words("Как читать", "How to read it"),
            words(
                f"Границы — интервалы 95 %. Где n меньше {SMALL}, ответов мало. Изменение, между чьими "
                "границами лежит 0, может быть случайным.",
                f"The ends are of 95 % intervals. Where n is below {SMALL} the answers are few. A change "
                "with 0 between its ends may be chance.",
            ),
        ]
    )
    columns = (
        Column("name", words("Отчёт", "Report"), Kind.TEXT),
        Column("value", "", Kind.TEXT),
    )
    return Figures(words("О чём", "About"), columns, rows)
