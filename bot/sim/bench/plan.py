"""Who says what at which question: the benchmark's calls, drawn from a seed.

The questions are those of the survey `turns` (benchmarks/surveys/turns.yaml).
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from bot.sim.bench.composing import PAUSED, Answers, Composer, Manner, Utterance, write_clip
from bot.sim.bench.pieces import Piece
from bot.sim.network import PERFECT, Network
from bot.sim.scenario import Call, Scenario
from bot.sim.script import Caller, Step

SURVEY = "turns"

QUESTIONS: dict[str, Answers] = {
    "s1": Answers.SCALE, "y1": Answers.YES_NO, "s2": Answers.SCALE, "b1": Answers.SCALE,
    "s3": Answers.SCALE, "o1": Answers.OPEN, "s4": Answers.SCALE, "b4": Answers.SCALE,
    "y2": Answers.YES_NO, "s5": Answers.SCALE, "b2": Answers.SCALE, "s6": Answers.SCALE,
    "o2": Answers.OPEN, "s7": Answers.SCALE, "b5": Answers.SCALE, "y3": Answers.YES_NO,
    "s8": Answers.SCALE, "b3": Answers.SCALE, "s9": Answers.SCALE, "b6": Answers.SCALE,
    "y4": Answers.YES_NO, "o3": Answers.OPEN,
}  # fmt: skip
"""Every question in its order, and what it asks for; at those that begin with `b` the caller barges in."""

BARGE_IN = "b"

PAUSED_TURNS = 2
"""Closed turns with a pause of each manner in a call."""

TURNS = sum(not question.startswith(BARGE_IN) for question in QUESTIONS)
"""Turns of a call whose reply gap counts."""

MIN_TURNS, MIN_TURNS_PER_LINE = 80, 20
"""So many are asked for in all, and so many on each line that runs at the same time."""

BARGE_IN_AFTER_S = (0.6, 2.2)
"""When after a prompt's beginning the caller talks over it; those prompts take longer than 4 s."""

RING_S, RING_MORE_S, RING_MAX_S = 0.3, 0.6, 20.0
"""A phone rings for at least the first, and up to so much more for each call at the same time: people do
not all answer in the same second, and a node in which twenty calls begin at once is another measurement."""

LIMIT_S = 180.0


class PlannedTurn(BaseModel):
    """One turn. `during_prompt_s` is when he talks over the prompt, None where he waits for its end."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    question_id: str
    clip: str
    utterance: Utterance
    during_prompt_s: float | None = None


class PlannedCall(BaseModel):
    """One call; `again` is what he says where a question is put once more. At the question `leaves_at` he
    hangs up ("": he stays to the end)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    ring_s: float
    turns: tuple[PlannedTurn, ...]
    again: tuple[PlannedTurn, ...]
    leaves_at: str = ""

    def said(self, clip: str) -> PlannedTurn:
        """What a clip was. Raises KeyError."""
        return {turn.clip: turn for turn in (*self.turns, *self.again)}[clip]


def rounds(at_once: int) -> int:
    """How many calls each line takes one after another."""
    wanted = max(MIN_TURNS, MIN_TURNS_PER_LINE * at_once)
    return math.ceil(wanted / (TURNS * at_once))


def plan_calls(
    pieces: Sequence[Piece], seed: int, calls: int, turns: int = TURNS, at_once: int = 1
) -> tuple[PlannedCall, ...]:
    """So many calls, each by one voice; the voices take turns. Where fewer `turns` than all are wanted of
    a call, the caller hangs up after them."""
    chance = random.Random(seed)
    composer = Composer(pieces, chance)
    ring_s = min(RING_S + RING_MORE_S * at_once, RING_MAX_S)
    planned = (
        _call(
            composer, chance, f"gap-{number + 1:03d}", composer.voices[number % len(composer.voices)], ring_s
        )
        for number in range(calls)
    )
    return tuple(_shortened(call, turns) for call in planned)


def _shortened(call: PlannedCall, turns: int) -> PlannedCall:
    waited = [place for place, turn in enumerate(call.turns) if turn.during_prompt_s is None]
    kept = waited[turns - 1] + 1 if turns < len(waited) else len(call.turns)
    if kept == len(call.turns):
        return call
    leaves_at = call.turns[kept].question_id
    return call.model_copy(
        update={"turns": call.turns[:kept], "again": call.again[:kept], "leaves_at": leaves_at}
    )


def _call(composer: Composer, chance: random.Random, name: str, voice: str, ring_s: float) -> PlannedCall:
    manners = _manners(chance)
    turns, again = [], []
    for question, answers in QUESTIONS.items():
        over = question.startswith(BARGE_IN)
        utterance = composer.draw(answers, manners[question], voice)
        turns.append(
            PlannedTurn(
                question_id=question,
                clip=f"{question}.wav",
                utterance=utterance,
                during_prompt_s=round(chance.uniform(*BARGE_IN_AFTER_S), 2) if over else None,
            )
        )
        repeat = composer.plain(answers, utterance.value, voice)
        again.append(PlannedTurn(question_id=question, clip=f"{question}_again.wav", utterance=repeat))
    return PlannedCall(
        name=name, ring_s=round(chance.uniform(RING_S, ring_s), 2), turns=tuple(turns), again=tuple(again)
    )


def _manners(chance: random.Random) -> dict[str, Manner]:
    """Two closed turns of each manner that pauses and one open turn that does; the rest is plain."""
    manners = dict.fromkeys(QUESTIONS, Manner.PLAIN)
    free = {question for question in QUESTIONS if not question.startswith(BARGE_IN)}

    def take(manner: Manner, kinds: set[Answers], count: int) -> None:
        may = sorted(question for question in free if QUESTIONS[question] in kinds)
        for question in chance.sample(may, count):
            manners[question] = manner
            free.discard(question)

    take(Manner.CLAUSE, {Answers.OPEN}, 1)
    take(Manner.CLAUSE, {Answers.SCALE}, PAUSED_TURNS)  # nobody pauses inside a «да»
    for manner in PAUSED:
        if manner is not Manner.CLAUSE:
            take(manner, {Answers.SCALE, Answers.YES_NO}, PAUSED_TURNS)
    return manners


def scenario_of(
    calls: Sequence[PlannedCall],
    pieces: Sequence[Piece],
    clips: Path,
    at_once: int,
    network: Network = PERFECT,
    noise_dbfs: float | None = None,
) -> Scenario:
    """The calls as the simulator runs them, each over such a `network` and amid so much noise; writes what
    they say to `clips`. Raises AudioInvalid."""
    composer = Composer(pieces, random.Random())
    scripted = []
    for number, call in enumerate(calls):
        own = network.model_copy(update={"seed": network.seed + number})
        caller = Caller(ring_s=call.ring_s, network=own, noise_dbfs=noise_dbfs)
        scripted.append(_scripted(call, composer, clips / call.name, caller))
    return Scenario(calls=tuple(scripted), at_once=at_once)


def _scripted(call: PlannedCall, composer: Composer, folder: Path, caller: Caller) -> Call:
    folder.mkdir(parents=True, exist_ok=True)
    for turn in (*call.turns, *call.again):
        write_clip(folder / turn.clip, composer.sound(turn.utterance))
    return Call(
        name=call.name,
        survey=SURVEY,
        caller=caller,
        answers=dict(_answers(call, folder)),
        limit_s=LIMIT_S,
    )


def _answers(call: PlannedCall, folder: Path) -> Iterator[tuple[str, tuple[Step, ...]]]:
    for turn in call.turns:
        # From the second time on he gives his answer without pauses, and waits for the prompt's end.
        over = turn.during_prompt_s is not None
        first = Step(say=folder / turn.clip, during_prompt=over, after_s=turn.during_prompt_s or 0.3)
        yield f"{turn.question_id}#1", (first,)
    for turn in call.again:
        yield turn.question_id, (Step(say=folder / turn.clip),)
    if call.leaves_at:
        yield call.leaves_at, (Step(hang_up=True),)
