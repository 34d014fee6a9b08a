"""The telephone that the small model is taught through, what is no speech, and which phone is spoken when."""

from __future__ import annotations

import io
import random

import numpy as np
import pytest
import soundfile

from small_ru import aligning, nonspeech, telephony
from small_ru.gaussians import Mixtures
from small_ru.lexicon import LABELS
from small_ru.rutts import stress_behind

RNG = np.random.default_rng


def spoken(seconds: float) -> np.typing.NDArray[np.int16]:
    """A tone of 300 Hz at 16 kHz: loud enough, and easy to find again."""
    moments = np.arange(round(seconds * telephony.WIDE)) / telephony.WIDE
    return (8000 * np.sin(2 * np.pi * 300 * moments)).astype(np.int16)


@pytest.mark.parametrize(("law", "name"), [(telephony.a_law, "ALAW"), (telephony.mu_law, "ULAW")])
def test_companding_is_that_of_g711(law: object, name: str) -> None:
    sound = np.linspace(-30000, 30000, 4001)
    held = io.BytesIO()
    soundfile.write(held, sound.astype(np.int16), 8000, format="WAV", subtype=name)
    held.seek(0)
    right = soundfile.read(held, dtype="int16")[0].astype(float)
    assert callable(law)
    ours = law(sound)
    # The formula and the tables of the standard differ by less than a step, which is 1/16 of a value at most.
    assert np.all(np.abs(ours - right) <= np.maximum(np.abs(right) / 12, 24))
    error = np.sqrt(np.mean((ours - sound) ** 2) / np.mean(sound**2))
    assert 0.005 < error < 0.03


def test_the_same_seed_gives_the_same_call_and_another_one_another() -> None:
    babble = [RNG(1).standard_normal(8000) * 1000]
    first, again, other = (
        telephony.over_telephone(spoken(0.8), RNG(seed), babble, telephony.TRAINING) for seed in (5, 5, 6)
    )
    assert np.array_equal(first.sound, again.sound)
    assert len(first.sound) != len(other.sound)
    assert np.abs(first.sound).max() <= 32768


def test_labels_come_later_by_the_lead_and_faster_by_the_warp() -> None:
    said = np.repeat(np.array([0, 3, 7, 0], np.int8), [20, 40, 40, 20])
    slow = telephony.Received(np.zeros(0), warp=1.0, lead_s=0.25)
    assert np.array_equal(slow.labels(said, 200)[25:145], said)
    assert not slow.labels(said, 200)[145:].any()
    fast = telephony.Received(np.zeros(0), warp=1.25, lead_s=0.1).labels(said, 110)
    assert (fast == 3).sum() == 32
    assert list(np.flatnonzero(fast == 7)[[0, -1]]) == [58, 89]
    # A sentence that was cut short has the labels of what was left.
    assert np.array_equal(slow.labels(said, 60)[25:], said[:35])


def test_a_word_is_where_its_labels_say() -> None:
    quiet = telephony.Hardship(warp=(1.2, 1.2), least_snr_db=38.0)
    for seed in range(4):
        received = telephony.over_telephone(spoken(1.0), RNG(seed), (), quiet)
        frames = len(received.sound) // 80
        loud = np.sqrt(np.mean(received.sound[: frames * 80].reshape(frames, 80) ** 2, axis=1))
        labelled = np.flatnonzero(received.labels(np.full(100, 9, np.int8), frames))
        heard = np.flatnonzero(loud > loud.max() / 4)
        assert abs(heard[0] - labelled[0]) <= 2, seed
        assert abs(heard[-1] - labelled[-1]) <= 4, seed


@pytest.mark.parametrize("kind", sorted({kind.__name__ for kind in nonspeech._KINDS}))
def test_what_is_no_speech_is_made_in_the_range_of_a_line(kind: str) -> None:
    sound = nonspeech.piece(RNG(2), getattr(nonspeech, kind))
    assert len(sound) == round(nonspeech.PIECE_S * telephony.LINE)
    assert np.isfinite(sound).all()
    assert np.abs(sound).max() <= 32768
    assert (telephony.rms(sound) > 50) == (kind != "nothing")


def test_so_many_seconds_of_every_kind() -> None:
    made = list(nonspeech.pieces(72, 3))
    assert len(made) == 12
    assert all(np.array_equal(*pair) for pair in zip(made, nonspeech.pieces(72, 3), strict=True))


def test_a_mark_goes_behind_its_vowel_for_ru_tts() -> None:
    assert stress_behind("дев+ятка, на +адрес") == "девя+тка, на а+дрес"


def cluster(label: str, frames: int, rng: np.random.Generator) -> aligning.Features:
    """Frames of a phone in a world where each phone is a point of its own, and loud if it is no silence."""
    index = LABELS.index(label)
    centre = np.array([8.0 if index else -8.0, np.cos(index) * 6, np.sin(index) * 6, index % 7])
    return (centre + rng.standard_normal((frames, 4)) * 0.4).astype(np.float32)


def sentence(parts: list[tuple[str, int]], seed: int) -> aligning.Features:
    rng = RNG(seed)
    return np.concatenate([cluster(label, frames, rng) for label, frames in parts])


WORDS = {
    "да": [("d", "A")],
    "нет": [("nj", "E", "t")],
    "на": [("n", "A"), ("n", "a")],
    "ты": [("t", "Y")],
    "ада": [("a", "d", "a")],
}


def test_phones_are_found_where_they_were_spoken() -> None:
    """Also which way a word was said, and whether there was a pause before it."""
    sentences = []
    for seed in range(30):
        rng = random.Random(seed)
        ways = [WORDS[rng.choice(list(WORDS))] for _ in range(3)]
        order = ["SIL"]
        for word in ways:
            order += [*rng.choice(word), *(["SIL"] if rng.random() < 0.3 else [])]
        parts = [(label, rng.randint(5, 15)) for label in [*order, "SIL"]]
        sentences.append((sentence(parts, seed), ways, parts))
    mixtures, likelihoods = aligning.train([(features, said) for features, said, _ in sentences], passes=6)
    assert likelihoods[-1] > likelihoods[0]
    off = []
    for features, said, parts in sentences:
        found = aligning.viterbi(mixtures.likelihoods(features), of := aligning.chain(said))
        assert found is not None
        labels = of.density[found[0]] // aligning.STATES
        truth = np.concatenate([np.full(frames, LABELS.index(label)) for label, frames in parts])
        off.append(np.mean(labels != truth))
    assert np.mean(off) < 0.03, off


def test_a_sentence_shorter_than_its_states_has_no_path() -> None:
    of = aligning.chain([[("d", "A"), ("d", "a")]])
    assert aligning.viterbi(np.zeros((5, len(LABELS) * 3), np.float32), of) is None
    found = aligning.viterbi(np.zeros((6, len(LABELS) * 3), np.float32), of)
    assert found is not None
    assert len(found[0]) == 6


def test_mixtures_find_the_clusters_they_were_split_for() -> None:
    rng = RNG(8)
    frames = [np.concatenate([rng.normal(-3, 1, (400, 2)), rng.normal(4, 1, (400, 2))]).astype(np.float32)]
    owners = [np.zeros(800, np.int32)]
    mixtures = Mixtures.alike(2, frames).fitted(frames, owners)
    one = mixtures.likelihoods(frames[0])[:, 0].mean()
    mixtures = mixtures.split()
    for _ in range(12):
        mixtures = mixtures.fitted(frames, owners)
    assert mixtures.likelihoods(frames[0])[:, 0].mean() > one + 0.5
    assert np.allclose(np.sort(mixtures.means[0, :, 0]), [-3, 4], atol=0.2)
    # Nobody's frames move nothing.
    assert np.allclose(mixtures.variances[1, 0], frames[0].var(axis=0), rtol=1e-5)
