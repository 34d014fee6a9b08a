"""Mixtures of diagonal Gaussians, one for each state of each phone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]

_LEAST_FRAMES = 10
"""A mixture that fewer frames belong to stays as it was."""
_LEAST_VARIANCE = 0.02
"""Of the variance of all frames: a Gaussian does not close over one of them."""
_APART = 0.2
"""A Gaussian is split into two that stand so many deviations to its sides."""


@dataclass(frozen=True, slots=True)
class Mixtures:
    """Arrays by mixture, component and, for means and variances, feature."""

    weights: Doubles
    means: Doubles
    variances: Doubles

    @classmethod
    def alike(cls, count: int, frames: Sequence[npt.NDArray[np.float32]]) -> Self:
        """So many, each a Gaussian over all of these frames."""
        features = np.concatenate(frames).astype(np.float64)
        means, variances = features.mean(axis=0), features.var(axis=0)
        shape = (count, 1, features.shape[1])
        return cls(np.ones((count, 1)), np.full(shape, means), np.full(shape, variances))

    @property
    def components(self) -> int:
        return int(self.weights.shape[1])

    def split(self) -> Self:
        step = np.sqrt(self.variances) * _APART
        return replace(
            self,
            weights=np.concatenate([self.weights, self.weights], axis=1) / 2,
            means=np.concatenate([self.means + step, self.means - step], axis=1),
            variances=np.concatenate([self.variances, self.variances], axis=1),
        )

    def likelihoods(self, features: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Logarithms, by frame and mixture."""
        each = self._by_component(features)
        highest = each.max(axis=2, keepdims=True)
        total = highest[:, :, 0] + np.log(np.exp(each - highest).sum(axis=2))
        return np.asarray(total, dtype=np.float32)

    def fitted(
        self, frames: Sequence[npt.NDArray[np.float32]], owners: Sequence[npt.NDArray[np.int32]]
    ) -> Self:
        """Moved to the frames that belong to each of them (one step of expectation and maximisation)."""
        features, owner = np.concatenate(frames).astype(np.float64), np.concatenate(owners)
        floor = features.var(axis=0) * _LEAST_VARIANCE
        weights, means, variances = self.weights.copy(), self.means.copy(), self.variances.copy()
        order = np.argsort(owner, kind="stable")
        bounds = np.searchsorted(owner[order], np.arange(len(weights) + 1))
        for index in range(len(weights)):
            mine = features[order[bounds[index] : bounds[index + 1]]]
            if len(mine) < _LEAST_FRAMES:
                continue
            shares = self._shares(index, mine)
            mass = shares.sum(axis=0) + 1e-3
            weights[index] = mass / mass.sum()
            means[index] = (shares.T @ mine + 1e-3 * self.means[index]) / mass[:, None]
            square = (shares.T @ mine**2 + 1e-3 * (self.means[index] ** 2 + self.variances[index])) / mass[
                :, None
            ]
            variances[index] = np.maximum(square - means[index] ** 2, floor)
        return replace(self, weights=weights, means=means, variances=variances)

    def _shares(self, index: int, features: Doubles) -> Doubles:
        """How much of each frame belongs to each component of one mixture."""
        if self.components == 1:
            return np.ones((len(features), 1))
        one = replace(
            self,
            weights=self.weights[index : index + 1],
            means=self.means[index : index + 1],
            variances=self.variances[index : index + 1],
        )
        each = one._by_component(features)[:, 0]
        shares = np.exp(each - each.max(axis=1, keepdims=True))
        return np.asarray(shares / shares.sum(axis=1, keepdims=True), dtype=np.float64)

    def _by_component(self, features: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
        """log(weight * density), by frame, mixture and component: two matrix products."""
        count, components, size = self.means.shape
        inverse = 1 / self.variances
        slope = np.concatenate([self.means * inverse, -inverse / 2], axis=2).reshape(-1, 2 * size)
        constant = np.log(self.weights) - 0.5 * (
            np.log(2 * np.pi * self.variances) + self.means**2 * inverse
        ).sum(axis=2)
        kind = features.dtype
        squares = np.concatenate([features, features**2], axis=1)
        each = squares @ slope.T.astype(kind) + constant.reshape(-1).astype(kind)
        return np.asarray(each).reshape(len(features), count, components)
