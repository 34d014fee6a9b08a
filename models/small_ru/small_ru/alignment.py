"""The aligner over a corpus: trained with some of it, then all of it is labelled, by two processes."""

from __future__ import annotations

import multiprocessing
import random
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np

from bot.words import words
from small_ru.aligning import STATES, chain, train, viterbi, ways
from small_ru.corpus import Utterance, load, load_all, save
from small_ru.features import aligner_features
from small_ru.gaussians import Mixtures
from small_ru.lexicon import Pronunciation
from small_ru.synthesis import PROCESSES

_LEAST_FRAMES = 5
_UNLIKELY_PERCENT = 0.5
"""Sentences that fit their words worst are left out: the engine said something else."""

Said = Mapping[str, Sequence[Pronunciation]]


def train_aligner(
    files: Sequence[Path], said: Said, count: int, passes: int, tell: Callable[[str], None]
) -> Mixtures:
    """With so many sentences, of all voices alike. Blocking, minutes."""
    each = list(load_all(files))
    chosen = random.Random(0).sample(each, min(count, len(each)))
    sentences = [(aligner_features(one.sound), ways(one.text, said)) for one in chosen]
    sentences = [pair for pair in sentences if len(pair[0]) >= _LEAST_FRAMES]
    mixtures, likelihoods = train(sentences, passes)
    rising = " ".join(f"{one:.2f}" for one in likelihoods)
    tell(
        words(
            f"  разметчик, правдоподобие кадра: {rising}", f"  the aligner, likelihood of a frame: {rising}"
        )
    )
    return mixtures


def align_all(spoken: Sequence[Path], aligned: Sequence[Path], said: Said, mixtures: Mixtures) -> None:
    """Writes each file with the labels of its sentences."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, mp_context=context) as pool:
        count = len(spoken)
        list(pool.map(_align, spoken, aligned, [dict(said)] * count, [mixtures] * count))


def _align(spoken: Path, aligned: Path, said: Said, mixtures: Mixtures) -> None:
    """In a process of the pool."""
    found: list[tuple[float, Utterance]] = []
    for one in load(spoken):
        features = aligner_features(one.sound)
        if len(features) < _LEAST_FRAMES:
            continue
        of = chain(ways(one.text, said))
        best = viterbi(mixtures.likelihoods(features), of)
        if best is not None:
            labels = (of.density[best[0]] // STATES).astype(np.int8)
            found.append((best[1] / len(features), replace(one, labels=labels)))
    worst = np.percentile([score for score, _ in found], _UNLIKELY_PERCENT) if found else 0.0
    save(aligned, [one for score, one in found if score >= worst])
