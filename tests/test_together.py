"""What is said of files in tests/conftest.py is true of them."""

from __future__ import annotations

from bot.settings import PROJECT
from tests.conftest import TOGETHER


def test_files_that_one_process_runs_share_a_node() -> None:
    for file, fixture in TOGETHER.items():
        text = (PROJECT / file).read_text(encoding="utf-8")
        assert fixture in text or "faulty" in text, file
