"""The check that no file names a path of somebody's machine."""

from __future__ import annotations

from pathlib import Path

import check
import pytest


@pytest.mark.parametrize("folder", ["root", "home/olga", "Users/olga", "work", "mnt", "media"])
def test_a_path_of_a_machine_is_found(tmp_path: Path, folder: str) -> None:
    file = tmp_path / "notes.md"
    file.write_text(f"first line\nsee /{folder}/otklik/x for more\n")
    (found,) = check.machine_paths([file])
    assert found.startswith(f"{file}:2: /{folder}/otklik")


@pytest.mark.parametrize(
    "words",
    [
        "/usr/bin/sipp",
        "var/work/x",
        "https://example.org/home/page/x",
        "~/work/x",
        "answer/rework/x",
        "</root>",
        "sip/media/audio",
    ],
)
def test_other_paths_are_not(tmp_path: Path, words: str) -> None:
    file = tmp_path / "notes.md"
    file.write_text(words)
    assert check.machine_paths([file]) == []


def test_files_that_are_no_text_are_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "model.bin"
    file.write_bytes(b"\0" + b"/" + b"root/x")
    assert check.machine_paths([file]) == []


def test_this_tree_has_none() -> None:
    files = check.tracked_files()
    assert len(files) > 50
    assert check.machine_paths(files) == []
