"""The measurement of recognition: what counts as an error, and one run of the command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bot.cli.bench_asr import asr, sound_of
from bot.core.context import Word
from bot.core.errors import AudioInvalid, BadInput
from bot.core.ports import Transcript
from bot.speech.asr_bench import (
    CONDITIONS,
    Item,
    by_voice,
    hear_all,
    in_condition,
    read_set,
    rejected,
    word_errors,
)
from bot.speech.sound import to_samples
from tests.speech.sounds import PROJECT, clip
from tests.speech.sounds import sound_of as recording

SET = PROJECT / "tests/data/speech"


@pytest.mark.parametrize(
    ("said", "heard", "errors"),
    [
        ("", "", 0),
        ("да", "да", 0),
        ("да", "", 1),
        ("", "да нет", 2),
        ("не надо звонить", "надо звонить", 1),
        ("ставлю пять", "ставлю шесть баллов", 2),
        ("раз два три", "два три раз", 2),
    ],
)
def test_errors_are_the_least_changes(said: str, heard: str, errors: int) -> None:
    assert word_errors(said.split(), heard.split()) == errors


def test_the_set_of_the_project_is_whole() -> None:
    items = read_set(SET)
    assert {item.kind for item in items} == {"speech", "unknown", "noise"}
    for item in items:
        assert bool(item.words) == (item.kind != "noise")
        if item.source != "say":
            assert sound_of(item, {}).seconds > 0.1


@pytest.mark.parametrize(
    ("line", "said"), [("speech\ta.wav\tx", "четыре столбца"), ("music\ta.wav\tx\t", "«music»")]
)
def test_a_line_that_is_not_understood_is_named(tmp_path: Path, line: str, said: str) -> None:
    (tmp_path / "manifest.tsv").write_text(f"# kind\n{line}\n", encoding="utf-8")
    with pytest.raises(BadInput, match=rf"manifest\.tsv:2: .*{said}"):
        read_set(tmp_path)
    with pytest.raises(BadInput, match="manifest"):
        read_set(tmp_path / "nothing")


def test_a_source_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="horn:1"):
        sound_of(Item("noise", "horn:1", "", "", tmp_path), {})
    with pytest.raises(AudioInvalid):
        sound_of(Item("noise", "horn.wav", "", "", tmp_path), {})


def test_conditions_are_what_they_say_and_always_the_same() -> None:
    pcm = recording(clip("039_nsh").path)
    voice = to_samples(pcm)
    active = float(np.mean(voice[np.abs(voice) > np.abs(voice).max() / 30] ** 2))
    for condition, below_db in (("noise_20db", 20.0), ("noise_12db", 12.0)):
        noisy = in_condition(pcm, condition, "x")
        added = float(np.mean((to_samples(noisy) - voice) ** 2))
        assert 10 * np.log10(active / added) == pytest.approx(below_db, abs=0.3)
        assert noisy == in_condition(pcm, condition, "x")
        assert noisy != in_condition(pcm, condition, "y")
    coded = to_samples(in_condition(pcm, "alaw", "x"))
    assert 30 < 10 * np.log10(active / float(np.mean((coded - voice) ** 2))) < 45
    assert in_condition(pcm, "clean", "x") is pcm


def test_figures_are_of_words_and_of_sounds() -> None:
    said = {"a": "да нет", "b": "да", "x": "бегемот", "n": "", "m": ""}
    heard = {"a": "да да", "b": "да", "x": "[unk] [unk]", "n": "", "m": "[unk] хм"}
    kinds = {"a": "speech", "b": "speech", "x": "unknown", "n": "noise", "m": "noise"}
    items = [Item(kinds[name], name, name.upper(), text, SET) for name, text in said.items()]  # type: ignore[arg-type]
    turn = iter(name for name in said for _ in (CONDITIONS if kinds[name] == "speech" else ("clean",)))

    def hear(pcm: object) -> Transcript:
        words = tuple(Word(text=w, start=0, end=1, confidence=1) for w in heard[next(turn)].split())
        return Transcript(text=" ".join(word.text for word in words), words=words)

    found = list(hear_all(items, lambda item: recording(clip("020_nsh").path), hear))
    shares = by_voice(found)
    assert {voice: share["clean"].share for voice, share in shares.items()} == {
        "A": 0.5,
        "B": 1.0,
        "all": 0.6667,
    }
    assert set(shares["all"]) == set(CONDITIONS)
    assert rejected(found, "unknown").share == 1.0
    assert rejected(found, "noise").share == 0.5


@pytest.mark.usefixtures("logs_as_before")
def test_the_command_measures_a_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "manifest.tsv").write_text(
        f"speech\t{clip('009_nsh').path}\tnsh\tдевять\nspeech\t{clip('020_nsh').path}\tnsh\tнет\n"
        f"unknown\t{clip('020_nsh').path}\tnsh\tкуда\nnoise\tdtmf:5\t\t\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("OTKLIK_VAR", str(tmp_path / "var"))
    asr(folder=tmp_path, as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert found["words"]["nsh"]["clean"] == 0.5
    assert (found["unknown_rejected"], found["noise_rejected"]) == (0.0, 1.0)
    assert 0 < found["rtf"] < 1
    assert {"source", "voice", "condition", "text", "heard"} == set(found["wrong"][0])
