"""Two ways over the same sound: what is counted, and what it comes to with the real recogniser."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.cli.comparing import SWEEP_S, _Ended, compare, gain, summed
from bot.sim.bench.composing import Answers, Manner, Utterance
from bot.sim.bench.pieces import read_pieces
from bot.speech.models import ensure_model
from bot.speech.recogniser import VoskRecogniser
from bot.speech.settings import RecogniserSettings

PROJECT = Path(__file__).parents[3]


def ended(manner: Manner, delay_ms: float) -> _Ended:
    said = Utterance(answers=Answers.SCALE, manner=manner, voice="v", files=("a.wav",), value="9")
    return _Ended(said, cut=delay_ms < 0, delay_ms=delay_ms)


def test_cut_turns_have_no_delay_and_corrections_are_counted_apart() -> None:
    way = summed(
        0.5,
        [
            ended(Manner.PLAIN, 300),
            ended(Manner.HESITATION, -200),
            ended(Manner.CLAUSE, 500),
            ended(Manner.CORRECTION, -100),
        ],
    )
    assert (way.turns, way.p50_ms, way.p95_ms, way.mean_ms) == (2, 300, 500, 400)
    assert (way.cutoff_rate, way.corrections_split) == (0.5, 1.0)


def test_the_gain_is_how_many_times_longer_the_other_takes() -> None:
    ours, peer = summed(None, [ended(Manner.PLAIN, 250)]), summed(1.0, [ended(Manner.PLAIN, 1000)])
    assert gain(peer, ours).model_dump() == {"p50": 4, "p95": 4, "mean": 4}


async def test_a_longer_silence_waits_longer_and_cuts_less(tmp_path: Path) -> None:
    model = ensure_model(RecogniserSettings().model, PROJECT / "models", tmp_path)
    recogniser = VoskRecogniser(model, RecogniserSettings(feed_wait_s=5.0))
    pieces = read_pieces(PROJECT / "tests/data/audio/turns")
    found = await compare(recogniser, pieces, seed=4, calls=1)
    recogniser.close()
    assert [way.silence_s for way in found.fixed] == list(SWEEP_S)
    cuts = [way.cutoff_rate for way in found.fixed]
    assert cuts == sorted(cuts, reverse=True)
    assert all(way.p50_ms == pytest.approx(1000 * (way.silence_s or 0), abs=150) for way in found.fixed)
    assert found.ours.p50_ms < found.fixed[-1].p50_ms
    assert found.equal is not None
    assert found.equal.cutoff_rate <= found.ours.cutoff_rate
    assert found.gain == gain(found.equal, found.ours)
