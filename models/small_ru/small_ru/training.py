"""The network is trained: cross entropy of each frame's phone, AdamW, one cycle of the learning rate."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array

from bot.words import words
from small_ru.dataset import batches, count_batches, label_counts, scale
from small_ru.kaldi_model import Affine
from small_ru.network import CONTEXT, Averages, Weights, folded, fresh, outputs
from small_ru.plan import Plan

FRAMES = 64
"""Output frames (30 ms) of a piece."""
_HIGHEST_RATE = 2e-3
_SMOOTHED = 0.02
_SPEECH_WEIGHT = 0.3
_TOLD_EVERY = 100

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Trained:
    """Affine maps, what they were taught, and how well they know it at the end (share of frames)."""

    hidden: list[Affine]
    heads: dict[str, Affine]
    counts: list[int]
    frames_right: float


def train(files: Sequence[Path], plan: Plan, epochs: float, seed: int, tell: Tell) -> Trained:
    """Blocking, minutes. The same files and seed give the same weights on the same machine.

    Raises ValueError where there is too little sound for a step.
    """
    mean, deviation = scale(files)
    weights, averages = fresh(plan.hidden, seed)
    per_epoch = count_batches(files, FRAMES, plan.pieces)
    if not per_epoch:
        raise ValueError(f"less sound than one step of {plan.pieces * FRAMES * 0.03:.0f} s")
    steps = max(int(per_epoch * epochs), 2)
    schedule = optax.cosine_onecycle_schedule(steps, _HIGHEST_RATE, pct_start=0.15)
    optimiser = optax.chain(optax.clip_by_global_norm(2.0), optax.adamw(schedule, weight_decay=1e-3))
    state = optimiser.init(weights)

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
    started, done, epoch = time.monotonic(), 0, 0
    recent: list[Array] = []
    while done < steps:
        before = done
        for inputs, wanted in batches(files, FRAMES, plan.pieces, CONTEXT, seed * 1000 + epoch):
            normal = jnp.asarray((inputs - mean) / deviation)
            weights, averages, state, right = step(
                weights, averages, state, normal, jnp.asarray(wanted), jax.random.fold_in(key, done)
            )
            recent.append(right)
            done += 1
            if done % _TOLD_EVERY == 0 or done == steps:
                share = float(np.mean(jax.device_get(recent)))
                spent = time.monotonic() - started
                tell(
                    words(
                        f"  шаг {done}/{steps}, кадров верно {share:.1%}, {spent:.0f} с",
                        f"  step {done}/{steps}, {share:.1%} of frames right, {spent:.0f} s",
                    )
                )
                recent = recent[-1:] if done == steps else []
            if done == steps:
                break
        if done == before:
            raise ValueError("too little sound for a single step")
        epoch += 1
    layers, heads = folded(weights, averages, mean, deviation)
    return Trained(layers, heads, label_counts(files).tolist(), share)
