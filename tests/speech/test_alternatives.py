"""Alternatives weighed by the question, as a rule of its own and with a model that takes no grammar."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.directives import (
    ChoiceExpected,
    ChoiceOption,
    ConfirmExpected,
    Expectation,
    OpenExpected,
    ScaleExpected,
    YesNoExpected,
)
from bot.speech.alternatives import EXPECTED, Alternative, likeliest
from bot.speech.endpointing.completeness import fits
from bot.speech.heard import HeardWord
from bot.speech.recogniser import VoskRecogniser
from bot.speech.settings import RecogniserSettings
from bot.speech.wordgraph.fst import Graph, fst, read_graph, write_graph
from tests.speech.sounds import around, clip, frames, silent_frame, sound_of, with_noise

NPS = ScaleExpected(low=0, high=10)


def said(text: str, score: float) -> Alternative:
    words = text.split()
    return Alternative(
        score, tuple(HeardWord(word=word, start=n, end=n + 0.9) for n, word in enumerate(words))
    )


sentences = st.lists(st.sampled_from(["да", "два", "ноль", "[unk]", "мебель"]), max_size=3).map(" ".join)
alternatives = st.lists(st.builds(said, sentences, st.floats(-40, 40)), min_size=1, max_size=8)
questions = st.sampled_from([frozenset[str](), frozenset({"да"}), frozenset({"два", "ноль"})])


@given(alternatives, questions)
def test_none_is_preferred_to_a_much_likelier_one_and_none_is_made_up(
    found: list[Alternative], expected: frozenset[str]
) -> None:
    taken = likeliest(found, expected.__contains__)
    assert (taken.score, taken.text) in [(each.score, each.text) for each in found]
    best = max(found, key=lambda each: each.score)
    assert taken.score >= best.score - EXPECTED
    if taken.text != best.text:
        assert taken.text in expected
        assert best.text not in expected
    if not set(best.text.split()) - {"[unk]"}:
        assert taken.text == best.text  # silence and noise stay what they are


def _tied(found: list[Alternative]) -> bool:
    """Whether scores lie so near to one another, or to what an expectation adds, that rounding decides."""
    apart = [abs(one.score - other.score) for one, other in combinations(found, 2)]
    return any(each < 1e-6 or abs(each - EXPECTED) < 1e-6 for each in apart)


@given(alternatives, questions, st.floats(-100, 100))
def test_only_differences_of_scores_count(
    found: list[Alternative], expected: frozenset[str], shift: float
) -> None:
    moved = [Alternative(each.score + shift, each.words) for each in found]
    mine, other = likeliest(found, expected.__contains__), likeliest(moved, expected.__contains__)
    assert other.score - shift == pytest.approx(mine.score, abs=1e-9) or _tied(found)


@given(alternatives, questions)
def test_a_word_is_as_sure_as_the_alternatives_that_hold_it(
    found: list[Alternative], expected: frozenset[str]
) -> None:
    taken = likeliest(found, expected.__contains__)
    assert all(0.0 < word.conf <= 1.0 + 1e-9 for word in taken.words)
    if all(each.text == taken.text for each in found):
        assert all(word.conf == pytest.approx(1.0) for word in taken.words)


def test_a_question_decides_between_words_that_sound_alike() -> None:
    heard = [said("два", 15.0), said("да", 14.0)]
    assert likeliest(heard, lambda text: fits(NPS, text)).text == "два"
    agreed = likeliest(heard, lambda text: fits(YesNoExpected(), text))
    assert agreed.text == "да"
    assert agreed.words[0].conf == pytest.approx(0.88, abs=0.01)  # e to the 14 + 3 against e to the 15
    assert (
        likeliest([said("два", 18.0), said("да", 14.0)], lambda text: fits(YesNoExpected(), text)).text
        == "два"
    )


CHOICE = ChoiceExpected(options=(ChoiceOption(id="price", say=("цена",)),))


@pytest.mark.parametrize(
    ("expectation", "text", "fit"),
    [
        (NPS, "девять", True),
        (NPS, "nine", True),
        (NPS, "соедините с оператором", True),
        (NPS, "двенадцать", False),
        (NPS, "кол отлично спасибо большое", False),  # an answer would be made of a story
        (NPS, "[unk]", False),
        (NPS, "", False),
        (CHOICE, "цена", True),
        (CHOICE, "сцена", False),
        (ConfirmExpected(of=NPS, candidates=(7,)), "да", True),
    ],
)
def test_what_fits_a_question(expectation: Expectation, text: str, fit: bool) -> None:
    assert fits(expectation, text) is fit


@pytest.fixture(scope="module")
def static(model_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[VoskRecogniser]:
    """The model that ships with its two graphs made one, as the large official models come: it takes no
    runtime grammar. OpenFst is the real one."""
    folder = tmp_path_factory.mktemp("static") / "model"
    shutil.copytree(model_path, folder)
    graph = folder / "graph"
    fst("fstcompose", *(str(graph / name) for name in ("HCLr.fst", "Gr.fst", "whole.fst")))
    marks = {int(line) for line in (graph / "disambig_tid.int").read_text().split()}
    whole = read_graph(graph / "whole.fst")
    arcs = [arc._replace(input=0) if arc.input in marks else arc for arc in whole.arcs]
    write_graph(Graph(arcs, whole.finals), arcs[0].source, graph / "whole.fst")
    fst("fstconvert", "--fst_type=const", str(graph / "whole.fst"), str(graph / "HCLG.fst"))
    for name in ("HCLr.fst", "Gr.fst"):
        (graph / name).unlink()
    made = VoskRecogniser(folder, RecogniserSettings(grammar=True, feed_wait_s=5.0))
    yield made
    made.close()


async def test_a_model_without_grammars_is_helped_by_the_question(static: VoskRecogniser) -> None:
    assert not static.takes_grammars
    noisy = with_noise(sound_of(clip("022_elena").path), -26.0, seed=2)
    heard = around(noisy, 0.1, 0.4)
    assert static.transcribe(heard).text != "да решили"
    assert static.transcribe(heard, YesNoExpected()).text == "да решили"
    stream = static.open(8000, YesNoExpected())
    for frame in frames(heard, at=60.0):
        await stream.feed(frame)
    found = await stream.finish()
    assert found.text == "да решили"
    assert 60.0 < found.words[0].start < found.words[-1].end < 60.0 + heard.seconds
    assert all(0.3 < word.confidence <= 1.0 for word in found.words)


async def test_what_it_hears_well_stays_as_it_is(static: VoskRecogniser) -> None:
    """Answers, wishes and stories, at a question that they do not belong to as well."""
    for name in ("009_nsh", "020_elena", "039_nsh", "056_elena"):
        sound = around(sound_of(clip(name).path), 0.1, 0.4)
        for expectation in (NPS, YesNoExpected(), OpenExpected(), None):
            assert static.transcribe(sound, expectation).text == clip(name).text
    stream = static.open(8000, NPS)
    for index in range(50):
        assert await stream.feed(silent_frame(index * 0.02)) == ""
    assert await stream.settle() == ""
    assert (await stream.finish()).words == ()
