"""Cut the callers' pieces of this folder from whole recorded sentences.

    .venv/bin/python tests/data/audio/turns/make.py FOLDER

FOLDER holds `manifest.tsv` (file, voice, intent, value, text) and 8 kHz mono WAV files. A sentence is cut
where the small model that ships hears one word end and the next begin, at the softest 10 ms there.
Writes the pieces and their `manifest.tsv`: file, voice, role, value, text, joins.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import wave
from pathlib import Path

import numpy as np

from bot.core.audio import FRAME_S, Frame
from bot.sim.g711 import RATE, Samples
from bot.sim.measure import WINDOW, voiced, window_levels
from bot.sim.sounds import read_clip
from bot.speech.models import ensure_model
from bot.speech.recogniser import VoskRecogniser
from bot.speech.settings import RecogniserSettings

HERE = Path(__file__).parent
PROJECT = HERE.parents[3]
EDGE = 2
"""Windows of 10 ms kept around the voiced part of a piece."""
SEARCH_S = 0.08

WHOLE = {
    "ноль": ("value", "0"), "один": ("value", "1"), "два": ("value", "2"), "три": ("value", "3"),
    "четыре": ("value", "4"), "пять": ("value", "5"), "шесть": ("value", "6"), "семь": ("value", "7"),
    "восемь": ("value", "8"), "девять": ("value", "9"), "десять": ("value", "10"),
    "пятёрка": ("value", "5"), "двойка": ("value", "2"), "десять баллов": ("value", "10"),
    "да": ("yes_no", "yes"), "да решили": ("yes_no", "yes"), "конечно": ("yes_no", "yes"),
    "нет": ("yes_no", "no"), "нет не решили": ("yes_no", "no"),
    "всё понравилось": ("open", ""), "вежливый оператор": ("open", ""),
    "всё отлично спасибо большое": ("open", ""), "очень долго ждал": ("open", ""),
    "скорость ответа и вежливость оператора": ("open", ""),
}  # fmt: skip

PARTS = {
    "ну наверное девять": ((0, 2, "hesitation", ""), (0, 1, "hesitation", ""), (1, 2, "hesitation", "")),
    "ставлю три": ((0, 1, "head", ""), (1, 2, "tail", "3")),
    "твёрдая четвёрка": ((0, 1, "head", ""), (1, 2, "tail", "4")),
    "между шестью и семью пусть будет семь": ((0, 4, "head", ""), (4, 7, "tail", "7")),
    "скорость ответа и вежливость оператора": ((0, 2, "open_head", ""), (2, 5, "open_tail", "")),
    "всё отлично спасибо большое": ((0, 2, "open_head", ""), (2, 4, "open_tail", "")),
}
"""Sentence: the parts to cut from it, each from one word up to another, with its role and value."""


async def boundary(recogniser: VoskRecogniser, sound: Samples, words: int) -> int | None:
    """The sample between word number `words` and the next; None where other words were heard."""
    stream = recogniser.open(RATE)
    padded = np.concatenate([sound, np.zeros(RATE // 2, np.int16)])
    size = round(RATE * FRAME_S)
    for start in range(0, padded.size - size, size):
        await stream.feed(Frame(padded[start : start + size].tobytes(), RATE, start / RATE))
    heard = (await stream.finish()).words
    if len(heard) <= words:
        return None
    middle = (heard[words - 1].end + heard[words].start) / 2
    first = max(int((middle - SEARCH_S) * RATE), 0)
    levels = window_levels(sound[first : int((middle + SEARCH_S) * RATE)])
    return first + int(levels.argmin()) * WINDOW


def trimmed(sound: Samples) -> Samples:
    loud = np.flatnonzero(voiced(sound))
    return sound[max(int(loud[0]) - EDGE, 0) * WINDOW : (int(loud[-1]) + 1 + EDGE) * WINDOW]


def write(name: str, sound: Samples) -> None:
    with wave.open(str(HERE / name), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(trimmed(sound).astype("<i2").tobytes())


async def make(source: Path) -> list[str]:
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        model = ensure_model(RecogniserSettings().model, PROJECT / "models", Path(folder))
        recogniser = VoskRecogniser(model, RecogniserSettings(feed_wait_s=5.0))
        for line in (source / "manifest.tsv").read_text(encoding="utf-8").splitlines()[1:]:
            file, voice, _, _, text = line.split("\t")
            name, sound = file.removesuffix(".wav"), read_clip(source / file)
            if text in WHOLE:
                role, value = WHOLE[text]
                write(f"{name}.wav", sound)
                rows.append("\t".join((f"{name}.wav", voice, role, value, text, "")))
            for index, (first, end, role, value) in enumerate(PARTS.get(text, ())):
                words = text.split()
                begins = await boundary(recogniser, sound, first) if first else 0
                ends = await boundary(recogniser, sound, end) if end < len(words) else sound.size
                if begins is None or ends is None:
                    sys.stderr.write(f"{file}: other words were heard, left out\n")
                    continue
                part = f"{name}_{'abc'[index]}.wav"
                write(part, sound[begins:ends])
                rows.append("\t".join((part, voice, role, value, " ".join(words[first:end]), name)))
        recogniser.close()
    return rows


if __name__ == "__main__":
    made = asyncio.run(make(Path(sys.argv[1])))
    header = "# file\tvoice\trole\tvalue\ttext\tjoins"
    (HERE / "manifest.tsv").write_text("\n".join([header, *made]) + "\n", encoding="utf-8")
