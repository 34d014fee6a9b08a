"""Hears sentences with a model, in a process of its own: Vosk hung in one with another library's OpenFst.

    python -m small_ru.decode MODEL SOUNDS

SOUNDS is a file of `small_ru.decoding.write_sounds`. Prints JSON: the words of each, and the seconds of a
processor that they took. They come in pieces of 100 ms, as from a line.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import vosk

from small_ru.cepstra import LINE_RATE
from small_ru.decoding import read_sounds

_PIECE = LINE_RATE // 10 * 2


def main(model: str, sounds: str) -> None:
    vosk.SetLogLevel(-1)
    loaded = vosk.Model(model)
    texts: list[str] = []
    started = time.process_time()
    for data in read_sounds(Path(sounds)):
        recogniser = vosk.KaldiRecognizer(loaded, LINE_RATE)
        words: list[str] = []
        for start in range(0, len(data), _PIECE):
            if recogniser.AcceptWaveform(data[start : start + _PIECE]):
                words.append(json.loads(recogniser.Result())["text"])
        words.append(json.loads(recogniser.FinalResult())["text"])
        texts.append(" ".join(word for word in words if word))
    print(json.dumps({"texts": texts, "spent_s": time.process_time() - started}, ensure_ascii=False))  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
