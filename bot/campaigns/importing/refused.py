"""Refused rows as a file that is corrected and imported again."""

from __future__ import annotations

import csv
import filecmp
import glob
import os
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bot.campaigns.importing.columns import REASON
from bot.campaigns.importing.sheet import Row
from bot.core.cells import harmless

_OURS = re.compile(r"\.refused(-\d+)?$")


def default_report(file: Path) -> Path:
    """`clients.refused.csv` beside the file; with a number where that is there: what somebody corrects by
    hand is never written over."""
    stem = _OURS.sub("", file.stem)
    fresh, number = file.with_name(f"{stem}.refused.csv"), 1
    while fresh.exists():
        number += 1
        fresh = file.with_name(f"{stem}.refused-{number}.csv")
    return fresh


class RefusedReport:
    """The columns of the original, and «причина»; UTF-8 with its mark and semicolons, as spreadsheets on
    Windows open it. It appears whole at `close`, if there is anything in it. Use it with `with`."""

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self.path = path
        self.count = 0
        self._reason_at = next((at for at, name in enumerate(columns) if name.lower() == REASON), None)
        self._columns = self._without_reason(list(columns))
        self._part: Path | None = None
        self._file: Any = None
        self._csv: Any = None

    def add(self, row: Row, why: str) -> None:
        """Raises OSError."""
        if self._csv is None:
            self._begin()
        width = len(self._columns)
        cells = self._without_reason(list(row.cells))
        cells += [""] * (width - len(cells))
        told = f"строка {row.line}: {why}"
        self._csv.writerow([*map(harmless, cells[:width]), harmless(told), *map(harmless, cells[width:])])
        self.count += 1

    def close(self) -> Path | None:
        """The file; None where nothing was refused. Where an earlier report says the very same, that one.
        Raises OSError."""
        if self._file is None or self._part is None:
            return None
        self._file.close()
        self._file = None
        stem = _OURS.sub("", self.path.stem)
        for earlier in sorted(self.path.parent.glob(f"{glob.escape(stem)}.refused*.csv")):
            if earlier != self.path and filecmp.cmp(earlier, self._part, shallow=False):
                self._part.unlink()
                return earlier
        self._part.replace(self.path)
        return self.path

    def __enter__(self) -> RefusedReport:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None and self._part is not None:
            self._file.close()
            self._part.unlink(missing_ok=True)

    def _begin(self) -> None:
        handle, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=self.path.parent)
        self._part = Path(name)
        self._file = os.fdopen(handle, "w", encoding="utf-8-sig", newline="")
        self._csv = csv.writer(self._file, delimiter=";")
        self._csv.writerow([*map(harmless, self._columns), REASON])

    def _without_reason(self, cells: list[str]) -> list[str]:
        if self._reason_at is not None and self._reason_at < len(cells):
            return cells[: self._reason_at] + cells[self._reason_at + 1 :]
        return cells
