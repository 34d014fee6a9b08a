"""One table in four formats: they agree with each other and with the report, and nothing is half written."""

from __future__ import annotations

import asyncio
import csv
import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pyreadstat
import pytest
from python_calamine import CalamineWorkbook

from bot.core.answer import AnswerStatus
from bot.core.cells import harmless
from bot.core.endings import Disposition
from bot.reports.export import calls as export_calls
from bot.reports.export import sav
from bot.reports.export.columns import Cell, Column, Kind
from bot.reports.export.writing import Exported, Format, Wanted, export
from bot.reports.funnel import Funnel
from bot.reports.periods import Period
from bot.reports.report import Report, report
from bot.reports.slices import Scope
from bot.store.database import Database
from bot.store.tables import AnswerRow
from tests.databases import database_in
from tests.postgres import Postgres
from tests.reports import world
from tests.reports.world import FIRST, ZONE, FakeCall, Reply

SCOPE = Scope(Period(date(2025, 3, 25), date(2025, 4, 8), ZONE))
Table = list[dict[str, Any]]


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_calls, "PIECE", 40)


@pytest.fixture
async def crowd(db: Database, small_pieces: None) -> list[FakeCall]:
    chance = Random(3)
    made = [world.random_call(chance) for _ in range(230)]
    made += [made[0]] * 60  # more calls of one moment than a piece holds
    await world.store(db, made)
    return made


def read_csv(file: Path) -> Table:
    with file.open(encoding="utf-8-sig", newline="") as lines:
        return [_numbers(row) for row in csv.DictReader(lines)]


def read_jsonl(file: Path) -> Table:
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return [{name: "" if cell is None else cell for name, cell in row.items()} for row in rows]


def read_xlsx(file: Path) -> Table:
    sheet = CalamineWorkbook.from_path(str(file)).get_sheet_by_index(0).to_python(skip_empty_area=False)
    heads, *rows = sheet
    return [dict(zip(heads, row, strict=True)) for row in rows]


def read_sav(file: Path) -> Table:
    """By the labels of its values, what it declares missing left out."""
    columns, meta = pyreadstat.read_sav(str(file), user_missing=True, output_format="dict")
    ids = {name: _ids(name, labels) for name, labels in meta.variable_value_labels.items()}
    count = len(columns["call_id"])
    return [
        {name: ids.get(name, {}).get(cells[row], cells[row]) for name, cells in columns.items()}
        for row in range(count)
    ]


_SAV_IDS = {
    "да": "yes", "нет": "no", "исходящий": "outbound", "входящий": "inbound", "есть ответ": "answered",
    "нет ответа": "no_answer", "отказался отвечать": "refused", "не знает": "dont_know",
    "ушёл на этом вопросе": "left", "не задан": "not_asked", "ещё идёт": "open",
}  # fmt: skip


def _ids(name: str, labels: dict[float, str]) -> dict[float, Any]:
    shown = {code: _SAV_IDS.get(label, label) for code, label in labels.items()}
    if name.endswith(".status"):
        return shown
    return {code: "" if code < 0 else label for code, label in shown.items()}


def _numbers(row: dict[str, str]) -> dict[str, Any]:
    return {name: _number(cell) for name, cell in row.items()}


def _number(cell: str) -> Any:
    try:
        return float(cell)
    except ValueError:
        return cell


READ: dict[Format, Callable[[Path], Table]] = {
    Format.CSV: read_csv,
    Format.JSONL: read_jsonl,
    Format.XLSX: read_xlsx,
    Format.SAV: read_sav,
}


def half_written(folder: Path) -> list[Path]:
    return list(folder.glob(".*"))


async def written(db: Database, folder: Path, form: Format, **options: Any) -> tuple[Exported, Table]:
    file = folder / f"out.{form}"
    done = await export(db, SCOPE, Wanted(form, file, **options))
    assert not half_written(folder)
    return done, READ[form](file)


def _totals(table: Table, found: Report) -> None:
    """Every figure of the report that can be had from the rows alone."""
    for each in found.scores.questions:
        columns = [
            name
            for name in table[0]
            if name.split(".v")[0] == f"{each.survey_id}.{each.question_id}" and not name.endswith("status")
        ]
        counted = [Counter(int(row[name]) for row in table if row[name] != "") for name in columns]
        assert dict(each.measure.counts) in [dict(codes) for codes in counted], columns
    marks = ("dialled", "answered", "began", "completed", "handed_over")
    assert Funnel(*(sum(row[mark] == "yes" for row in table) for mark in marks)) == found.funnel
    ends = Counter(row["disposition"] for row in table)
    assert {name: n for name, n in ends.items() if name != "open"} == dict(found.outcomes)
    for question in found.questions:
        statuses: Counter[str] = Counter()
        for name in table[0]:
            if name.endswith(".status") and name.startswith(f"{question.survey_id}.{question.question_id}."):
                statuses.update(row[name] for row in table)
        assert statuses["answered"] == question.answered
        assert statuses["refused"] == question.refused
        assert statuses["dont_know"] == question.dont_know
        assert statuses["no_answer"] == question.no_answer
        assert statuses["left"] == question.dropped + question.elsewhere


@pytest.mark.parametrize("form", Format)
async def test_every_format_has_the_numbers_of_the_report(
    db: Database, crowd: list[FakeCall], tmp_path: Path, form: Format
) -> None:
    found = await report(db, SCOPE, FIRST + timedelta(days=30))
    done, table = await written(db, tmp_path, form)
    assert (done.calls, len(table)) == (len(crowd), len(crowd))
    assert done.answers == sum(len(call.replies) for call in crowd)
    assert len({row["call_id"] for row in table}) == len(crowd)
    _totals(table, found)
    assert sum(float(row["call_s"]) for row in table if row["call_s"] not in ("", None)) == pytest.approx(
        sum(call.talk_s for call in crowd if call.answered and call.final)
    )
    assert {str(row["survey_version"]).removesuffix(".0") for row in table} == {"1", "2", "lost"}


async def test_a_later_scale_does_not_share_a_column(db: Database, tmp_path: Path) -> None:
    answered = AnswerStatus.ANSWERED
    calls = [
        FakeCall(10, "a1", replies=(Reply("nps", answered, 9), Reply("csat", answered, 5))),
        FakeCall(20, "a2", replies=(Reply("nps", answered, 8), Reply("csat", answered, 3))),
    ]
    await world.store(db, calls)
    _, table = await written(db, tmp_path, Format.JSONL)
    assert [(row["a.nps"], row["a.csat"], row["a.csat.v1"]) for row in table] == [(9, "", 5), (8, 3, "")]
    assert [row["a.csat.v1.status"] for row in table] == ["answered", "not_asked"]


async def test_a_sav_file_tells_its_labels_and_what_is_missing(db: Database, tmp_path: Path) -> None:
    statuses = [s for s in AnswerStatus if s is not AnswerStatus.ANSWERED]
    calls = [FakeCall(n, replies=(Reply("nps", status),)) for n, status in enumerate(statuses)]
    calls += [
        FakeCall(10, left=True, disposition=Disposition.HUNG_UP),
        FakeCall(11),
        FakeCall(12, replies=(Reply("nps", AnswerStatus.ANSWERED, 0),)),
    ]
    await world.store(db, calls)
    await written(db, tmp_path, Format.SAV)
    file = str(tmp_path / "out.sav")
    columns, meta = pyreadstat.read_sav(file, user_missing=True, output_format="dict")
    labels = meta.variable_value_labels["a.nps"]
    assert [labels.get(code, code) for code in columns["a.nps"]] == [
        "не знает", "отказался отвечать", "нет ответа", "ушёл на этом вопросе", "не задан", 0.0,
    ]  # fmt: skip
    assert meta.missing_ranges["a.nps"] == [{"lo": -5.0, "hi": -1.0}]
    assert "Порекомендуете?" in meta.column_names_to_labels["a.nps"]
    assert meta.variable_measure["a.nps"] == "scale"
    as_spss, _ = pyreadstat.read_sav(file, output_format="dict")
    valid = [each for each in as_spss["a.nps"] if each is not None and each == each]
    assert valid == [0.0], "what is declared missing is no value"


async def test_moments_are_those_of_the_reports_zone(db: Database, tmp_path: Path) -> None:
    await world.store(db, [FakeCall(0), FakeCall(10 * 86400)])  # before and after the clocks change
    local = [datetime(2025, 3, 25, 1, 0), datetime(2025, 4, 4, 2, 0)]  # noqa: DTZ001
    zoned = [each.replace(tzinfo=ZoneInfo(ZONE)) for each in local]
    tables = {form: (await written(db, tmp_path, form))[1] for form in Format}
    assert [row["at"] for row in tables[Format.CSV]] == [each.isoformat() for each in zoned]
    assert [row["at"] for row in tables[Format.XLSX]] == local
    assert [row["at"] for row in tables[Format.SAV]] == local


async def test_personal_data_is_written_only_when_asked_for(db: Database, tmp_path: Path) -> None:
    secret = "Анна Ким, 8 900 123-45-67"
    await world.store(db, [FakeCall(5, phone=777, replies=(Reply("nps", AnswerStatus.ANSWERED, 1),))])
    async with db.write() as session:
        session.add(
            AnswerRow(
                event_id="e", call_id="c0", seq=9, survey_hash="a1", question_id="why", kind="open",
                status="answered", value=secret, confidence=1.0, source="speech", heard=secret, at=FIRST,
            )
        )  # fmt: skip
    for form in (Format.CSV, Format.JSONL):
        _, [row] = await written(db, tmp_path, form)
        text = (tmp_path / f"out.{form}").read_text(encoding="utf-8")
        assert secret not in text
        assert "7900777" not in text
        assert row["a.why.status"] == "answered"
        _, [row] = await written(db, tmp_path, form, personal=True)
        assert (row["a.why"], str(row["phone"]).removesuffix(".0")) == (secret, "7900777")


@pytest.mark.parametrize("text", ["=1+1", "-2+A1", "@SUM(A1)", "\tx", "\rx", '=HYPERLINK("http://x")'])
async def test_a_customers_words_are_no_formula(db: Database, tmp_path: Path, text: str) -> None:
    assert harmless(text) == f"'{text}"
    await world.store(db, [FakeCall(5, agent=text)])
    await export(db, SCOPE, Wanted(Format.CSV, tmp_path / "out.csv", delimiter=";"))
    with (tmp_path / "out.csv").open(encoding="utf-8-sig", newline="") as lines:
        [row] = csv.DictReader(lines, delimiter=";")
    assert row["employee"] == f"'{text}"
    _, [row] = await written(db, tmp_path, Format.XLSX)
    assert row["employee"].lstrip() == text.lstrip(), "a text cell as it is"


async def test_the_codebook_tells_every_column(db: Database, tmp_path: Path, crowd: list[FakeCall]) -> None:
    _, table = await written(db, tmp_path, Format.XLSX)
    lines = (
        CalamineWorkbook.from_path(str(tmp_path / "out.xlsx")).get_sheet_by_name("Кодовая книга").to_python()
    )
    assert [line[0] for line in lines[1:] if line[0]] == list(table[0])
    assert ["", "", "", -2, "refused", "отказался отвечать"] in lines


@pytest.mark.parametrize("form", Format)
async def test_whoever_interrupts_leaves_what_was_there(
    db: Database, crowd: list[FakeCall], tmp_path: Path, form: Format
) -> None:
    file = tmp_path / f"out.{form}"
    file.write_text("old")
    task: asyncio.Task[Exported]

    def interrupt(done: int, total: int) -> None:
        assert 0 < done < total
        task.cancel()

    task = asyncio.ensure_future(export(db, SCOPE, Wanted(form, file), interrupt))
    with pytest.raises(asyncio.CancelledError):
        await task
    assert file.read_text() == "old"
    assert not half_written(tmp_path)


@pytest.mark.parametrize("rows", [7, 100])
async def test_a_sav_written_in_parts_is_the_one_written_in_one_go(
    db: Database, crowd: list[FakeCall], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    whole, parts = tmp_path / "whole.sav", tmp_path / "parts.sav"
    done = await export(db, SCOPE, Wanted(Format.SAV, whole, personal=True))
    monkeypatch.setattr(sav, "PART_ROWS", rows)
    await export(db, SCOPE, Wanted(Format.SAV, parts, personal=True))
    created = slice(92, 109)  # date and time
    first, second = bytearray(whole.read_bytes()), bytearray(parts.read_bytes())
    first[created] = second[created] = b""
    assert first == second
    _, about = pyreadstat.read_sav(parts)
    assert about.number_rows == done.calls > 7
    assert not half_written(tmp_path)


def test_pyreadstat_writes_the_same_bytes_for_all_rows_at_once(tmp_path: Path) -> None:
    """But for its mark of the end, which a row carries where there is room for it. With the widest row these
    are 999, a number that ends a dictionary as well."""
    columns = (
        Column("t", "Text", Kind.TEXT),
        Column("n", "Number", Kind.NUMBER),
        Column("m", "", Kind.MOMENT),
    )
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    rows: list[tuple[Cell, ...]] = [("я" * 300, 1, noon), *((str(n), n / 7, None) for n in range(997))]
    sink = sav.SavSink(tmp_path / "ours.sav", columns)
    for row in rows:
        sink.write(row)
    sink.close()
    frame = pd.DataFrame({
        "t": [text for text, _, _ in rows],
        "n": [float(number) for _, number, _ in rows],  # type: ignore[arg-type]
        "m": pd.Series([noon.replace(tzinfo=None), *[None] * 997], dtype="datetime64[us]"),
    })  # fmt: skip
    pyreadstat.write_sav(
        frame, tmp_path / "theirs.sav", file_label="Otklik", row_compress=True,
        column_labels=["Text", "Number", ""],
        variable_measure={"t": "nominal", "n": "scale", "m": "scale"},
    )  # fmt: skip
    ours, theirs = (bytearray((tmp_path / name).read_bytes()) for name in ("ours.sav", "theirs.sav"))
    ours[92:109] = theirs[92:109] = b""
    differ = [pair for pair in zip(ours, theirs, strict=True) if pair[0] != pair[1]]
    assert differ == [(0, 252)]


async def test_an_empty_period_is_a_table_without_rows(db: Database, tmp_path: Path) -> None:
    await world.store(db, [])
    for form in Format:
        done, table = await written(db, tmp_path, form)
        assert (done.calls, table) == (0, [])


async def test_postgresql_writes_the_same_file(
    db: Database, crowd: list[FakeCall], postgres: Postgres, tmp_path: Path
) -> None:
    await export(db, SCOPE, Wanted(Format.CSV, tmp_path / "sqlite.csv", personal=True))
    async with database_in(postgres) as other:
        await world.store(other, crowd)
        await export(other, SCOPE, Wanted(Format.CSV, tmp_path / "postgresql.csv", personal=True))
    assert (tmp_path / "postgresql.csv").read_bytes() == (tmp_path / "sqlite.csv").read_bytes()
