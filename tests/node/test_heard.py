"""The measure by which other tests tell whether a sentence was heard."""

from __future__ import annotations

import numpy as np
import pytest

from bot.sim.g711 import RATE, decode, encode
from bot.sim.sounds import read_clip
from tests.node.heard import ANOTHER, SAME, Sound, place_of
from tests.node.test_calls import AUDIO

SENTENCES = {
    path.name: clip for path in sorted(AUDIO.glob("*_elena.wav")) if (clip := read_clip(path)).size > RATE
}
"""Of one voice, and longer than a second: «девять» and «десять» are half the same."""

HOLE = np.zeros(RATE // 50, np.int16)


def embedded(clip: Sound, *holes: int) -> Sound:
    """A clip after a second of faint noise, through A-law, moved by 20 ms at each of these places."""
    noise = np.random.default_rng(1).normal(0, 30, RATE).astype(np.int16)
    pieces = np.split(clip, holes)
    torn = np.concatenate([noise, *(np.concatenate([piece, HOLE]) for piece in pieces), noise])
    return decode("PCMA", encode("PCMA", torn))


@pytest.mark.parametrize("name", SENTENCES)
def test_a_sentence_is_found_where_it_is(name: str) -> None:
    clip = SENTENCES[name]
    found = place_of(clip, embedded(clip))
    assert found.likeness > 0.95
    assert found.at_s == pytest.approx(1.0, abs=0.002)
    assert place_of(clip, embedded(clip, clip.size // 3, clip.size // 2)).likeness > SAME


@pytest.mark.parametrize("name", SENTENCES)
def test_another_sentence_of_the_same_voice_is_not_taken_for_it(name: str) -> None:
    others = [clip for other, clip in SENTENCES.items() if other != name]
    assert place_of(SENTENCES[name], np.concatenate(others)).likeness < ANOTHER


def test_silence_is_like_nothing() -> None:
    clip = SENTENCES["039_elena.wav"]
    assert place_of(clip, np.zeros(3 * RATE, np.int16)).likeness == 0
    assert place_of(clip, clip[:100]).likeness == 0
