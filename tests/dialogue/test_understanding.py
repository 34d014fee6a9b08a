"""How well callers are understood, measured on sentences that were never trained."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from pathlib import Path

import aiohttp
import pytest
from ruamel.yaml import YAML

from bot.core.intents import Intent, Topic
from bot.surveys.understanding import understand
from bot.surveys.wishes import LEAST_INTENT_CONFIDENCE
from dialogue.evaluation import (
    Evaluation,
    Sentence,
    evaluate,
    folded,
    never_trained,
    read_sentences,
)
from dialogue.launch import FOLDER
from dialogue.running import RunningDialogue
from dialogue.training import trained_sentences

SENTENCES = Path(__file__).parent.parent / "data" / "nlu"
HARMLESS = {
    Intent.OUT_OF_SCOPE,
    Intent.INFORM,
    Intent.ANSWER_SCORE,
    Intent.AFFIRM,
    Intent.DENY,
    Intent.PRAISE,
}


def trained_examples() -> dict[str, set[str]]:
    """Intent -> its sentences in the training data."""
    examples: dict[str, set[str]] = {}
    for path in (FOLDER / "data" / "nlu").glob("*.yml"):
        for entry in YAML(typ="safe").load(path.read_text(encoding="utf-8"))["nlu"]:
            lines = {line.removeprefix("- ").strip() for line in entry["examples"].splitlines()}
            examples.setdefault(entry["intent"], set()).update(lines)
    return examples


def parsed(
    servers: RunningDialogue, http: aiohttp.ClientSession, text: str
) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
    return http.post(f"{servers.rasa_url}/model/parse", json={"text": text}, headers=servers.headers)


async def measured(
    sentences: list[Sentence], servers: RunningDialogue, http: aiohttp.ClientSession
) -> Evaluation:
    found = []
    for sentence in sentences:
        async with parsed(servers, http, sentence.text) as reply:
            found.append(understand(await reply.json()))
    return evaluate(sentences, found)


async def test_held_out_sentences_are_understood(
    servers: RunningDialogue, http: aiohttp.ClientSession
) -> None:
    """The issue's own bars, on sentences that were never trained."""
    held_out = never_trained(read_sentences(SENTENCES / "held_out_0_3.tsv"), trained_sentences())
    result = await measured(held_out, servers, http)
    complaints = result.scores(Intent.COMPLAIN)
    print(len(held_out), result.macro_f1, complaints, result.topic_accuracy)  # noqa: T201  for -s
    assert len(held_out) >= 500
    assert set(result.intents) == set(Intent)
    assert result.macro_f1 >= 0.93
    assert complaints.recall >= 0.95
    assert complaints.precision >= 0.93
    assert result.topic_accuracy >= 0.85
    assert result.scores(Intent.OPT_OUT).recall >= 0.95
    assert result.taken_for(Intent.PRAISE, Intent.COMPLAIN) == 0


def test_what_was_trained_is_left_out_however_it_is_written() -> None:
    trained = trained_sentences()
    known = next(iter(trained_examples()["complain_waiting"]))
    written = (known, known.upper().replace("ё", "е").replace("Ё", "Е"), f"  {known}!", f"{known} зюзя")
    kept = never_trained([Sentence(text, Intent.COMPLAIN) for text in written], trained)
    assert [sentence.text for sentence in kept] == [written[-1]]
    sentences = read_sentences(SENTENCES / "held_out_0_3.tsv")
    left = never_trained(sentences, trained)
    assert not {folded(sentence.text) for sentence in left} & trained
    assert len(sentences) - len(left) == sum(folded(each.text) in trained for each in sentences) > 0


async def test_nonsense_moves_nothing(servers: RunningDialogue, http: aiohttp.ClientSession) -> None:
    result = await measured(read_sentences(SENTENCES / "nonsense.tsv"), servers, http)
    moved = [
        (said.text, found)
        for said, found in result.results
        if found.intent not in HARMLESS and found.confidence >= LEAST_INTENT_CONFIDENCE
    ]
    assert not moved


def test_every_intent_has_enough_examples_of_its_own() -> None:
    examples = trained_examples()
    expected = {intent.value for intent in Intent} - {"complain"} | {f"complain_{topic}" for topic in Topic}
    assert set(examples) == expected
    assert min(map(len, examples.values())) >= 60
    assert sum(map(len, examples.values())) == len(set().union(*examples.values()))


@pytest.mark.parametrize(
    "text", ["я не жалуюсь", "грубости не было", "никто не хамил", "претензий нет", "ждать не пришлось"]
)
async def test_a_denied_complaint_is_none(
    text: str, servers: RunningDialogue, http: aiohttp.ClientSession
) -> None:
    async with parsed(servers, http, text) as reply:
        found = understand(await reply.json())
    assert found is not None
    assert found.intent is Intent.PRAISE


@pytest.mark.parametrize(
    ("one", "other"), [("всё ещё не решён", "все еще не решен"), ("четвёрка", "четверка")]
)
async def test_yo_and_ye_are_one_letter(
    one: str, other: str, servers: RunningDialogue, http: aiohttp.ClientSession
) -> None:
    rankings = []
    for text in (one, other):
        async with parsed(servers, http, text) as reply:
            rankings.append((await reply.json())["intent_ranking"])
    assert rankings[0] == rankings[1]
