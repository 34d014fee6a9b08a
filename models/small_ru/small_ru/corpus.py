"""Spoken sentences on disk: one file a voice, sound as it was synthesised at 16 kHz."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

RATE = 16_000

Labels = npt.NDArray[np.int8]
"""A phone's number in `lexicon.LABELS` for each 10 ms."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """One spoken sentence. `labels` are empty before it was aligned."""

    text: str
    sound: npt.NDArray[np.int16]
    known: bool
    """Whether its words are of the vocabulary."""
    labels: Labels


NO_LABELS: Labels = np.zeros(0, np.int8)


def save(file: Path, utterances: Sequence[Utterance]) -> None:
    """Whole or not at all."""
    about = json.dumps([[one.text, one.known] for one in utterances], ensure_ascii=False)
    parts = {
        "about": np.frombuffer(about.encode(), np.uint8),
        "sounds": _joined([one.sound for one in utterances], np.int16),
        "sound_ends": np.cumsum([len(one.sound) for one in utterances], dtype=np.int64),
        "labels": _joined([one.labels for one in utterances], np.int8),
        "label_ends": np.cumsum([len(one.labels) for one in utterances], dtype=np.int64),
    }
    save_arrays(file, parts)


def save_arrays(file: Path, parts: dict[str, npt.NDArray[np.generic]]) -> None:
    """Whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_suffix(".part")
    with unfinished.open("wb") as out:
        np.savez(out, **parts)  # type: ignore[arg-type]  # its stub takes allow_pickle from any keyword
    unfinished.replace(file)


def load(file: Path) -> list[Utterance]:
    with np.load(file) as parts:
        about = json.loads(parts["about"].tobytes().decode())
        sounds = np.split(parts["sounds"], parts["sound_ends"][:-1])
        labels = np.split(parts["labels"], parts["label_ends"][:-1])
    return [
        Utterance(text, sound, known, label)
        for (text, known), sound, label in zip(about, sounds, labels, strict=True)
    ]


def load_all(files: Iterable[Path]) -> Iterator[Utterance]:
    for file in files:
        yield from load(file)


def _joined(arrays: Sequence[npt.NDArray[np.generic]], kind: type[np.generic]) -> npt.NDArray[np.generic]:
    return np.concatenate(arrays) if arrays else np.zeros(0, kind)
