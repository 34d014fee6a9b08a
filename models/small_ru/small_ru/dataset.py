"""What the network learns from: cepstra of sentences over a telephone, and a phone for each frame."""

from __future__ import annotations

import multiprocessing
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soxr

from bot.words import words
from small_ru.cepstra import COUNT
from small_ru.corpus import Labels, load, save_arrays
from small_ru.features import Features, recogniser_features
from small_ru.lexicon import LABELS
from small_ru.nonspeech import pieces
from small_ru.synthesis import PROCESSES
from small_ru.telephony import TRAINING, over_telephone

_TOLD_EVERY = 20
_MIXED = 6
"""Files whose pieces are shuffled together."""


@dataclass(frozen=True, slots=True)
class Job:
    """Sentences of one voice over a telephone; another seed is another line for each of them."""

    spoken: Path
    written: Path
    seed: int


def make(jobs: Sequence[Job], babble: Path, tell: Callable[[str], None]) -> None:
    """Blocking, by two processes. `babble` are sentences that may talk in the background. A file that is
    there already is kept."""
    wanted = [job for job in jobs if not job.written.exists()]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, mp_context=context) as pool:
        for done, _ in enumerate(pool.map(_make, wanted, [babble] * len(wanted)), 1):
            if done % _TOLD_EVERY == 0:
                tell(words(f"  файлов {done} из {len(wanted)}", f"  {done} of {len(wanted)} files"))


def make_nonspeech(written: Path, seconds: float, seed: int) -> None:
    if written.exists():
        return
    features = [recogniser_features(sound) for sound in pieces(seconds, seed)]
    _write(written, features, [np.zeros(len(one), np.int8) for one in features])


def read(file: Path) -> tuple[npt.NDArray[np.float16], Labels]:
    with np.load(file) as parts:
        return parts["features"], parts["labels"]


def batches(
    files: Sequence[Path], frames: int, size: int, context: int, seed: int
) -> Iterator[tuple[Features, npt.NDArray[np.int64]]]:
    """Pieces of so many output frames, every third frame of the sound one, with `context` frames before and
    after; in an order that the seed decides. Sentences are cut where they happen to be, and each step hears
    several voices."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(files))
    for group in range(0, len(order), _MIXED):
        parts = [read(files[index]) for index in order[group : group + _MIXED]]
        pieces = [
            (features, labels, int(start))
            for features, labels in parts
            for start in _cut(rng, len(labels), 3 * frames, context)
        ]
        places = rng.permutation(len(pieces))
        for first in range(0, len(places) - size + 1, size):
            chosen = [pieces[place] for place in places[first : first + size]]
            inputs = [features[at : at + 3 * frames + 2 * context - 2] for features, _, at in chosen]
            wanted = [labels[at + context : at + context + 3 * frames : 3] for _, labels, at in chosen]
            yield np.stack(inputs).astype(np.float32), np.stack(wanted).astype(np.int64)


def _cut(rng: np.random.Generator, length: int, step: int, context: int) -> npt.NDArray[np.int64]:
    """Where the pieces of a file begin: elsewhere each time, and not always at the same third."""
    starts = np.arange(int(rng.integers(0, step)), length - step - 2 * context, step)
    moved = starts + rng.integers(-1, 2, len(starts))
    return np.asarray(np.maximum(moved, 0), dtype=np.int64)


def count_batches(files: Sequence[Path], frames: int, size: int) -> int:
    """About as many as `batches` gives."""
    return sum(len(read(file)[1]) for file in files) // (3 * frames) // size


def label_counts(files: Sequence[Path]) -> npt.NDArray[np.int64]:
    """Frames by label."""
    counted = [np.bincount(read(file)[1], minlength=len(LABELS)) for file in files]
    return np.asarray(np.sum(counted, axis=0), dtype=np.int64)


def scale(files: Sequence[Path]) -> tuple[Features, Features]:
    """The mean of each cepstrum, and its deviation."""
    rows = np.concatenate([read(file)[0][:100_000:3] for file in files]).astype(np.float32)
    return rows.mean(axis=0), rows.std(axis=0)


def _make(job: Job, babble: Path) -> None:
    """In a process of the pool."""
    behind = [soxr.resample(one.sound.astype(np.float64), 16_000, 8_000) for one in load(babble)]
    utterances = load(job.spoken)
    rng = np.random.default_rng([job.seed, zlib.crc32(job.spoken.stem.encode())])
    features, labels = [], []
    for index in rng.permutation(len(utterances)):
        one = utterances[index]
        received = over_telephone(one.sound, rng, behind, TRAINING)
        rows = recogniser_features(received.sound)
        features.append(rows)
        labels.append(received.labels(one.labels, len(rows)))
    _write(job.written, features, labels)


def _write(file: Path, features: Sequence[Features], labels: Sequence[Labels]) -> None:
    rows = np.concatenate([*features, np.zeros((0, COUNT), np.float32)])
    save_arrays(
        file, {"features": rows.astype(np.float16), "labels": np.concatenate([*labels, np.zeros(0, np.int8)])}
    )
