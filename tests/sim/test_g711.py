from __future__ import annotations

import numpy as np
import pytest

from bot.sim.g711 import decode, encode

EVERY_SAMPLE = np.arange(-32768, 32768).astype(np.int16)
EVERY_CODE = bytes(range(256))


def test_known_codes() -> None:
    # ITU-T G.711, tables 1a and 2a: the largest value, zero and the smallest of each law.
    assert decode("PCMA", b"\xaa\x2a\xd5\x55").tolist() == [32256, -32256, 8, -8]
    assert decode("PCMU", b"\x80\x00\xff\x7f").tolist() == [32124, -32124, 0, 0]
    assert encode("PCMA", np.array([32767, -32768, 0, -1], np.int16)) == b"\xaa\x2a\xd5\x55"
    assert encode("PCMU", np.array([32767, -32768, 0], np.int16)) == b"\x80\x00\xff"


@pytest.mark.parametrize("codec", ["PCMA", "PCMU"])
def test_every_code_survives_decoding_and_encoding(codec: str) -> None:
    values = decode(codec, EVERY_CODE)
    assert (decode(codec, encode(codec, values)) == values).all()


@pytest.mark.parametrize("codec", ["PCMA", "PCMU"])
def test_every_sample_is_kept_to_half_an_interval_and_in_order(codec: str) -> None:
    decoded = decode(codec, encode(codec, EVERY_SAMPLE)).astype(np.int64)
    samples = EVERY_SAMPLE.astype(np.int64)
    # 16 intervals a segment: half of one is a 32nd of the segment's beginning.
    assert (abs(decoded - samples) <= np.maximum((abs(samples) + 132) / 32, 8) + 1).all()
    assert (np.diff(decoded) >= 0).all()
