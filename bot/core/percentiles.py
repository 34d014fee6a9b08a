"""Percentiles of times that people waited.

A percentile is the smallest measured value that so many percent do not exceed (nearest rank): every
figure is a time that somebody waited.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

PERCENTILES = (50, 90, 95, 99)


class Percentiles(BaseModel):
    """Of so many turns, in ms; None where there were none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    turns: int
    p50_ms: int | None
    p90_ms: int | None
    p95_ms: int | None
    p99_ms: int | None


def percentile(values: Sequence[float], percent: int) -> float:
    """Nearest rank. Raises ValueError for no values."""
    if not values:
        raise ValueError("no values")
    return sorted(values)[max(math.ceil(len(values) * percent / 100), 1) - 1]


def percentiles(values: Sequence[int]) -> Percentiles:
    found = {f"p{p}_ms": int(percentile(values, p)) if values else None for p in PERCENTILES}
    return Percentiles(turns=len(values), **found)
