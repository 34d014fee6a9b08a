"""The figures are what was measured, and a capture gives them again."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.errors import AudioInvalid
from bot.core.percentiles import percentile, percentiles
from bot.sim.bench.composing import Answers, Manner, Utterance
from bot.sim.bench.figures import (
    CallRecord,
    Figures,
    QuestionEvents,
    StagedReply,
    figures,
)
from bot.sim.bench.plan import PlannedCall, PlannedTurn
from bot.sim.bench.recording import measure_again, read_records, write_records
from bot.sim.capture import write_capture
from bot.sim.turns import MeasuredTurn, measure_turns
from tests.sim.test_measure import channel, say, turns

REPLY = StagedReply(gap_ms=300, endpointing_ms=250, recognition_ms=1, dialogue_ms=40, first_audio_ms=9)


def planned(
    question: str,
    answers: Answers,
    manner: Manner = Manner.PLAIN,
    *,
    value: str = "",
    over: float | None = None,
) -> PlannedTurn:
    said = Utterance(answers=answers, manner=manner, voice="v", files=("a.wav",), value=value)
    return PlannedTurn(question_id=question, clip=f"{question}.wav", utterance=said, during_prompt_s=over)


def record(*pairs: tuple[PlannedTurn, MeasuredTurn | None, QuestionEvents]) -> CallRecord:
    return CallRecord(
        planned=PlannedCall(name="call", ring_s=0.3, turns=tuple(turn for turn, _, _ in pairs), again=()),
        measured=tuple(measured for _, measured, _ in pairs if measured is not None),
        events={turn.question_id: events for turn, _, events in pairs},
        disposition="completed",
    )


def measured(question: str, gap_ms: int | None = None, **rest: object) -> MeasuredTurn:
    return MeasuredTurn.model_validate(
        {"question_id": question, "what": f"{question}.wav", "gap_ms": gap_ms, **rest}
    )


def summed(*records: CallRecord) -> Figures:
    return figures(records, calls=1, rounds=1, seed=4)


@given(st.lists(st.integers(0, 5000), min_size=1), st.integers(1, 100))
def test_a_percentile_was_measured_and_so_many_do_not_exceed_it(values: list[int], percent: int) -> None:
    found = percentile(values, percent)
    assert found in values
    assert sum(value <= found for value in values) * 100 >= percent * len(values)
    assert sum(value < found for value in values) * 100 < percent * len(values)


def test_percentiles_of_nothing_are_none() -> None:
    assert percentiles([]).model_dump() == {
        "turns": 0, "p50_ms": None, "p90_ms": None, "p95_ms": None, "p99_ms": None,
    }  # fmt: skip
    with pytest.raises(ValueError, match="no values"):
        percentile([], 50)


def test_gaps_count_by_what_the_question_asks_and_barge_ins_apart() -> None:
    found = summed(
        record(
            (planned("s1", Answers.SCALE, value="9"), measured("s1", 400), QuestionEvents(values=("9",))),
            (
                planned("y1", Answers.YES_NO, value="yes"),
                measured("y1", 500),
                QuestionEvents(values=("yes",)),
            ),
            (planned("o1", Answers.OPEN), measured("o1", 1500), QuestionEvents(values=("всё",))),
            (
                planned("b1", Answers.SCALE, value="3", over=1.0),
                measured("b1", 450, over_prompt=True, pause_ms=160, stop_ms=210),
                QuestionEvents(values=("3",), paused=1, stopped=1),
            ),
            (
                planned("b2", Answers.SCALE, value="3", over=1.0),
                measured("b2", None, over_prompt=True, pause_ms=3000, stop_ms=3000),
                QuestionEvents(values=("3",)),
            ),
        )
    )
    assert (found.closed.turns, found.closed.p50_ms, found.closed.p99_ms) == (2, 400, 500)
    assert (found.open.turns, found.open.p50_ms) == (1, 1500)
    assert (found.barge_in_pause.p50_ms, found.barge_in_stop.p50_ms) == (160, 210)
    assert (found.barge_in_pause.turns, found.barge_in_missed) == (1, 1)
    assert (found.wrong_answers, found.unfinished) == (0, 0)


def test_a_correction_that_replaced_the_answer_is_no_false_cut() -> None:
    def corrected(name: str, *, cut: bool, values: tuple[str, ...]) -> CallRecord:
        turn = planned(name, Answers.SCALE, Manner.CORRECTION, value="9")
        return record((turn, measured(name, None if cut else 400, cut=cut), QuestionEvents(values=values)))

    found = summed(
        corrected("s1", cut=True, values=("8", "9")),
        corrected("s2", cut=False, values=("9",)),
        corrected("s3", cut=True, values=("8",)),
        record(
            (
                planned("s4", Answers.SCALE, Manner.HESITATION, value="9"),
                measured("s4", cut=True),
                QuestionEvents(values=("9",)),
            )
        ),
    )
    assert found.corrections.model_dump() == {"turns": 3, "whole": 1, "replaced": 1, "lost": 1}
    assert found.false_cutoff_rate == 0.5, (
        "the lost correction and the hesitation, of four turns with a pause"
    )
    assert found.cutoffs["hesitation"].cut == 1
    assert found.wrong_answers == 1


def test_stages_add_up_to_the_gap_and_turns_in_doubt_are_left_out() -> None:
    answered = QuestionEvents(replies=(REPLY,), values=("9",))
    twice = QuestionEvents(replies=(REPLY, REPLY), values=("9",))
    found = summed(
        record(
            (planned("s1", Answers.SCALE, value="9"), measured("s1", 400), answered),
            (planned("s2", Answers.SCALE, value="9"), measured("s2", 900), twice),
        )
    )
    stages = found.stages_ms["closed"]
    assert sum(stage.mean_ms for stage in stages.values()) == pytest.approx(400)
    assert stages["network"].mean_ms == 100
    assert sum(stage.share for stage in stages.values()) == pytest.approx(1, abs=0.01)
    assert found.stages_ms["open"] == {}


def captured(folder: Path) -> Figures:
    sent, received = channel(6, (1.0, 2.0)), channel(6, (0.2, 0.7), (2.35, 4.0))
    listed = turns(say(1.0, 2.0), ended=5).model_copy(update={"name": "call"})
    said = Utterance(answers=Answers.SCALE, manner=Manner.PLAIN, voice="v", files=("a.wav",), value="9")
    turn = PlannedTurn(question_id="nps", clip="a.wav", utterance=said)
    kept = record((turn, None, QuestionEvents(values=("9",)))).model_copy(
        update={"measured": measure_turns(sent, received, listed)}
    )
    found = summed(kept)
    write_capture(folder, listed, sent, received)
    write_records(folder, found, [kept])
    return found


def test_a_capture_gives_the_same_figures_again(tmp_path: Path) -> None:
    found = captured(tmp_path)
    assert found.closed.p50_ms == 350
    assert measure_again(tmp_path) == (found, found)


def test_a_changed_sound_gives_other_figures(tmp_path: Path) -> None:
    captured(tmp_path)
    listed = turns(say(1.0, 2.0), ended=5).model_copy(update={"name": "call"})
    write_capture(tmp_path, listed, channel(6, (1.0, 2.0)), channel(6, (2.5, 4.0)))
    printed, again = measure_again(tmp_path)
    assert (printed.closed.p50_ms, again.closed.p50_ms) == (350, 500)


def test_a_broken_record_is_told_with_its_line(tmp_path: Path) -> None:
    captured(tmp_path)
    file = tmp_path / "reply-gap.jsonl"
    file.write_text(file.read_text() + '{"planned": 1}\n')
    with pytest.raises(AudioInvalid) as failure:
        read_records(tmp_path)
    assert str(failure.value.place).endswith("reply-gap.jsonl:3")
    with pytest.raises(AudioInvalid, match="не читается"):
        read_records(tmp_path / "none")
