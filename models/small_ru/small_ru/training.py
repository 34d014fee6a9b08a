"""The network is trained: cross entropy of each frame's phone, AdamW, one cycle of the learning rate."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array

from bot.words import words
from small_ru.corpus import save_arrays
from small_ru.dataset import batches, count_batches, label_counts, scale
from small_ru.kaldi_model import Acoustic, Affine
from small_ru.network import CONTEXT, Averages, Weights, folded, fresh, outputs, unfolded
from small_ru.plan import Plan

FRAMES = 64
"""Output frames (30 ms) of a piece."""
_SMOOTHED = 0.02
_SPEECH_WEIGHT = 0.3
_MEASURED = 8
"""Steps whose sound tells the normalisation of a network that goes on."""
_TOLD_EVERY = 100

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Trained:
    """Affine maps, and how many frames of each label they were taught."""

    hidden: list[Affine]
    heads: dict[str, Affine]
    counts: list[int]


@dataclass(frozen=True, slots=True)
class Course:
    """How long and how strongly a network learns, and from which other one it goes on, if from any."""

    epochs: float
    highest_rate: float = 2e-3
    least_steps: int = 2
    begin: Acoustic | None = None


class Progress(NamedTuple):
    """How far a training has come: steps and epochs that are done, and what was learnt by them."""

    done: int
    epoch: int
    weights: Weights
    averages: Averages
    state: optax.OptState


def train(files: Sequence[Path], plan: Plan, course: Course, seed: int, kept: Path, tell: Tell) -> Trained:
    """Blocking, minutes. The same files and seed give the same weights on the same machine. After each epoch
    its progress is put into `kept`; where that is there already, the training goes on from it.

    Raises ValueError where there is too little sound for a step.
    """
    mean, deviation = scale(files)
    per_epoch = count_batches(files, FRAMES, plan.pieces)
    if not per_epoch:
        raise ValueError(f"less sound than one step of {plan.pieces * FRAMES * 0.03:.0f} s")
    weights, averages = _beginning(files, plan, course, seed)
    steps = max(int(per_epoch * course.epochs), course.least_steps)
    schedule = optax.cosine_onecycle_schedule(steps, course.highest_rate, pct_start=0.15)
    optimiser = optax.chain(optax.clip_by_global_norm(2.0), optax.adamw(schedule, weight_decay=1e-3))
    at = _read(kept, Progress(0, 0, weights, averages, optimiser.init(weights)))

    def loss(
        weights: Weights, averages: Averages, inputs: Array, wanted: Array, key: Array
    ) -> tuple[Array, tuple[Averages, Array]]:
        phone, speech, averages = outputs(weights, averages, inputs, key)
        truth = optax.smooth_labels(jax.nn.one_hot(wanted, phone.shape[-1]), _SMOOTHED)
        by_phone = optax.softmax_cross_entropy(phone, truth).mean()
        by_speech = optax.softmax_cross_entropy_with_integer_labels(speech, (wanted > 0).astype(int)).mean()
        right = (phone.argmax(axis=-1) == wanted).mean()
        return by_phone + _SPEECH_WEIGHT * by_speech, (averages, right)

    @jax.jit
    def step(
        weights: Weights, averages: Averages, state: optax.OptState, inputs: Array, wanted: Array, key: Array
    ) -> tuple[Weights, Averages, optax.OptState, Array]:
        (_, (averages, right)), slopes = jax.value_and_grad(loss, has_aux=True)(
            weights, averages, inputs, wanted, key
        )
        moves, state = optimiser.update(slopes, state, weights)
        return optax.apply_updates(weights, moves), averages, state, right

    key = jax.random.key(seed + 1)
    started = time.monotonic()
    recent: list[Array] = []
    while at.done < steps:
        before = at.done
        for inputs, wanted in batches(files, FRAMES, plan.pieces, CONTEXT, seed * 1000 + at.epoch):
            normal = jnp.asarray((inputs - mean) / deviation)
            own = jax.random.fold_in(key, at.done)
            *learnt, right = step(at.weights, at.averages, at.state, normal, jnp.asarray(wanted), own)
            at = Progress(at.done + 1, at.epoch, *learnt)
            recent.append(right)
            if at.done % _TOLD_EVERY == 0 or at.done == steps:
                share, spent = float(np.mean(jax.device_get(recent))), time.monotonic() - started
                tell(
                    words(
                        f"  шаг {at.done}/{steps}, кадров верно {share:.1%}, {spent:.0f} с",
                        f"  step {at.done}/{steps}, {share:.1%} of frames right, {spent:.0f} s",
                    )
                )
                recent.clear()
            if at.done == steps:
                break
        if at.done == before:
            raise ValueError("too little sound for a single step")
        at = at._replace(epoch=at.epoch + 1)
        _write(kept, at)
    layers, heads = folded(at.weights, at.averages, mean, deviation)
    return Trained(layers, heads, label_counts(files).tolist())


def _beginning(files: Sequence[Path], plan: Plan, course: Course, seed: int) -> tuple[Weights, Averages]:
    if course.begin is None:
        return fresh(plan.hidden, seed)
    mean, deviation = scale(files)
    some = itertools.islice(batches(files, FRAMES, plan.pieces, CONTEXT, seed), _MEASURED)
    inputs = np.concatenate([(inputs - mean) / deviation for inputs, _ in some])
    heads = dict(course.begin.heads)
    return unfolded(course.begin.hidden, heads, jnp.asarray(inputs), mean, deviation)


def _write(kept: Path, at: Progress) -> None:
    leaves = jax.tree.leaves(at)
    save_arrays(kept, {f"{number:04d}": np.asarray(leaf) for number, leaf in enumerate(leaves)})


def _read(kept: Path, beginning: Progress) -> Progress:
    """What is in the file, in the shape of the beginning; the beginning itself where there is none."""
    if not kept.exists():
        return beginning
    with np.load(kept) as parts:
        leaves = [parts[name] for name in sorted(parts.files)]
    done, epoch, *learnt = leaves
    found: Progress = jax.tree.unflatten(jax.tree.structure(beginning), [int(done), int(epoch), *learnt])
    return found
