"""What encryption costs a recording: processor time of writing, reading and re-encrypting, as ratios.

    python benchmarks/recording_sealed.py --seconds 120 --json FILE

One call's sound at 8 kHz as the recorder writes it: the caller's in pieces of half a second, the bot's
beside it a second later. Plain and encrypted take turns, and the best of each counts: others use the
machine too.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from bot.call.recording import _Piece, _TwoTracks
from bot.call.recording_files import read_recording
from bot.call.recording_keys import KeyRing
from bot.call.sealed import Key
from bot.privacy.resealing import reseal

RATE = 8000
PIECE_S = 0.5
LATER = 2
"""Pieces by which the bot's sound comes after the caller's."""


def record(path: Path, seconds: float, key: Key | None) -> None:
    sound = np.random.default_rng(1).integers(-3000, 3000, round(PIECE_S * RATE), np.int16)
    tracks = _TwoTracks(path, RATE, key)
    for number in range(round(seconds / PIECE_S)):
        pieces = [_Piece(0, number * len(sound), sound)]
        if number >= LATER:
            pieces.append(_Piece(1, (number - LATER) * len(sound), sound))
        tracks.write(pieces)
    tracks.close()


def read(path: Path, keys: Path) -> None:
    with read_recording(path, keys) as file:
        while file.read(256 * 1024):
            pass


def spent(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=Path, help="write the figures there")
    arguments = parser.parse_args()
    best: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as scratch:
        ring = KeyRing(Path(scratch) / "keys", ()).with_new(datetime.now(UTC))
        ring.save()
        folder = Path(scratch) / "recordings"
        folder.mkdir()
        for _ in range(arguments.rounds):
            for name, key in (("plain", None), ("encrypted", ring.newest)):
                path = folder / f"{name}.wav"
                path.unlink(missing_ok=True)
                took = {
                    f"write_{name}": spent(lambda path=path, key=key: record(path, arguments.seconds, key)),
                    f"read_{name}": spent(lambda path=path: read(path, ring.file)),
                }
                best = {**best, **{step: min(cpu, best.get(step, cpu)) for step, cpu in took.items()}}
        megabytes = (folder / "plain.wav").stat().st_size / 1e6
        grown = (folder / "encrypted.wav").stat().st_size / (folder / "plain.wav").stat().st_size
        (folder / "encrypted.wav").unlink()
        best["reseal"] = spent(lambda: reseal(folder, ring, lambda done, of: None))
    figures = {
        "seconds": arguments.seconds,
        "write_cpu_ms_per_call_minute": {
            name: round(best[f"write_{name}"] * 60_000 / arguments.seconds, 2)
            for name in ("plain", "encrypted")
        },
        "write_ratio": round(best["write_encrypted"] / best["write_plain"], 2),
        "read_mb_per_cpu_s": round(megabytes / best["read_encrypted"]),
        "reseal_mb_per_cpu_s": round(megabytes / best["reseal"]),
        "size_ratio": round(grown, 4),
    }
    text = json.dumps(figures, indent=1)
    if arguments.json:
        arguments.json.write_text(text + "\n", encoding="utf-8")
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main()
