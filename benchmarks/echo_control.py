"""What echo control costs on a line while we speak, by what comes back: nothing, the line's noise, our echo.

    python -m benchmarks.echo_control [--rounds 5] [--json]

The recorded sentences are said by us, at 8 kHz, after two seconds of the line alone. Microseconds a frame
of 20 ms (CPU of one thread), and the share of a core (0..1) that they come to.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from bot.core.audio import FRAME_S, Frame, inaudible
from telephony.echo import EchoControl

PROJECT = Path(__file__).parents[1]
RATE = 8000
SIZE = round(RATE * FRAME_S)
ALONE_S = 2
NOISE_DBFS = -55.0
LOSS_DB, DELAY_S = 15.0, 0.12
"""Of the echo: as a telephone on a table gives it back, over a mobile network."""

Wave = NDArray[np.float64]


def said() -> Wave:
    clips = [soundfile.read(path)[0] for path in sorted((PROJECT / "tests/data/audio/ru").glob("*.wav"))]
    return np.concatenate([np.zeros(ALONE_S * RATE), *clips])


def lines(far: Wave) -> dict[str, Wave]:
    noise = np.random.default_rng(1).standard_normal(far.size) * 10 ** (NOISE_DBFS / 20)
    late = round(DELAY_S * RATE)
    back = np.concatenate((np.zeros(late), far[:-late])) * 10 ** (-LOSS_DB / 20)
    return {"silent": np.zeros(far.size), "noise": noise, "echo in noise": noise + back}


def frames(wave: Wave) -> list[bytes]:
    data = np.clip(np.rint(wave * 32768), -32768, 32767).astype("<i2")
    return [data[at : at + SIZE].tobytes() for at in range(0, data.size // SIZE * SIZE, SIZE)]


def each_us(near: list[bytes], far: list[bytes]) -> list[float]:
    control, taken = EchoControl(RATE), []
    for number, (heard, sent) in enumerate(zip(near, far, strict=True)):
        frame = Frame(heard, RATE, number * FRAME_S, inaudible=inaudible(heard))
        began = time.thread_time_ns()
        control.process(frame, sent)
        taken.append((time.thread_time_ns() - began) / 1000)
    return taken[round(ALONE_S / FRAME_S) :]


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rounds", type=int, default=5)
    asked.add_argument("--json", action="store_true")
    given = asked.parse_args()
    far = said()
    sent = frames(far)
    told = {}
    for name, near in lines(far).items():
        heard = frames(near)
        rounds = [each_us(heard, sent) for _ in range(given.rounds)]
        quietest = min(rounds, key=sum)
        p50, p95 = np.percentile(quietest, [50, 95])
        told[name] = {
            "mean_us": round(float(np.mean(quietest)), 1),
            "p50_us": round(float(p50), 1),
            "p95_us": round(float(p95), 1),
            "share_of_a_core": round(float(np.mean(quietest)) / (FRAME_S * 1e6), 4),
        }
    if given.json:
        sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
        return
    for name, found in told.items():
        sys.stdout.write(f"{name:15}" + ", ".join(f"{what} {value}" for what, value in found.items()) + "\n")


if __name__ == "__main__":
    main()
