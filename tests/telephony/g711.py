"""G.711 for the test peers: a codec of our own, so that the stack's is not checked against itself."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def _a_law() -> NDArray[np.int32]:
    """What each A-law byte means (ITU-T G.711, table 1)."""
    code = np.arange(256) ^ 0x55
    exponent, mantissa = (code >> 4) & 7, code & 15
    magnitude = np.where(
        exponent == 0, (mantissa << 4) + 8, ((mantissa << 4) + 0x108) << np.maximum(exponent - 1, 0)
    )
    return np.where(code & 0x80, magnitude, -magnitude)


def _mu_law() -> NDArray[np.int32]:
    """What each mu-law byte means (ITU-T G.711, table 2)."""
    code = ~np.arange(256) & 0xFF
    exponent, mantissa = (code >> 4) & 7, code & 15
    magnitude = (((mantissa << 3) + 0x84) << exponent) - 0x84
    return np.where(code & 0x80, -magnitude, magnitude)


_TABLES = {"PCMA": _a_law(), "PCMU": _mu_law()}


def decode(codec: str, payload: bytes) -> bytes:
    return _TABLES[codec][np.frombuffer(payload, np.uint8)].astype("<i2").tobytes()


def encode(codec: str, pcm: bytes) -> bytes:
    """Each sample becomes the nearest value that the law has."""
    table = _TABLES[codec]
    order = np.argsort(table)
    levels = table[order]
    sound = np.frombuffer(pcm, "<i2").astype(np.int32)
    right = np.clip(np.searchsorted(levels, sound), 1, 255)
    nearest = np.where(sound - levels[right - 1] <= levels[right] - sound, right - 1, right)
    return order[nearest].astype(np.uint8).tobytes()
