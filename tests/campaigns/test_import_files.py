"""Files as people have them: every encoding, separator and spreadsheet is read, and a broken one is told."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from bot.campaigns.importing.csv_file import open_csv
from bot.campaigns.importing.importer import open_sheet
from bot.campaigns.importing.refused import RefusedReport, default_report
from bot.campaigns.importing.sheet import Row
from bot.core.errors import BadInput
from tests.campaigns.spreadsheet import write_xlsx

TEXT = "Телефон;Имя;Город\r\n8 916 123-45-67;Пётр «Первый»;Йошкар-Ола\r\n+7 926 000-00-00;Щукина №2;Орёл\r\n"


@pytest.mark.parametrize(
    ("mark", "encoding", "told"),
    [
        (b"", "utf-8", "UTF-8"),
        (codecs.BOM_UTF8, "utf-8", "UTF-8 (BOM)"),
        (codecs.BOM_UTF16_LE, "utf-16-le", "UTF-16"),
        (codecs.BOM_UTF16_BE, "utf-16-be", "UTF-16"),
        (b"", "utf-16-le", "UTF-16-LE"),
        (b"", "utf-16-be", "UTF-16-BE"),
        (b"", "cp1251", "windows-1251"),
        (b"", "cp866", "CP866"),
        (b"", "koi8-r", "KOI8-R"),
    ],
)
def test_an_encoding_is_found_and_told(tmp_path: Path, mark: bytes, encoding: str, told: str) -> None:
    text = TEXT if encoding not in ("cp866", "koi8-r") else TEXT.translate({ord(c): None for c in "«»№"})
    file = tmp_path / "a.csv"
    file.write_bytes(mark + text.encode(encoding))
    sheet = open_csv(file)
    assert sheet.told == f"{told}, точка с запятой"
    assert sheet.columns == ("Телефон", "Имя", "Город")
    assert [row.cells[2] for row in sheet.rows()] == ["Йошкар-Ола", "Орёл"]
    assert sheet.count == 2


def test_an_encoding_that_shows_late_is_found(tmp_path: Path) -> None:
    """More ASCII than one piece that is read at once goes before the first Russian letter."""
    file = tmp_path / "a.csv"
    file.write_bytes(b"phone,name\n" + b"89161234567,x\n" * 10_000 + "89161234567,Мария\n".encode("cp1251"))
    sheet = open_csv(file)
    assert sheet.told.startswith("windows-1251")
    assert list(sheet.rows())[-1].cells == ["89161234567", "Мария"]


@pytest.mark.parametrize(("by", "name"), [(";", "точка с запятой"), (",", "запятая"), ("\t", "табуляция")])
def test_a_separator_is_found(tmp_path: Path, by: str, name: str) -> None:
    file = tmp_path / "a.csv"
    rows = [["phone", "note"], ["89161234567", '"a;b, c\td ""e"""'], ["89161234568", "x"]]
    file.write_text("\n".join(by.join(row) for row in rows))
    sheet = open_csv(file)
    assert sheet.told.endswith(name)
    assert [row.cells for row in sheet.rows()] == [["89161234567", 'a;b, c\td "e"'], ["89161234568", "x"]]


def test_lines_are_those_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text('sep=;\nphone;note\n\n1;"two\nlines"\n\n2;x\n')
    assert [row.line for row in open_csv(file).rows()] == [4, 7]


def test_headings_are_made_distinct(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("phone;;Имя;имя;\n1;2;3;4;\n")
    assert open_csv(file).columns == ("phone", "столбец 2", "Имя", "имя (2)")


@pytest.mark.parametrize(
    ("content", "options", "told"),
    [
        (b"", {}, "пуст"),
        (b"phone;x\n1;\"2\n3;4\n", {}, ":2: это не CSV: кавычки открыты и не закрыты"),
        (b"phone;x\n1;\"2\n" + b"3;4\n" * 1000, {}, ":2: это не CSV: кавычки открыты и не закрыты"),
        (b"phone;x\n1;\xff\xfe\xfa\n", {"encoding": "utf-8"}, ":2: это не UTF-8"),
        (b"phone\n1\n", {"encoding": "klingon"}, "кодировки «klingon» нет"),
        (b"phone\n1\n", {"separator": "|"}, "разделитель «|» не годится"),
        (b"PK\x03\x04 no archive", {}, "таблица не читается"),
    ],
)  # fmt: skip
def test_a_broken_file_is_refused_before_anything_is_taken(
    tmp_path: Path, content: bytes, options: dict[str, str], told: str
) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(content)
    with pytest.raises(BadInput) as refused:
        open_sheet(file, **options)
    assert told in refused.value.message


def test_a_spreadsheet_is_read_as_people_see_it(tmp_path: Path) -> None:
    file = tmp_path / "clients.csv"  # whatever it is called
    write_xlsx(
        file,
        [["Телефон", "Имя", "Балл"], [79161234567.0, " Анна ", 4.5], ["", "", ""], ["8 926 0", "", 7]],
        first=3,
    )
    sheet = open_sheet(file)
    assert (sheet.columns, sheet.count, sheet.told) == (("Телефон", "Имя", "Балл"), 2, "лист «Клиенты»")
    rows = list(sheet.rows())
    assert [row.cells for row in rows] == [["79161234567", "Анна", "4.5"], ["8 926 0", "", "7"]]
    assert [row.line for row in rows] == [4, 6]
    assert rows == list(sheet.rows())


def test_a_sheet_that_is_not_there_is_told(tmp_path: Path) -> None:
    file = tmp_path / "a.xlsx"
    write_xlsx(file, [["Телефон"]])
    with pytest.raises(BadInput, match="листа «Лист9» нет"):
        open_sheet(file, sheet="Лист9")


def test_a_report_can_be_corrected_and_reported_upon_again(tmp_path: Path) -> None:
    """«причина» is one column, however often rows come back; what begins like a formula is guarded."""
    first = tmp_path / "clients.csv"
    with RefusedReport(default_report(first), ("Телефон", "Имя")) as report:
        report.add(Row(7, ["12", "=HYPERLINK(0)"]), "это не номер")
        report.add(Row(9, ["12", "Анна", "лишнее"]), "ячеек 3, а столбцов 2")
        path = report.close()
    assert path == tmp_path / "clients.refused.csv"
    sheet = open_sheet(path)
    assert sheet.told == "UTF-8 (BOM), точка с запятой"
    assert sheet.columns == ("Телефон", "Имя", "причина")
    rows = list(sheet.rows())
    assert rows[0].cells == ["12", "'=HYPERLINK(0)", "строка 7: это не номер"]
    assert rows[1].cells[3] == "лишнее"
    with RefusedReport(default_report(path), sheet.columns) as again:
        again.add(rows[0], "и теперь не номер")
        second = again.close()
    assert second == tmp_path / "clients.refused-2.csv"
    assert [row.cells[2] for row in open_sheet(second).rows()] == ["строка 2: и теперь не номер"]
    assert (path.stat().st_mode & 0o777, len(list(tmp_path.iterdir()))) == (0o600, 2)


def test_a_report_of_nothing_is_no_file(tmp_path: Path) -> None:
    with RefusedReport(tmp_path / "a.refused.csv", ("Телефон",)) as report:
        assert report.close() is None
    with RefusedReport(tmp_path / "a.refused.csv", ("Телефон",)) as report:
        report.add(Row(2, ["1"]), "broken off before the end")
    assert list(tmp_path.iterdir()) == []
