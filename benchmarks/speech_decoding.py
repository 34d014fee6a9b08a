"""What hearing costs: processor time a second of a line's sound, and how soon a partial shows a word.

    python -m benchmarks.speech_decoding [--lines 10] [--json]

Feeds recorded sentences to voice activity, recogniser and endpointing, as a call does, on several
lines at once and as fast as the machine can. One line at full pace costs its share of a core.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import soundfile

from bot.core.audio import FRAME_S, Frame, frame_bytes
from bot.core.directives import ScaleExpected
from bot.logs import configure_logs
from bot.speech.endpointing import Endpointer
from bot.speech.models import ensure_model
from bot.speech.recogniser import VoskRecogniser
from bot.speech.settings import RecogniserSettings
from bot.speech.vad import SileroVad

PROJECT = Path(__file__).parents[1]
RATE = 8000


def sentences() -> list[list[Frame]]:
    """Each recorded sentence with half a second of silence before and one after it, as frames."""
    found = []
    for path in sorted((PROJECT / "tests/data/audio/ru").glob("*.wav")):
        samples, _ = soundfile.read(path, dtype="int16")
        data = bytes(RATE) + samples.tobytes() + bytes(2 * RATE)
        size = frame_bytes(RATE)
        found.append(
            [Frame(data[i : i + size], RATE, i / (2 * RATE)) for i in range(0, len(data) - size, size)]
        )
    return found


async def line(recogniser: VoskRecogniser, sentence: list[Frame]) -> float | None:
    """One turn; seconds from the last word's end to the partial that shows all the words."""
    vad, endpointer = SileroVad(RATE), Endpointer(ScaleExpected(low=0, high=10), no_input_s=5.0)
    stream = recogniser.open(RATE)
    partial, complete_at = "", 0.0
    for frame in sentence:
        newer = await stream.feed(frame)
        if newer != partial:
            partial, complete_at = newer, frame.at + FRAME_S
        endpointer.push(frame, vad.probability(frame), partial)
    heard = await stream.finish()
    return complete_at - heard.words[-1].end if heard.text == partial and heard.words else None


async def measure(lines: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        model = ensure_model(RecogniserSettings().model, PROJECT / "models", Path(folder))
        recogniser = VoskRecogniser(model, RecogniserSettings(feed_wait_s=5.0))
        work = sentences()
        seconds = sum(len(sentence) for sentence in work) * FRAME_S * lines
        cpu, wall = time.process_time(), time.perf_counter()
        lags: list[float] = []
        for sentence in work:
            found = await asyncio.gather(*(line(recogniser, sentence) for _ in range(lines)))
            lags += [lag for lag in found if lag is not None]
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        recogniser.close()
    return {
        "lines": lines,
        "sound_s": round(seconds, 1),
        "cpu_share_of_a_core_per_line": round(cpu / seconds, 4),
        "times_real_time": round(seconds / wall, 1),
        "partial_lag_s_p50": round(statistics.median(lags), 3),
        "partial_lag_s_p90": round(statistics.quantiles(lags, n=10)[-1], 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=10)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    configure_logs("warning")
    figures = asyncio.run(measure(given.lines))
    if given.json:
        sys.stdout.write(json.dumps({"model": RecogniserSettings().model, **figures}) + "\n")
    else:
        sys.stdout.writelines(f"{name:32}{value}\n" for name, value in figures.items())


if __name__ == "__main__":
    main()
