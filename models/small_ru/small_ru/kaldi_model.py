"""Kaldi's binary acoustic model (am/final.mdl), as much of it as a small feed-forward network needs.

A transition model of one-state phones, each with a topology entry of its own; an nnet3 of affine, ReLU and
log-softmax components; the priors. What Vosk 0.3.45 reads, and what `read` takes apart again.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

SELECT = "select"
_EMPTY_STATISTICS = ("<ValueAvg>", "<DerivAvg>"), ("<Count>", "<NumDimsSelfRepaired>", "<NumDimsProcessed>")


class Affine(NamedTuple):
    """weights @ (frames at these offsets, one after the other) + bias."""

    offsets: tuple[int, ...]
    weights: Floats
    bias: Floats


@dataclass(frozen=True, slots=True)
class Acoustic:
    """A model. `phones` are those with their place in a word (`a_B`); `outputs[i]` says which output phone i
    has, `stays[i]` how likely it is to last another frame. Each of `hidden` is followed by a ReLU, each of
    `heads` by a log-softmax; the outputs are those of the first head and the last one of the second."""

    phones: tuple[str, ...]
    outputs: tuple[int, ...]
    stays: tuple[float, ...]
    hidden: tuple[Affine, ...]
    heads: tuple[tuple[str, Affine], ...]
    priors: Floats
    context: int


def log_likelihoods(model: Acoustic, features: Floats) -> Floats:
    """What Kaldi computes from these, by output; each third frame that has its whole context."""
    values, first = features, 0
    for layer in model.hidden:
        low, high = min(layer.offsets), max(layer.offsets)
        rows = range(-low, len(values) - high)
        spliced = np.concatenate([values[rows.start + at : rows.stop + at] for at in layer.offsets], axis=1)
        values = np.maximum(spliced @ layer.weights.T + layer.bias, 0)
        first -= low
    values = values[model.context - first :: 3]
    heads = [_log_softmax(values @ head.weights.T + head.bias) for _, head in model.heads]
    joined = np.concatenate([heads[0], heads[1][:, -1:]], axis=1)
    return np.asarray(joined - np.log(model.priors), dtype=np.float32)


def halfway(one: Acoustic, other: Acoustic) -> Acoustic:
    """The mean of two networks of which one went on from the other: it keeps most of what either is good at
    (Wortsman et al., ICML 2022)."""

    half = np.float32(0.5)

    def mean(first: Affine, second: Affine) -> Affine:
        weights, bias = half * (first.weights + second.weights), half * (first.bias + second.bias)
        return first._replace(weights=weights, bias=bias)

    heads = dict(other.heads)
    return replace(
        one,
        hidden=tuple(map(mean, one.hidden, other.hidden)),
        heads=tuple((name, mean(head, heads[name])) for name, head in one.heads),
        priors=half * (one.priors + other.priors),
    )


def write(model: Acoustic, file: Path) -> None:
    """Overwrites the file."""
    out = _Writer()
    out.raw(b"\0B")
    _write_transitions(out, model)
    _write_network(out, model)
    file.write_bytes(out.written())


def topology_groups(phones: Sequence[str]) -> list[list[int]]:
    """Numbers (from 1) of the phones that differ in their place in a word only."""
    groups: dict[str, list[int]] = {}
    for number, phone in enumerate(phones, 1):
        groups.setdefault(phone.split("_")[0], []).append(number)
    return list(groups.values())


def _write_transitions(out: _Writer, model: Acoustic) -> None:
    groups = topology_groups(model.phones)
    entry_of = [-1] * (len(model.phones) + 1)
    for index, numbers in enumerate(groups):
        for number in numbers:
            entry_of[number] = index
    out.token("<TransitionModel>", "<Topology>")
    out.int32s(range(1, len(model.phones) + 1))
    out.int32s(entry_of)
    out.int32(len(groups))
    for numbers in groups:
        stay = model.stays[numbers[0] - 1]
        out.int32(2)  # states: the one that sounds, and the end
        out.int32(0, 2)  # of the first: its class of densities, its transitions (to itself, and on)
        out.int32(0)
        out.float32(stay)
        out.int32(1)
        out.float32(1 - stay)
        out.int32(-1, 0)  # the end has neither
    out.token("</Topology>", "<Triples>")
    out.int32(len(model.phones))
    for number, output in enumerate(model.outputs, 1):
        out.int32(number, 0, output)
    chances = [chance for stay in model.stays for chance in (math.log(stay), math.log(1 - stay))]
    out.token("</Triples>", "<LogProbs>")
    out.vector(np.array([0.0, *chances], np.float32))
    out.token("</LogProbs>", "</TransitionModel>")


def _write_network(out: _Writer, model: Acoustic) -> None:
    size = model.hidden[0].weights.shape[1] // len(model.hidden[0].offsets)
    nodes = [f"input-node name=input dim={size}"]
    above = "input"
    for index, layer in enumerate(model.hidden):
        parts = [above if at == 0 else f"Offset({above}, {at})" for at in layer.offsets]
        nodes += [
            _node(f"hidden{index}.affine", f"Append({', '.join(parts)})"),
            _node(f"hidden{index}.relu", f"hidden{index}.affine"),
        ]
        above = f"hidden{index}.relu"
    for name, _ in model.heads:
        nodes += [_node(f"{name}.affine", above), _node(f"{name}.log-softmax", f"{name}.affine")]
    nodes += [
        _node(SELECT, f"Append({', '.join(f'{name}.log-softmax' for name, _ in model.heads)})"),
        f"output-node name=output input={SELECT} objective=linear",
    ]
    out.token("<Nnet3>")
    out.raw("\n".join(["", *nodes, "", ""]).encode())
    out.token("<NumComponents>")
    out.int32(2 * len(model.hidden) + 2 * len(model.heads) + 1)
    for index, layer in enumerate(model.hidden):
        _write_affine(out, f"hidden{index}.affine", layer)
        _write_nonlinear(out, f"hidden{index}.relu", "RectifiedLinear", len(layer.bias))
    for name, head in model.heads:
        _write_affine(out, f"{name}.affine", head)
        _write_nonlinear(out, f"{name}.log-softmax", "LogSoftmax", len(head.bias))
    _write_affine(out, SELECT, _selection([len(head.bias) for _, head in model.heads]))
    out.token("</Nnet3>", "<LeftContext>")
    out.int32(model.context)
    out.token("<RightContext>")
    out.int32(model.context)
    out.token("<Priors>")
    out.vector(model.priors)


def _node(name: str, inputs: str) -> str:
    return f"component-node name={name} component={name} input={inputs}"


def _selection(sizes: Sequence[int]) -> Affine:
    """All outputs of the first head, and the last one of the second."""
    matrix = np.zeros((sizes[0] + 1, sum(sizes)), np.float32)
    matrix[: sizes[0], : sizes[0]] = np.eye(sizes[0])
    matrix[-1, -1] = 1
    return Affine((0,), matrix, np.zeros(len(matrix), np.float32))


def _write_affine(out: _Writer, name: str, affine: Affine) -> None:
    out.token("<ComponentName>", name, "<FixedAffineComponent>", "<LinearParams>")
    out.matrix(affine.weights)
    out.token("<BiasParams>")
    out.vector(affine.bias)
    out.token("</FixedAffineComponent>")


def _write_nonlinear(out: _Writer, name: str, kind: str, size: int) -> None:
    out.token("<ComponentName>", name, f"<{kind}Component>", "<Dim>")
    out.int32(size)
    vectors, counts = _EMPTY_STATISTICS
    for token in vectors:
        out.token(token)
        out.vector(np.zeros(0, np.float32))
    for token in counts:
        out.token(token)
        out.float64(0.0)
    out.token(f"</{kind}Component>")


def _log_softmax(values: Floats) -> Floats:
    shifted = values - values.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)), dtype=np.float32)


class _Writer:
    """Kaldi's binary stream: a token ends in a space, a number is led by the size of its kind."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def written(self) -> bytes:
        return b"".join(self._parts)

    def raw(self, data: bytes) -> None:
        self._parts.append(data)

    def token(self, *tokens: str) -> None:
        self.raw("".join(f"{token} " for token in tokens).encode())

    def int32(self, *values: int) -> None:
        for value in values:
            self.raw(b"\4" + struct.pack("<i", value))

    def float32(self, value: float) -> None:
        self.raw(b"\4" + struct.pack("<f", value))

    def float64(self, value: float) -> None:
        self.raw(b"\10" + struct.pack("<d", value))

    def int32s(self, values: Sequence[int]) -> None:
        self.int32(len(values))
        self.raw(np.asarray(values, "<i4").tobytes())

    def vector(self, values: Floats) -> None:
        self.token("FV")
        self.int32(len(values))
        self.raw(values.astype("<f4").tobytes())

    def matrix(self, values: Floats) -> None:
        self.token("FM")
        self.int32(*values.shape)
        self.raw(np.ascontiguousarray(values, "<f4").tobytes())
