"""G.711 by table: 8-bit A-law and mu-law to and from 16-bit samples (ITU-T G.711)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]

RATE = 8000
"""Samples a second of both laws."""

_ALAW_INVERT = 0x55  # even bits are sent inverted
_MULAW_BIAS = 0x84
_MULAW_CLIP = 32635


def _bit_length(values: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.frexp(values.astype(np.float64))[1].astype(np.int64)


def _alaw_decoding() -> Samples:
    codes = np.arange(256) ^ _ALAW_INVERT
    exponent, mantissa = (codes >> 4) & 7, codes & 15
    low = (mantissa << 4) + 8
    magnitude = np.where(exponent == 0, low, (low + 0x100) << np.maximum(exponent - 1, 0))
    return np.where(codes & 0x80, magnitude, -magnitude).astype(np.int16)


def _mulaw_decoding() -> Samples:
    codes = ~np.arange(256) & 0xFF
    exponent, mantissa = (codes >> 4) & 7, codes & 15
    magnitude = (((mantissa << 3) + _MULAW_BIAS) << exponent) - _MULAW_BIAS
    return np.where(codes & 0x80, -magnitude, magnitude).astype(np.int16)


def _alaw_encoding() -> NDArray[np.uint8]:
    values = np.arange(65536).astype(np.uint16).view(np.int16).astype(np.int64)
    magnitude = np.where(values >= 0, values, -values - 1) >> 4
    exponent = np.maximum(_bit_length(magnitude) - 4, 0)
    mantissa = (magnitude >> np.maximum(exponent - 1, 0)) & 15
    sign = np.where(values >= 0, 0x80, 0)
    codes: NDArray[np.uint8] = ((sign | exponent << 4 | mantissa) ^ _ALAW_INVERT).astype(np.uint8)
    return codes


def _mulaw_encoding() -> NDArray[np.uint8]:
    values = np.arange(65536).astype(np.uint16).view(np.int16).astype(np.int64)
    magnitude = np.minimum(np.abs(values), _MULAW_CLIP) + _MULAW_BIAS
    exponent = _bit_length(magnitude) - 8
    mantissa = (magnitude >> (exponent + 3)) & 15
    sign = np.where(values < 0, 0x80, 0)
    codes: NDArray[np.uint8] = (~(sign | exponent << 4 | mantissa) & 0xFF).astype(np.uint8)
    return codes


_DECODING = {"PCMA": _alaw_decoding(), "PCMU": _mulaw_decoding()}
_ENCODING = {"PCMA": _alaw_encoding(), "PCMU": _mulaw_encoding()}


def decode(codec: str, payload: bytes) -> Samples:
    """`codec` is `PCMA` or `PCMU`."""
    return _DECODING[codec][np.frombuffer(payload, np.uint8)]


def encode(codec: str, samples: Samples) -> bytes:
    return _ENCODING[codec][samples.view(np.uint16)].tobytes()
