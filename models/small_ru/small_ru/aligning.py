"""Which phone is spoken when: a flat start from evenly cut sentences, then Viterbi and Gaussians by turns.

Three states a phone, with silence allowed between words, and of several ways in which a word is said the
likeliest. The arithmetic is that of Rabiner's tutorial (Proc. IEEE 77, 1989) in numpy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from small_ru.gaussians import Mixtures
from small_ru.lexicon import LABELS, SILENCE, Pronunciation

STATES = 3
_NUMBER = {phone: index for index, phone in enumerate(LABELS)}
_NEVER = np.float32(-1e30)

Features = npt.NDArray[np.float32]
Path = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Chain:
    """The states of a sentence in their order. `before[s]` are the states that lead to s, s itself first;
    unused places hold the number of states."""

    density: npt.NDArray[np.int32]
    """Which Gaussians each state has: the phone's number times STATES, and its state."""
    before: npt.NDArray[np.int32]
    first: npt.NDArray[np.bool_]
    last: npt.NDArray[np.bool_]


def chain(words: Sequence[Sequence[Pronunciation]]) -> Chain:
    """Of a sentence: for each word the ways in which it is said."""
    density: list[int] = []
    before: list[list[int]] = []
    beginning = -1

    def add(phone: str, entering: list[int]) -> list[int]:
        for state in range(STATES):
            density.append(_NUMBER[phone] * STATES + state)
            before.append(entering)
            entering = [len(density) - 1]
        return entering

    ends = [beginning, *add(SILENCE, [beginning])]
    for ways in words:
        said: list[int] = []
        for way in ways:
            entering = ends
            for phone in way:
                entering = add(phone, entering)
            said += entering
        ends = [*said, *add(SILENCE, said)]
    count = len(density)
    table = np.full((count, max(map(len, before)) + 1), count, np.int32)
    first, last = np.zeros(count, bool), np.zeros(count, bool)
    for state, entering in enumerate(before):
        inner = [one for one in entering if one != beginning]
        table[state, 0] = state
        table[state, 1 : len(inner) + 1] = inner
        first[state] = len(inner) < len(entering)
    last[[state for state in ends if state != beginning]] = True
    return Chain(np.array(density, np.int32), table, first, last)


def viterbi(likelihoods: npt.NDArray[np.float32], of: Chain) -> tuple[Path, float] | None:
    """The likeliest state for each frame, and the log likelihood; None where there are fewer frames than
    the shortest way has states. `likelihoods` are by frame and density."""
    frames, states = len(likelihoods), len(of.density)
    own = likelihoods[:, of.density]
    score = np.full(states + 1, _NEVER, np.float32)
    score[:states][of.first] = own[0][of.first]
    came = np.zeros((frames, states), np.int8)
    every = np.arange(states)
    for frame in range(1, frames):
        arriving = score[of.before]
        best = arriving.argmax(axis=1)
        came[frame] = best
        score[:states] = arriving[every, best] + own[frame]
    ending = np.where(of.last, score[:states], _NEVER)
    state = int(ending.argmax())
    total = float(ending[state])
    if total < _NEVER / 10:
        return None
    path = np.empty(frames, np.int32)
    for frame in range(frames - 1, -1, -1):
        path[frame] = state
        state = int(of.before[state, came[frame, state]])
    return path, total


def evenly(features: Features, words: Sequence[Sequence[Pronunciation]]) -> Path:
    """A first guess of densities: silence where it is quiet at both ends, between them each state as long
    as any other. The first feature tells how loud it is."""
    loud = features[:, 0]
    quiet, high = np.percentile(loud, 10), np.percentile(loud, 95)
    speech = np.flatnonzero(loud > quiet + 0.35 * (high - quiet))
    begin, end = (int(speech[0]), int(speech[-1]) + 1) if len(speech) else (0, len(features))
    said = [phone for ways in words for phone in ways[0]]
    densities = np.array([_NUMBER[phone] * STATES + state for phone in said for state in range(STATES)])
    found = np.empty(len(features), np.int32)
    for start, stop, choices in (
        (0, begin, np.arange(STATES)),
        (begin, end, densities),
        (end, len(features), np.arange(STATES)),
    ):
        length = stop - start
        found[start:stop] = choices[np.arange(length) * len(choices) // max(length, 1)]
    return found


def train(
    sentences: Sequence[tuple[Features, Sequence[Sequence[Pronunciation]]]], passes: int
) -> tuple[Mixtures, list[float]]:
    """The aligner, and the log likelihood of a frame after each pass, which rises."""
    density_of = [evenly(features, words) for features, words in sentences]
    chains = [chain(words) for _, words in sentences]
    frames = [features for features, _ in sentences]
    mixtures = Mixtures.alike(len(LABELS) * STATES, frames).fitted(frames, density_of)
    likelihoods: list[float] = []
    for number in range(passes):
        if number >= passes // 2 and mixtures.components < 8 and (number - passes // 2) % 2 == 0:
            mixtures = mixtures.split()
        total, counted = 0.0, 0
        kept: list[int] = []
        for index, features in enumerate(frames):
            found = viterbi(mixtures.likelihoods(features), chains[index])
            if found is None:
                continue
            path, score = found
            density_of[index] = chains[index].density[path]
            kept.append(index)
            total, counted = total + score, counted + len(features)
        mixtures = mixtures.fitted([frames[i] for i in kept], [density_of[i] for i in kept])
        likelihoods.append(total / max(counted, 1))
    return mixtures, likelihoods


def ways(text: str, said: Mapping[str, Sequence[Pronunciation]]) -> list[Sequence[Pronunciation]]:
    return [said[word] for word in text.split()]
