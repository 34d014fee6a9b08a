"""Files that are sent to do harm, and files that would do it on somebody's desk: YAML, JSON, CSV, XLSX."""

from __future__ import annotations

import asyncio
import re
import time
import zipfile
from pathlib import Path

import pytest

from bot.campaigns.importing.apart import open_apart
from bot.campaigns.importing.csv_file import open_csv
from bot.core.cells import harmless
from bot.core.errors import BadInput
from bot.surveys.comparisons import ExpressionInvalid
from bot.surveys.expressions import parse
from bot.surveys.source import FileRefused, read_yaml
from bot.web.dialling.uploads import safe_name

AT_MOST_S = 3.0
"""Of this thread's own work: hundreds of times what an honest file takes."""

YAML = {
    "runs Python": "a: !!python/object/apply:os.system ['true']",
    "own tag": "a: !x 1",
    "laughs": "a: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]",
    "itself": "a: &a [*a]",
    "deep flow": "a: " + "[" * 1900,
    "deep lines": "[\n" * 30_000,
    "deep map": "".join(" " * level + "a:\n" for level in range(300)),
    "99th month": "a: 2001-99-99",
    "99th hour": "a: 2001-01-01T99:99:99",
    "no text": 'a: "\\0"',
    "half a letter": 'a: "\\uD800"',
    "no letter": 'a: "\\UFFFFFFFF"',
    "version": "%YAML 9.9\n---\na: 1",
    "many documents": "a: 1\n---\nb: 2",
    "block": "a: |9999999\n  x",
}


@pytest.mark.parametrize("text", YAML.values(), ids=YAML.keys())
def test_yaml_that_runs_unfolds_or_breaks_is_refused(text: str) -> None:
    began = time.thread_time()
    with pytest.raises(FileRefused):
        read_yaml(Path("survey.yaml"), text)
    assert time.thread_time() - began < AT_MOST_S


CONDITIONS = (
    "__import__('os').system('true')", "answer.nps.__class__ == 1", "9**9**9 == 1",
    "answer.nps == 9**9**9", "answer.nps == 10 ** 100000", "'a' * 10**9 == answer.x", "[x for x in answer]",
    "lambda: 1", "answer['nps'] == 1", "answer.nps == f'{1}'", "answer.nps == open('/etc/passwd')",
    "(" * 400 + "answer.nps == 1" + ")" * 400, "not " * 120 + "answer.nps", "answer.nps == " + "9" * 5000,
    "-" * 450 + "1 == answer.nps", "answer.nps == (yield)", "a := 1",
    "answer.nps == b'x'", "answer.nps == 1j",
)  # fmt: skip


@pytest.mark.parametrize("text", CONDITIONS, ids=range(len(CONDITIONS)))
def test_a_condition_computes_nothing_and_ends_at_once(text: str) -> None:
    began = time.thread_time()
    with pytest.raises(ExpressionInvalid):
        parse(text)
    assert time.thread_time() - began < AT_MOST_S


def test_no_name_leads_from_an_answer_into_python() -> None:
    known = {"answer": {"nps": 1}, "customer": {}, "agent": {}, "intents": set(), "topics": set()}
    for name in ("__class__", "__globals__", "get", "items"):
        assert not parse(f"answer.{name} == answer.{name}").holds(known)


FORMULAS = (
    "=1+1", "+cmd|' /C calc'!A0", "-2+3+cmd|' /C calc'!A0", "@SUM(1)", "\t=1+1", "\r=1+1", "\n=1+1",
    "＝1+1", "＋cmd", "－cmd", "＠SUM(1)", '=HYPERLINK("https://evil.example";"x")',
)  # fmt: skip


@pytest.mark.parametrize("text", FORMULAS, ids=repr)
def test_no_cell_of_any_export_begins_a_formula(text: str) -> None:
    assert harmless(text) == f"'{text}"


def test_no_table_is_written_round_it() -> None:
    """Whoever writes CSV in the program guards its cells; a new place has to come here and say how."""
    root = Path(__file__).parents[2] / "bot"
    writing = {
        str(file.relative_to(root))
        for file in root.rglob("*.py")
        if re.search(r"csv\.(?:writer|DictWriter)\(", file.read_text("utf-8"))
    }
    assert writing == {
        "campaigns/importing/refused.py",  # harmless
        "cli/contact_export.py",  # harmless
        "reports/export/sinks.py",  # harmless
        "web/admin/audit.py",  # harmless; its details are JSON, which begins with {
        "web/dialling/common.py",  # harmless
    }


CSV = {
    "one long cell": b"x" * 200_000,
    "nothing but separators": b";" * 3_000_000,
    "a long line": b"a;b\n" + b"x" * 2_000_000,
    "quotes that stay open": b'a;b\n"' + b"x\n" * 500,
    "too many columns": b";".join(b"c%d" % number for number in range(400)),
    "zeros": b"a;b\n\0\0;1\n",
}


@pytest.mark.parametrize("content", CSV.values(), ids=CSV.keys())
def test_a_csv_that_is_none_is_refused_in_words(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "contacts.csv"
    file.write_bytes(content)
    began = time.thread_time()
    with pytest.raises(BadInput):
        open_csv(file)
    assert time.thread_time() - began < AT_MOST_S


async def test_a_workbook_that_says_it_is_huge_is_not_opened(tmp_path: Path) -> None:
    """By its own directory it is 1.2 GB, and so it is never opened."""
    file = tmp_path / "bomb.xlsx"

    def make() -> None:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            archive.writestr("xl/worksheets/sheet1.xml", bytes(4 << 20))
        content = bytearray(file.read_bytes())
        entry = content.rfind(b"PK\x01\x02")  # its directory: 24 bytes on stands the size unpacked
        content[entry + 24 : entry + 28] = (1_200_000_000).to_bytes(4, "little")
        file.write_bytes(content)

    await asyncio.to_thread(make)
    with pytest.raises(BadInput, match="слишком велика"):
        await open_apart(file)


@pytest.mark.parametrize("name", [
    "../../etc/passwd", "..\\..\\boot.ini", "/etc/passwd", "C:\\x.csv", "..", ".", "", "a/../..", "\x00.csv",
    "x" * 5000 + ".csv", "\u202ecsv.exe", ".htaccess", "a\r\nb.csv",
], ids=range(13))  # fmt: skip
def test_an_upload_is_kept_in_its_own_folder_whatever_it_is_called(name: str, tmp_path: Path) -> None:
    kept = safe_name(name)
    assert kept.isprintable()
    assert len(kept) < 80
    assert (tmp_path / kept).resolve().parent == tmp_path.resolve()
    assert not kept.startswith(".")
