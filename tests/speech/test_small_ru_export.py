"""The files of the small model: what is written is what was learnt, and Vosk takes it."""

from __future__ import annotations

import math
import tarfile
from pathlib import Path

import numpy as np
import pytest

from bot.core.audio import Pcm
from bot.core.errors import Place
from bot.speech.recogniser import VoskRecogniser
from bot.speech.vocabulary import read_vocabulary
from bot.speech.wordgraph.packing import pack
from small_ru import graph, kaldi_model, kaldi_reader
from small_ru.kaldi_model import Acoustic, Affine
from small_ru.lexicon import LABELS, parse_word

LINES = ("д+а", "нет", "н+е weak", "од+ин", "одн+а")
WORDS = [parse_word(line, Place("words.txt")) for line in LINES]
LEXICON = [(word.text, said) for word in WORDS for said in word.said]


def acoustic(seed: int = 1) -> Acoustic:
    """Small and random: two hidden layers over 40 cepstra."""
    rng = np.random.default_rng(seed)

    def affine(offsets: tuple[int, ...], entering: int, leaving: int) -> Affine:
        weights = rng.standard_normal((leaving, entering * len(offsets))) / 20
        return Affine(offsets, weights.astype(np.float32), rng.standard_normal(leaving).astype(np.float32))

    priors = rng.uniform(0.01, 0.1, len(graph.OUTPUTS)).astype(np.float32)
    return Acoustic(
        phones=graph.GRAPH_PHONES,
        outputs=tuple(graph.OUTPUTS.index(graph.base(phone)) for phone in graph.GRAPH_PHONES),
        stays=tuple(0.3 + 0.001 * graph.OUTPUTS.index(graph.base(phone)) for phone in graph.GRAPH_PHONES),
        hidden=(affine((-2, -1, 0, 1, 2), 40, 12), affine((-3, 0, 3), 12, 16)),
        heads=(("output", affine((0,), 16, len(LABELS))), ("speech", affine((0,), 16, 2))),
        priors=priors,
        context=5,
    )


def test_an_acoustic_model_reads_back_as_it_was_written(tmp_path: Path) -> None:
    model, file = acoustic(), tmp_path / "final.mdl"
    kaldi_model.write(model, file)
    back = kaldi_reader.read(file)
    assert back.outputs == model.outputs
    assert back.stays == pytest.approx(model.stays, rel=1e-6)
    assert [layer.offsets for layer in back.hidden] == [(-2, -1, 0, 1, 2), (-3, 0, 3)]
    for wrote, read in zip(
        [*model.hidden, *(head for _, head in model.heads)],
        [*back.hidden, *(head for _, head in back.heads)],
        strict=True,
    ):
        assert np.array_equal(wrote.weights, read.weights)
        assert np.array_equal(wrote.bias, read.bias)
    features = np.random.default_rng(2).standard_normal((40, 40)).astype(np.float32)
    heard = kaldi_model.log_likelihoods(back, features)
    assert np.array_equal(heard, kaldi_model.log_likelihoods(model, features))
    assert heard.shape == (10, len(graph.OUTPUTS))
    shares = np.exp(heard + np.log(model.priors))
    assert np.allclose(shares[:, :-1].sum(axis=1), 1, atol=1e-5)  # the phones; beside them, speech at all
    assert np.all(shares[:, -1] < 1)


def test_halfway_between_two_networks_lie_all_of_their_numbers() -> None:
    one, other = acoustic(1), acoustic(3)
    mean = kaldi_model.halfway(one, other)
    for between, first, second in zip(
        [*mean.hidden, *(head for _, head in mean.heads)],
        [*one.hidden, *(head for _, head in one.heads)],
        [*other.hidden, *(head for _, head in other.heads)],
        strict=True,
    ):
        assert np.allclose(between.weights - first.weights, second.weights - between.weights, atol=1e-6)
        assert np.allclose(between.bias - first.bias, second.bias - between.bias, atol=1e-6)
    assert np.allclose(mean.priors, (one.priors + other.priors) / 2)
    assert mean.phones == one.phones


def test_another_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "final.mdl"
    kaldi_model.write(acoustic(), file)
    whole = file.read_bytes()
    text = whole.replace(b"\0B<", b"<", 1), whole.replace(b"<Triples>", b"<Tuples> ", 1), whole[:-30]
    for damaged in text:
        file.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"expected|ends"):
            kaldi_reader.read(file)


def test_a_phone_lasts_as_long_as_it_was_said() -> None:
    labels = np.repeat(np.array([0, 4, 9, 0], np.int8), [30, 12, 3, 30])
    stays = graph.durations([labels])
    assert stays[LABELS[4]] == pytest.approx(1 - 1 / 4)
    assert stays[LABELS[9]] == pytest.approx(0.15)
    assert (stays["SIL"], stays["GBG"]) == (0.9, 0.7)


def test_chances_of_words_are_chances() -> None:
    words = {"<eps>": 0, "да": 1, "нет": 2, "один": 3, "[unk]": 4}
    said = graph.bigrams(["да", "да нет", "нет", "один"], words)
    leaving: dict[int, float] = {}
    for arc in said.arcs:
        leaving[arc.source] = leaving.get(arc.source, 0.0) + math.exp(-arc.cost)
    back = next(arc for arc in said.arcs if arc.source == 0 and arc.output == 0)
    alone = {arc.output: math.exp(-arc.cost) for arc in said.arcs if arc.source == back.target}
    assert leaving[back.target] + math.exp(-said.finals[back.target]) == pytest.approx(1, abs=0.01)
    assert alone[1] > alone[3]
    assert set(alone) == {1, 2, 3, 4}
    (no_after_yes,) = (
        math.exp(-arc.cost) for arc in said.arcs if arc.output == 2 and arc.source not in (0, back.target)
    )
    assert no_after_yes > alone[2]


@pytest.mark.usefixtures("logs_as_before")
def test_an_unknown_word_is_expected_beside_another() -> None:
    words = {"<eps>": 0, "да": 1, "нет": 2, graph.UNKNOWN: 3}
    unknown = f"{graph.UNKNOWN} {graph.UNKNOWN}"
    chances = graph.bigrams(["да", "нет", "да нет"] * 10 + [unknown] * 10, words)
    after = {(arc.source, arc.output): arc for arc in chances.arcs}
    again = after[after[0, 3].target, 3]
    assert again.target == again.source
    shares = {arc.output: math.exp(-arc.cost) for arc in chances.arcs if arc.source == again.source}
    assert 0.4 < shares[3] < 0.6
    assert shares[0] < 0.2  # the way to any known word
    assert 0.4 < math.exp(-chances.finals[again.source]) < 0.6
    alone = {arc.output: arc.cost for arc in chances.arcs if arc.source == 1}
    without = graph.bigrams(["да", "нет", "да нет"] * 10, words)
    assert alone == {arc.output: arc.cost for arc in without.arcs if arc.source == 1}


def test_vosk_takes_the_folder_and_the_archive_is_the_same_each_time(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    stays = dict.fromkeys(graph.OUTPUTS, 0.5)
    graph.lay_out(folder, LEXICON, stays, ["да", "нет", "не один", "одна"])
    graph.set_scale(folder, 0.5)
    kaldi_model.write(acoustic(), folder / "am" / "final.mdl")
    assert read_vocabulary(folder) == {"да", "нет", "не", "один", "одна"}
    recogniser = VoskRecogniser(folder)
    try:
        noise = np.random.default_rng(3).normal(0, 2000, 8000).astype("<i2")
        heard = recogniser.transcribe(Pcm(noise.tobytes(), 8000))
    finally:
        recogniser.close()
    assert set(heard.text.split()) <= {"да", "нет", "не", "один", "одна", "[unk]"}
    archives = tmp_path / "one.tgz", tmp_path / "two.tgz"
    for archive in archives:
        pack(folder, archive, within="model_ru")
    assert archives[0].read_bytes() == archives[1].read_bytes()
    with tarfile.open(archives[0]) as held:
        assert "model_ru/am/final.mdl" in held.getnames()
