"""The benchmark's figures from what was measured at the sockets and what the calls' events say. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean
from typing import Any

from pydantic import BaseModel, ConfigDict

from bot.core.percentiles import Percentiles, percentile, percentiles
from bot.sim.bench.composing import PAUSED, Answers, Manner
from bot.sim.bench.plan import PlannedCall, PlannedTurn
from bot.sim.turns import MeasuredTurn

STAGES = ("endpointing", "recognition", "dialogue", "first_audio", "network")


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StagedReply(_Model):
    """A `ReplyMeasured` event, in ms."""

    gap_ms: float
    endpointing_ms: float
    recognition_ms: float
    dialogue_ms: float
    first_audio_ms: float


class QuestionEvents(_Model):
    """What the call's events say of one question: its replies, what was recognised and recorded, and what
    became of its prompts (`stopped` were not heard out)."""

    replies: tuple[StagedReply, ...] = ()
    heard: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    paused: int = 0
    resumed: int = 0
    stopped: int = 0


class CallRecord(_Model):
    """One call: what was planned, what its socket measured, what its events say. `stalls` is how often
    the phone's own process was held up for 0.2 s: its measures are then in doubt."""

    planned: PlannedCall
    measured: tuple[MeasuredTurn, ...] = ()
    events: dict[str, QuestionEvents] = {}
    disposition: str | None = None
    stalls: int = 0
    failures: tuple[str, ...] = ()


class Corrected(StrEnum):
    """What became of «восемь … нет, девять»."""

    WHOLE = "whole"  # heard as one turn
    REPLACED = "replaced"  # cut, and the corrected value was recorded in the end
    LOST = "lost"


class CutOffs(_Model):
    """Turns with a pause inside, and how many of them were cut while the caller went on."""

    turns: int
    cut: int


class Corrections(_Model):
    turns: int
    whole: int
    replaced: int
    lost: int


class StageShare(_Model):
    """One stage of the reply gap over all turns that could be matched; `share` 0..1 is of their mean."""

    mean_ms: float
    p50_ms: float
    p95_ms: float
    share: float


class Figures(_Model):
    """What the command prints.

    `closed` and `open` are reply gaps of turns that were not cut. `false_cutoff_rate` is the share of
    closed turns with a pause that were cut while the caller went on; a correction that was cut but
    replaced the answer is not among them and is counted in `corrections`. `barge_in_missed` are
    prompts that went on, or went to their end, although the caller talked over them.
    """

    calls: int
    rounds: int
    seed: int
    closed: Percentiles
    open: Percentiles
    barge_in_pause: Percentiles
    barge_in_stop: Percentiles
    barge_in_missed: int
    false_cutoff_rate: float
    cutoffs: dict[str, CutOffs]
    corrections: Corrections
    stages_ms: dict[str, dict[str, StageShare]]
    by_question: dict[str, Percentiles]
    wrong_answers: int
    unfinished: int
    stalls: int

    def as_json(self) -> dict[str, Any]:
        """Plain values, ready for `json.dumps`."""
        return self.model_dump(mode="json")


@dataclass(frozen=True, slots=True)
class _Turn:
    """One measured turn with its plan and its question's events; `only` where the question got no other."""

    planned: PlannedTurn
    measured: MeasuredTurn
    events: QuestionEvents
    only: bool

    @property
    def barge_in(self) -> bool:
        return self.planned.during_prompt_s is not None

    @property
    def kind(self) -> str:
        return "open" if self.planned.utterance.answers is Answers.OPEN else "closed"

    @property
    def corrected(self) -> Corrected:
        values = self.events.values
        if not values or values[-1] != self.planned.utterance.value:
            return Corrected.LOST
        return Corrected.REPLACED if self.measured.cut else Corrected.WHOLE

    @property
    def cut(self) -> bool:
        """Falsely: a correction only where it did not replace the answer."""
        if self.planned.utterance.manner is Manner.CORRECTION:
            return self.measured.cut and self.corrected is Corrected.LOST
        return self.measured.cut


def figures(records: Sequence[CallRecord], *, calls: int, rounds: int, seed: int) -> Figures:
    """Everything from the calls' records. `calls` ran at once, `rounds` times."""
    turns = [turn for record in records for turn in _turns(record)]
    waited = [turn for turn in turns if not turn.barge_in and not turn.measured.over_prompt]
    paused = [turn for turn in waited if turn.planned.utterance.manner in PAUSED]
    closed_paused = [turn for turn in paused if turn.kind == "closed"]
    corrections = Counter(
        turn.corrected for turn in paused if turn.planned.utterance.manner is Manner.CORRECTION
    )
    over = [turn for turn in turns if turn.barge_in]
    stopped = [turn for turn in over if turn.events.stopped and turn.measured.pause_ms is not None]
    return Figures(
        calls=calls,
        rounds=rounds,
        seed=seed,
        closed=percentiles(_gaps(turn for turn in waited if turn.kind == "closed")),
        open=percentiles(_gaps(turn for turn in waited if turn.kind == "open")),
        barge_in_pause=percentiles([turn.measured.pause_ms or 0 for turn in stopped]),
        barge_in_stop=percentiles([turn.measured.stop_ms or 0 for turn in stopped]),
        barge_in_missed=len(over) - len(stopped),
        false_cutoff_rate=round(_share(closed_paused), 4),
        cutoffs=dict(_cutoffs(waited)),
        corrections=Corrections(
            turns=corrections.total(), **{outcome.value: corrections[outcome] for outcome in Corrected}
        ),
        stages_ms={
            kind: _stages([turn for turn in waited if turn.kind == kind]) for kind in ("closed", "open")
        },
        by_question={
            answers.value: percentiles(
                _gaps(turn for turn in waited if turn.planned.utterance.answers is answers)
            )
            for answers in Answers
        },
        wrong_answers=sum(map(_wrong_answers, records)),
        unfinished=sum(
            record.disposition != "completed" and not record.planned.leaves_at for record in records
        ),
        stalls=sum(record.stalls for record in records),
    )


def _turns(record: CallRecord) -> Iterator[_Turn]:
    at_question = Counter(measured.question_id for measured in record.measured)
    for measured in record.measured:
        planned = record.planned.said(measured.what)
        events = record.events.get(planned.question_id, QuestionEvents())
        yield _Turn(planned, measured, events, only=at_question[measured.question_id] == 1)


def _gaps(turns: Iterable[_Turn]) -> list[int]:
    return [turn.measured.gap_ms for turn in turns if turn.measured.gap_ms is not None]


def _share(turns: Sequence[_Turn]) -> float:
    return sum(turn.cut for turn in turns) / len(turns) if turns else 0.0


def _cutoffs(waited: Sequence[_Turn]) -> Iterator[tuple[str, CutOffs]]:
    """By manner at closed questions, plain turns included, and for open ones apart: those wait for one
    length of silence, so that the longest of our pauses end them by design."""
    for manner in Manner:
        of_manner = [t for t in waited if t.kind == "closed" and t.planned.utterance.manner is manner]
        yield manner.value, CutOffs(turns=len(of_manner), cut=sum(turn.cut for turn in of_manner))
    opened = [t for t in waited if t.kind == "open" and t.planned.utterance.manner in PAUSED]
    yield "open", CutOffs(turns=len(opened), cut=sum(turn.cut for turn in opened))


def _stages(waited: Sequence[_Turn]) -> dict[str, StageShare]:
    """The stages of every turn whose reply is known beyond doubt: one turn, one reply at its question.

    `network` is what the socket saw more than the bot did: both ways through codec, jitter buffer and
    play-out, and by how much the two differ on when the last sound was voiced.
    """
    matched = [
        (turn.measured.gap_ms, turn.events.replies[0])
        for turn in waited
        if turn.only and turn.measured.gap_ms is not None and len(turn.events.replies) == 1
    ]
    if not matched:
        return {}
    whole = fmean(gap for gap, _ in matched)
    shares = {}
    for stage in STAGES:
        values = [
            gap - reply.gap_ms if stage == "network" else getattr(reply, f"{stage}_ms")
            for gap, reply in matched
        ]
        shares[stage] = StageShare(
            mean_ms=round(fmean(values), 1),
            p50_ms=round(percentile(values, 50), 1),
            p95_ms=round(percentile(values, 95), 1),
            share=round(fmean(values) / whole, 3) if whole else 0.0,
        )
    return shares


def _wrong_answers(record: CallRecord) -> int:
    """Closed questions with another answer recorded in the end than the one that was given, or none."""
    closed = [turn for turn in record.planned.turns if turn.utterance.answers is not Answers.OPEN]
    last = {question: events.values[-1:] for question, events in record.events.items()}
    return sum(last.get(turn.question_id) != (turn.utterance.value,) for turn in closed)
