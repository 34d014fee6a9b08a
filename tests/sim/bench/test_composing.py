"""Turns are composed as they say, and the same seed gives the same ones."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.errors import AudioInvalid
from bot.sim.bench.composing import (
    PAUSE_MAX_S,
    PAUSE_MIN_S,
    PAUSED,
    Answers,
    Composer,
    Manner,
    join,
    write_clip,
)
from bot.sim.bench.pieces import Role, read_pieces
from bot.sim.bench.plan import QUESTIONS, TURNS, plan_calls, rounds, scenario_of
from bot.sim.g711 import RATE
from bot.sim.measure import WINDOW, voiced
from bot.sim.script import Step
from bot.surveys.loader import load_survey
from bot.surveys.schema import expectation_of
from tests.sim.test_measure import channel

PROJECT = Path(__file__).parents[3]
PIECES = read_pieces(PROJECT / "tests/data/audio/turns")


@given(pause=st.integers(3, 15), lead=st.integers(0, 20), tail=st.integers(0, 20))
def test_the_pause_between_the_voices_is_the_one_that_was_asked_for(pause: int, lead: int, tail: int) -> None:
    first = channel(0.5 + tail / 100, (0.0, 0.5))
    second = channel(0.5 + lead / 100, (lead / 100, 0.5 + lead / 100))
    loud = np.flatnonzero(voiced(join([first, second], [pause / 10])))
    silent = np.diff(loud).max() - 1
    assert silent * WINDOW / RATE == pytest.approx(max(pause / 10, (lead + tail) / 100), abs=0.021)


@pytest.mark.parametrize("manner", PAUSED)
def test_a_turn_pauses_where_its_manner_says(manner: Manner) -> None:
    composer = Composer(PIECES, random.Random(1))
    for _ in range(20):
        utterance = composer.draw(Answers.SCALE, manner, "Elena")
        assert PAUSE_MIN_S <= utterance.pause_s <= PAUSE_MAX_S
        flags = voiced(composer.sound(utterance))
        loud = np.flatnonzero(flags)
        assert (np.diff(loud).max() - 1) * WINDOW / RATE == pytest.approx(utterance.pause_s, abs=0.021)
        assert (manner is Manner.CORRECTION) == bool(utterance.first_value)
        assert utterance.value not in ("", utterance.first_value)


@settings(max_examples=20)
@given(seed=st.integers(0, 10**6))
def test_every_call_pauses_in_equal_thirds_and_a_seed_repeats_it(seed: int) -> None:
    (call,) = plan_calls(PIECES, seed, 1)
    assert plan_calls(PIECES, seed, 1) == (call,)
    closed = [turn.utterance for turn in call.turns if turn.utterance.answers is not Answers.OPEN]
    assert {manner: sum(said.manner is manner for said in closed) for manner in PAUSED} == dict.fromkeys(
        PAUSED, 2
    )
    assert [turn.question_id for turn in call.turns] == list(QUESTIONS)
    assert len({turn.clip for turn in (*call.turns, *call.again)}) == 2 * len(QUESTIONS)


def test_the_plan_asks_what_the_survey_asks() -> None:
    survey = load_survey(PROJECT / "benchmarks/surveys/turns.yaml")
    assert {question.id: Answers(expectation_of(question).kind) for question in survey.questions} == QUESTIONS
    assert [question.id for question in survey.questions] == list(QUESTIONS)


@pytest.mark.parametrize(("calls", "turns"), [(1, 60), (4, 60), (20, 300), (100, 1500)])
def test_enough_turns_are_measured(calls: int, turns: int) -> None:
    assert rounds(calls) * calls * TURNS >= turns


def test_a_scenario_says_what_was_planned(tmp_path: Path) -> None:
    calls = plan_calls(PIECES, 2, 2)
    scenario = scenario_of(calls, PIECES, tmp_path, 2)
    assert scenario.at_once == 2
    first = scenario.calls[0]
    (step,) = first.answers["b1#1"]
    assert step.during_prompt
    assert step.after_s == calls[0].turns[list(QUESTIONS).index("b1")].during_prompt_s
    assert first.answers["b1"] == (Step(say=tmp_path / first.name / "b1_again.wav"),)
    assert all(
        step.say is not None and step.say.exists() for steps in first.answers.values() for step in steps
    )


def pieces_of(folder: Path, *rows: str) -> Path:
    write_clip(folder / "a.wav", channel(0.5, (0.1, 0.4)))
    (folder / "manifest.tsv").write_text("# head\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("a.wav\tElena\tvalue\t9", "manifest.tsv:2: столбцов 4"),
        ("a.wav\tElena\tnumber\t9\tдевять\t", "роль «number»; бывает value"),
        ("b.wav\tElena\tvalue\t9\tдевять\t", "файла b.wav нет"),
        ("a.wav\tElena\tvalue\t9\tдевять\t", "нет записей с ролью yes_no"),
    ],
)
def test_what_is_wrong_with_the_pieces_is_told(tmp_path: Path, row: str, told: str) -> None:
    with pytest.raises(AudioInvalid) as failure:
        read_pieces(pieces_of(tmp_path, row))
    place = f"{failure.value.place}: " if failure.value.place else ""
    assert told in place + failure.value.message


def test_a_folder_without_pieces_is_told(tmp_path: Path) -> None:
    with pytest.raises(AudioInvalid, match=r"manifest\.tsv"):
        read_pieces(tmp_path)


def test_every_voice_has_every_role() -> None:
    voices = {piece.voice for piece in PIECES}
    assert {(piece.voice, piece.role) for piece in PIECES} == {
        (voice, role) for voice in voices for role in Role
    }
