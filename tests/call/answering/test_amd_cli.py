"""`otklik amd` and `otklik bench amd`, on the clips of tests/data/amd."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from bot.call.answering.confusion import read_manifest
from bot.cli.app import main
from bot.core.answerer import Answerer
from bot.core.errors import BadInput
from bot.settings import PROJECT

CLIPS = PROJECT / "tests" / "data" / "amd"
Otklik = Callable[..., tuple[int, str, str]]


@pytest.fixture
def otklik(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Otklik]:
    monkeypatch.setenv("OTKLIK_VAR", str(tmp_path))

    def run(*arguments: str | Path) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main([*map(str, arguments)])
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    yield run
    structlog.reset_defaults()
    logging.getLogger().handlers.clear()


def clip(part: str, name: str) -> Path:
    return CLIPS / part / f"{name}.wav"


def test_recordings_are_classified_a_json_line_each(otklik: Otklik) -> None:
    files = [clip("tuning", name) for name in ("human_01", "voicemail_06", "fax_01")]
    status, out, _ = otklik("amd", *files, "--json")
    found = [json.loads(line) for line in out.splitlines()]
    assert status == 0
    assert [one["file"] for one in found] == [str(file) for file in files]
    assert [one["class"] for one in found] == ["human", "voicemail", "fax"]
    first, last = found[1]["verdicts"]
    assert (first["class"], first["revised"]) == ("human", False)
    assert (last["class"], last["revised"]) == ("voicemail", True)
    assert found[1]["at"] == last["at"]
    assert all(one["reasons"] and 0 < one["at"] <= one["seconds"] + 0.02 for one in found)


def test_what_was_heard_before_the_answer_is_told_apart(otklik: Otklik) -> None:
    file = clip("tuning", "announcement_07")
    answered = next(one.answered_s for one in read_manifest(CLIPS) if one.file == file)
    _, out, _ = otklik("amd", file, "--json", "--answered", str(answered), "--no-words")
    found = json.loads(out)
    assert [one["early"] for one in found["verdicts"]] == [True, False]
    _, out, _ = otklik("amd", file, "--json", "--unanswered", "--no-words")
    assert {one["early"] for one in json.loads(out)["verdicts"]} == {True}


def test_in_words_for_people(otklik: Otklik) -> None:
    status, out, _ = otklik("amd", clip("tuning", "voicemail_06"), "--no-words")
    assert status == 0
    assert "автоответчик" in out
    assert "сначала: человек" in out


def test_a_file_that_is_no_sound_is_told_and_the_others_are_classified(
    otklik: Otklik, tmp_path: Path
) -> None:
    (tmp_path / "torn.wav").write_bytes(b"RIFF")
    status, out, err = otklik(
        "amd", tmp_path / "torn.wav", tmp_path / "none.wav", clip("tuning", "fax_01"), "--json", "--no-words"
    )
    assert status == BadInput.exit_status
    assert [json.loads(line)["class"] for line in out.splitlines()] == ["fax"]
    assert "torn.wav" in err
    assert "none.wav" in err


def test_an_empty_recording_is_silence(otklik: Otklik, tmp_path: Path) -> None:
    import soundfile

    soundfile.write(tmp_path / "short.wav", [0.0] * 100, 8000)
    soundfile.write(tmp_path / "empty.wav", [], 8000)
    _, out, _ = otklik("amd", tmp_path / "short.wav", tmp_path / "empty.wav", "--json", "--no-words")
    assert [json.loads(line)["class"] for line in out.splitlines()] == ["silence", None]


def test_the_table_of_the_clips_that_ship(otklik: Otklik) -> None:
    status, out, _ = otklik("bench", "amd", "--json")
    assert status == 0
    found: dict[str, dict[str, Any]] = json.loads(out)
    assert set(found) == {"tuning", "held_out"}
    for part in found.values():
        assert part["clips"] == 40
        assert set(part["confusion"]) == {answerer.value for answerer in Answerer}
        assert part["human_as_machine"] == {"clips": 0, "of": 14}, part["wrong"]
        # Measured: 2 of 23 in either half, and 38 clips right.
        assert part["machine_as_human"]["clips"] <= 2, part["wrong"]
        assert part["right"] >= 38, part["wrong"]
        assert part["decided_s"]["human"]["p50"] <= 2.5
        wrong = sum(
            count
            for truth, row in part["confusion"].items()
            for verdict, count in row.items()
            if truth != verdict
        )
        assert wrong == len(part["wrong"]) == part["clips"] - part["right"]


def test_whatever_is_wrong_is_wrong_for_want_of_words(otklik: Otklik) -> None:
    _, out, _ = otklik("bench", "amd", "--json", "--part", "tuning", "--words", "true")
    found = json.loads(out)
    assert set(found) == {"tuning"}
    assert found["tuning"]["wrong"] == []


def test_a_manifest_that_is_wrong_is_told_with_its_line(otklik: Otklik, tmp_path: Path) -> None:
    status, _, err = otklik("bench", "amd", "--data", tmp_path)
    assert status == BadInput.exit_status
    assert "manifest.tsv" in err
    (tmp_path / "manifest.tsv").write_text(
        "file\tclass\tpart\tanswered_s\tknowable_s\na.wav\trobot\ttuning\t0\t1\n"
    )
    status, _, err = otklik("bench", "amd", "--data", tmp_path)
    assert status == BadInput.exit_status
    assert "manifest.tsv:2" in err
    assert "voicemail" in err


def test_the_clips_are_as_many_and_as_small_as_promised() -> None:
    clips = read_manifest(CLIPS)
    assert len(clips) >= 60
    assert {clip.file for clip in clips} == {*CLIPS.glob("tuning/*.wav"), *CLIPS.glob("held_out/*.wav")}
    assert {clip.answerer for clip in clips if clip.part == "held_out"} == set(Answerer)
    assert sum(path.stat().st_size for path in CLIPS.rglob("*") if path.is_file()) < 4_000_000
