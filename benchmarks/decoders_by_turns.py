"""What decoding costs where many decoders take turns, with the system's allocator and with the workers' own.

    python -m benchmarks.decoders_by_turns [--decoders 24] [--rounds 3] [--json]

Each decoder hears the recorded sentences from another place on, 80 ms at a time, one after another in one
thread, as a worker's lines do. Both ways run in processes of their own, by turns; core-seconds a second of
sound, the middle of the rounds. The first round of each only fills what decoders keep.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import soundfile
import vosk

from bot.core.allocator import for_decoding
from bot.speech.models import ensure_model
from bot.speech.settings import RecogniserSettings

PROJECT = Path(__file__).parents[1]
RATE = 8000
HOP_BYTES = round(RecogniserSettings().hop_s * RATE) * 2
TURN = 25
"""Hops of a turn: two seconds."""


def sound() -> bytes:
    found = bytearray()
    for path in sorted((PROJECT / "tests/data/audio/ru").glob("*.wav")):
        samples, _ = soundfile.read(path, dtype="int16")
        found += bytes(RATE // 2) + samples.tobytes() + bytes(RATE // 2)
    return bytes(found)


def decode(decoders: int) -> float:
    """Core-seconds a second of sound, once every decoder has heard all of it before."""
    vosk.SetLogLevel(-1)
    model = vosk.Model(str(ensure_model(RecogniserSettings().model, PROJECT / "models", PROJECT / "var")))
    lines = [vosk.KaldiRecognizer(model, RATE) for _ in range(decoders)]
    said = sound()
    hops = len(said) // HOP_BYTES // 2
    for _ in range(2):
        began = time.process_time()
        for hop in range(hops):
            for number, line in enumerate(lines):
                place = (hop + number * hops * 2 // decoders) % (hops * 2 - 1) * HOP_BYTES
                line.AcceptWaveform(said[place : place + HOP_BYTES])
                line.PartialResult()
                if hop % TURN == number % TURN:
                    line.FinalResult()
    return (time.process_time() - began) / (hops * decoders * HOP_BYTES / (2 * RATE))


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--decoders", type=int, default=24)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--json", action="store_true")
    options.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.one:
        sys.stdout.write(json.dumps(decode(chosen.decoders)))
        return 0
    ways = {"system": {"OPENBLAS_NUM_THREADS": "1"}, "workers": for_decoding(os.environ)}
    costs: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(chosen.rounds):
        for way, set_here in ways.items():
            command = [sys.executable, "-m", "benchmarks.decoders_by_turns", "--one"]
            told = subprocess.run(
                [*command, "--decoders", str(chosen.decoders)],
                cwd=PROJECT,
                env={**os.environ, **set_here},
                stdout=subprocess.PIPE,
                check=True,
            )
            costs[way].append(json.loads(told.stdout))
    middle = {way: round(statistics.median(found), 4) for way, found in costs.items()}
    found = {"decoders": chosen.decoders, **middle, "ratio": round(middle["workers"] / middle["system"], 3)}
    text = (
        f"{found['decoders']} decoders by turns, core-seconds a second of sound: {middle['system']} with the "
        f"system's allocator, {middle['workers']} with that of the workers (ratio {found['ratio']})"
    )
    sys.stdout.write(f"{json.dumps(found) if chosen.json else text}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
