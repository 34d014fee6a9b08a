"""Databases of older versions are upgraded by whoever opens them first, and one of a newer version by nobody.

What is in them afterwards, row by row: tests/store/test_old_databases.py.
"""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from bot.cli.app import main
from bot.settings import PROJECT
from bot.store.migrations import head
from tests.data.db import make
from tests.node.running import node_settings
from tests.node.test_bad_input import refused

OLD = sorted(make.HERE.glob("otklik-*.sqlite"))
CORRECTED = "otklik-0.7.0"
"""From this version on somebody has put its nine right: he had said ten."""


def schema(database: Path) -> str:
    with closing(sqlite3.connect(database)) as connection:
        (revision,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(revision)


def test_every_release_has_left_its_database() -> None:
    changes = (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8")
    released = re.findall(r"(?m)^## \[(\d+\.\d+\.\d+)\]", changes)
    assert released
    assert sorted(f"otklik-{version}" for version in released) == [file.stem for file in OLD]


@pytest.mark.parametrize("old", OLD, ids=lambda file: file.stem)
def test_a_command_upgrades_a_copy_and_reports_from_it(
    old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = old.read_bytes()
    copy = tmp_path / "otklik.sqlite"
    shutil.copy(old, copy)
    monkeypatch.setenv("OTKLIK_VAR", str(tmp_path))
    with pytest.raises(SystemExit) as ended:
        main(["report", "--from", "2026-01-01", "--to", "2026-12-31", "--json"])
    assert not ended.value.code
    (nps,) = json.loads(capsys.readouterr().out)["scores"]
    praise = "10" if old.stem >= CORRECTED else "9"
    assert (nps["kind"], nps["codes"]) == ("nps", {"2": 1, praise: 1})
    assert schema(copy) == head()
    assert old.read_bytes() == before


def test_a_node_refuses_a_newer_schema() -> None:
    """It ends at once, says what to do, and has changed nothing."""
    with tempfile.TemporaryDirectory(prefix="otk") as folder:
        settings = node_settings(Path(folder))
        database = settings.var_dir / "otklik.sqlite"
        shutil.copy(OLD[-1], database)
        with closing(sqlite3.connect(database)) as connection, connection:
            connection.execute("UPDATE alembic_version SET version_num = '9999'")
        status, output = refused(settings)
        assert status == 3
        assert "newer Otklik" in output
        assert "9999" in output
        assert head() in output, "what this one knows"
        assert "restore a backup" in output
        assert schema(database) == "9999"
