"""The acoustic model: affine layers over frames apart in time, ReLU, normalised by the batch; two outputs.

One output tells the phone, the other speech from silence; the latter is what `[unk]` is made of. After the
third layer only every third frame is computed: the recogniser asks for no more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
from jax import Array

from small_ru.cepstra import COUNT
from small_ru.kaldi_model import Affine
from small_ru.lexicon import LABELS

OFFSETS = ((-2, -1, 0, 1, 2), (-1, 0, 1), (-1, 0, 1), (-3, 0, 3), (-3, 0, 3), (-3, 0, 3), (-3, 0, 3))
"""Which frames each layer sees."""
CONTEXT = 16
"""Frames that an output needs on each side."""
_STRIDE_AT = 2
_EPSILON = 1e-5
_KEPT = 0.98
"""Of the running averages at each step."""
_DROPPED = 0.1


class Layer(NamedTuple):
    weights: Array
    bias: Array


class Weights(NamedTuple):
    hidden: tuple[Layer, ...]
    phone: Layer
    speech: Layer


class Averages(NamedTuple):
    """Means and variances of what leaves each hidden layer."""

    means: tuple[Array, ...]
    variances: tuple[Array, ...]


def fresh(hidden: int, seed: int) -> tuple[Weights, Averages]:
    """Random weights (He, 2015): three quarters of `hidden` in the first two layers."""
    sizes = [COUNT, *[hidden * 3 // 4] * _STRIDE_AT, *[hidden] * (len(OFFSETS) - _STRIDE_AT)]
    keys = iter(jax.random.split(jax.random.key(seed), len(OFFSETS) + 2))

    def layer(entering: int, leaving: int) -> Layer:
        drawn = jax.random.normal(next(keys), (entering, leaving)) * jnp.sqrt(2 / entering)
        return Layer(drawn, jnp.zeros(leaving))

    layers = tuple(
        layer(before * len(offsets), after)
        for before, after, offsets in zip(sizes[:-1], sizes[1:], OFFSETS, strict=True)
    )
    averages = Averages(tuple(map(jnp.zeros, sizes[1:])), tuple(map(jnp.ones, sizes[1:])))
    return Weights(layers, layer(hidden, len(LABELS)), layer(hidden, 2)), averages


def outputs(weights: Weights, averages: Averages, inputs: Array, key: Array) -> tuple[Array, Array, Averages]:
    """In training: logits of phone and speech by piece and output frame, and the averages as they are now.
    `inputs` have a mean of 0 and a deviation of 1, by piece, frame and cepstrum."""
    values = inputs
    means, variances = [], []
    for number, layer in enumerate(weights.hidden):
        key, own = jax.random.split(key)
        values = jax.nn.relu(_spliced(values, number) @ layer.weights + layer.bias)
        mean, variance = values.mean(axis=(0, 1)), values.var(axis=(0, 1))
        values = (values - mean) / jnp.sqrt(variance + _EPSILON)
        values *= jax.random.bernoulli(own, 1 - _DROPPED, values.shape) / (1 - _DROPPED)
        means.append(_KEPT * averages.means[number] + (1 - _KEPT) * mean)
        variances.append(_KEPT * averages.variances[number] + (1 - _KEPT) * variance)
    phone = values @ weights.phone.weights + weights.phone.bias
    speech = values @ weights.speech.weights + weights.speech.bias
    return phone, speech, Averages(tuple(means), tuple(variances))


def _spliced(values: Array, number: int) -> Array:
    """Each frame beside those that the layer sees with it; frames at the edges are lost."""
    count = len(OFFSETS[number])
    length = values.shape[1] - count + 1
    stride = 3 if number == _STRIDE_AT else 1
    return jnp.concatenate([values[:, at : at + length : stride] for at in range(count)], axis=2)


def folded(
    weights: Weights, averages: Averages, mean: npt.NDArray[np.float32], deviation: npt.NDArray[np.float32]
) -> tuple[list[Affine], dict[str, Affine]]:
    """The hidden layers and the outputs as affine maps alone: each takes in the normalisation before it."""
    scale, shift = 1 / deviation.astype(np.float64), -mean.astype(np.float64) / deviation

    def affine(layer: Layer, offsets: tuple[int, ...]) -> Affine:
        matrix = np.asarray(layer.weights, np.float64)
        scales, shifts = np.tile(scale, len(offsets)), np.tile(shift, len(offsets))
        bias = np.asarray(layer.bias, np.float64) + shifts @ matrix
        return Affine(offsets, (matrix * scales[:, None]).T.astype(np.float32), bias.astype(np.float32))

    hidden: list[Affine] = []
    for number, (layer, offsets) in enumerate(zip(weights.hidden, OFFSETS, strict=True)):
        hidden.append(affine(layer, offsets))
        deviations = np.sqrt(np.asarray(averages.variances[number], np.float64) + _EPSILON)
        scale, shift = 1 / deviations, -np.asarray(averages.means[number], np.float64) / deviations
    return hidden, {"output": affine(weights.phone, (0,)), "speech": affine(weights.speech, (0,))}


def unfolded(
    hidden: Sequence[Affine],
    heads: Mapping[str, Affine],
    inputs: Array,
    mean: npt.NDArray[np.float32],
    deviation: npt.NDArray[np.float32],
) -> tuple[Weights, Averages]:
    """The contrary of `folded`, so that a network can go on learning: what the normalisation between its
    layers has to be is measured with these inputs, which are as `outputs` takes them."""
    values = inputs
    before_mean, before_deviation = jnp.asarray(mean), jnp.asarray(deviation)
    means, variances, layers = [], [], []

    def layer(of: Affine) -> Layer:
        matrix, count = jnp.asarray(of.weights.T), len(of.offsets)
        bias = jnp.asarray(of.bias) + jnp.tile(before_mean, count) @ matrix
        return Layer(matrix * jnp.tile(before_deviation, count)[:, None], bias)

    for number, one in enumerate(hidden):
        layers.append(layer(one))
        values = jax.nn.relu(_spliced(values, number) @ layers[-1].weights + layers[-1].bias)
        means.append(values.mean(axis=(0, 1)))
        variances.append(values.var(axis=(0, 1)))
        before_mean, before_deviation = means[-1], jnp.sqrt(variances[-1] + _EPSILON)
        values = (values - before_mean) / before_deviation
    weights = Weights(tuple(layers), layer(heads["output"]), layer(heads["speech"]))
    return weights, Averages(tuple(means), tuple(variances))
