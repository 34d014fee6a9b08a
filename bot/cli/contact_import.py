"""`otklik contact import`: contacts from a file, with a progress bar and a report of what was refused."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bot.campaigns.importing.columns import Meaning, said_mapping
from bot.campaigns.importing.importer import (
    Import,
    Options,
    Summary,
    columns_of,
    company_of,
    open_sheet,
    remember_columns,
)
from bot.campaigns.importing.refused import RefusedReport, default_report
from bot.campaigns.importing.sheet import Sheet
from bot.campaigns.importing.wording import meaning_word
from bot.cli.on_database import By, on_database, who
from bot.cli.shell import noted
from bot.core.clock import SystemClock
from bot.core.errors import BadInput
from bot.settings import Settings
from bot.store.database import Database
from bot.words import words

_SHOWN_PLACES = 5


def import_contacts(
    file: Annotated[Path, typer.Argument(help=words("CSV, XLSX, XLS или ODS", "CSV, XLSX, XLS or ODS"))],
    mapping: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="СТОЛБЕЦ=ПОЛЕ",
            help=words(
                "что значит столбец; запоминается для таких файлов. Поля: ",
                "what a column means; remembered for such files. Fields: ",
            )
            + ", ".join(Meaning),
        ),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help=words("только проверить, ничего не писать", "write nothing"))
    ] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help=words("известных не менять", "leave known contacts alone"))
    ] = False,
    refused: Annotated[
        Path | None,
        typer.Option(help=words("куда отказанные строки; иначе рядом с файлом", "where refused rows go")),
    ] = None,
    encoding: Annotated[str, typer.Option(help=words("кодировка CSV", "the CSV's encoding"))] = "",
    separator: Annotated[str, typer.Option(help=words("разделитель CSV", "the CSV's separator"))] = "",
    sheet: Annotated[str, typer.Option(help=words("лист таблицы", "the spreadsheet's sheet"))] = "",
    by: By = "",
    as_json: Annotated[bool, typer.Option("--json", help=words("вывести JSON", "print JSON"))] = False,
) -> None:
    """Клиенты из файла. Прерванный импорт повторяют той же командой: записанное не изменится."""
    said = said_mapping(mapping or [])
    if refused is not None and refused.resolve() == file.resolve():
        raise BadInput(
            words("отчёт об отказах стёр бы сам файл", "the report would replace the file itself"),
            hint=words("назовите другой --refused", "give another --refused"),
        )
    table = open_sheet(file, encoding=encoding, separator=separator, sheet=sheet)
    console = Console(highlight=False, soft_wrap=True, stderr=as_json)
    options = Options(check, keep, who(by))

    async def work(db: Database, settings: Settings) -> Summary:
        clock = SystemClock()
        found, remembered = await columns_of(db, table, said)
        _show_columns(console, table, found, remembered)
        company = await company_of(db, settings.timezone, clock)
        if not check:
            await noted(db, "import", "contacts", file.name, rows=table.count, keep=keep)
        with (
            RefusedReport(refused or default_report(file), table.columns) as report,
            _progress(console) as bar,
        ):
            task = bar.add_task(words("строк", "rows"), total=table.count)
            done = await Import(db, table, found, company, clock).run(
                options, report, lambda rows: bar.update(task, completed=rows)
            )
        if not check:
            await remember_columns(db, table, said, clock)
        return done

    try:
        summary = on_database(work)
    except KeyboardInterrupt:
        console.print(
            words(
                "Прервано. Записанные строки остаются; повторите команду, и импорт продолжится.",
                "Broken off. Rows that are written stay; give the command again to go on.",
            )
        )
        raise
    if as_json:
        typer.echo(json.dumps(_json(summary, check), ensure_ascii=False, indent=2))
    else:
        _show(console, summary, check)


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        console=console, transient=True,
    )  # fmt: skip


def _show_columns(console: Console, sheet: Sheet, found: dict[str, Meaning], remembered: bool) -> None:
    console.print(f"{sheet.file.name}: {sheet.told}, " + words(f"строк {sheet.count}", f"{sheet.count} rows"))
    width = max(map(len, sheet.columns))
    for column, meaning in found.items():
        console.print(f"  {column:<{width}}  {meaning_word(meaning)}", markup=False)
    if remembered:
        console.print(
            words("  (столбцы названы раньше: otklik contact mappings)", "  (as was said before)"),
            style="dim",
        )


def _json(summary: Summary, check: bool) -> dict[str, Any]:
    report = str(summary.report) if summary.report else None
    return asdict(summary) | {"report": report, "checked_only": check}


def _show(console: Console, done: Summary, check: bool) -> None:
    if check:
        console.print(words("Проверка, ничего не записано.", "A check: nothing is written."), style="bold")
    told = (
        (words("новых", "new"), done.added),
        (words("изменено", "changed"), done.updated),
        (words("без изменений", "unchanged"), done.unchanged),
        (words("повторов строк", "repeated rows"), done.repeated),
        (words("отказано", "refused"), done.refused),
    )
    console.print(
        words(f"Строк {done.rows}: ", f"{done.rows} rows: ")
        + ", ".join(f"{name} {count}" for name, count in told)
        + "."
    )
    if done.no_zone:
        places = sorted(done.places, key=lambda place: -done.places[place])[:_SHOWN_PLACES]
        console.print(
            words(
                f"Без часового пояса {done.no_zone}: кампании им не звонят; добавьте регион или пояс.",
                f"{done.no_zone} without a time zone: campaigns do not ring them; add a region or a zone.",
            ),
            style="yellow",
        )
        if places:
            listed = ", ".join(f"«{place}» {done.places[place]}" for place in places)
            console.print(words(f"  непонятно: {listed}", f"  not understood: {listed}"), markup=False)
    if done.report is not None:
        console.print(
            words(
                f"Отказанные строки с причинами: {done.report}; исправьте и загрузите этот же файл.",
                f"Refused rows with the reasons: {done.report}; correct it and import it.",
            ),
            style="yellow",
            markup=False,
        )
