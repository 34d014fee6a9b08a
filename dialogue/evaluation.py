"""How well callers are understood: labelled sentences against what the NLU makes of them. Pure.

A file of sentences has three columns, parted by tabs: intent, topic (of a complaint, or empty) and
the words as a recogniser writes them. Lines that begin with # are comments.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.core.directives import Understood
from bot.core.errors import BadInput, Place
from bot.core.intents import Intent, Topic
from bot.surveys.words import split

NOTHING = Understood(intent=Intent.OUT_OF_SCOPE, confidence=0.0)


@dataclass(frozen=True, slots=True)
class Sentence:
    text: str
    intent: Intent
    topic: Topic | None = None


@dataclass(frozen=True, slots=True)
class Scores:
    """Precision, recall and their harmonic mean of one intent; `support` is how many there are."""

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What became of each sentence."""

    results: tuple[tuple[Sentence, Understood], ...]

    @property
    def confusion(self) -> Counter[tuple[Intent, Intent]]:
        """(meant, understood) -> sentences."""
        return Counter((sentence.intent, found.intent) for sentence, found in self.results)

    @property
    def intents(self) -> list[Intent]:
        """Those that were meant at least once, in the order of `Intent`."""
        meant = {sentence.intent for sentence, _ in self.results}
        return [intent for intent in Intent if intent in meant]

    def scores(self, intent: Intent) -> Scores:
        confusion = self.confusion
        right = confusion[intent, intent]
        meant = sum(count for (said, _), count in confusion.items() if said is intent)
        found = sum(count for (_, heard), count in confusion.items() if heard is intent)
        return Scores(
            precision=_ratio(right, found),
            recall=_ratio(right, meant),
            f1=_ratio(2 * right, meant + found),
            support=meant,
        )

    @property
    def macro_f1(self) -> float:
        """The mean of the F1 of all intents that were meant."""
        return _ratio(sum(self.scores(intent).f1 for intent in self.intents), len(self.intents))

    @property
    def topic_accuracy(self) -> float:
        """Share of right topics among the complaints that were understood as complaints."""
        pairs = [
            (sentence.topic, found.topic)
            for sentence, found in self.results
            if sentence.intent is found.intent is Intent.COMPLAIN
        ]
        return _ratio(sum(meant is found for meant, found in pairs), len(pairs))

    def taken_for(self, meant: Intent, found: Intent) -> int:
        """How many sentences that meant one intent were understood as another."""
        return self.confusion[meant, found]

    @property
    def mistakes(self) -> list[tuple[Sentence, Understood]]:
        return [(said, found) for said, found in self.results if said.intent is not found.intent]


def evaluate(sentences: Sequence[Sentence], found: Iterable[Understood | None]) -> Evaluation:
    return Evaluation(tuple((said, got or NOTHING) for said, got in zip(sentences, found, strict=True)))


def folded(text: str) -> str:
    """A sentence as sentences are compared: its words in lower case, ё as е, without punctuation."""
    return " ".join(split(text))


def never_trained(sentences: Iterable[Sentence], trained: Collection[str]) -> list[Sentence]:
    """Without those that stand in the training data (`folded`): what was learnt by heart tells nothing.

    Stock phrases («да», «кто это», «до свидания») can be left out of no training data.
    """
    return [sentence for sentence in sentences if folded(sentence.text) not in trained]


def read_sentences(path: Path) -> list[Sentence]:
    """Raises BadInput with the line of whatever is wrong."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"не читается: {error}", place=Place(str(path))) from error
    return [
        _sentence(line, Place(str(path), number))
        for number, line in enumerate(lines, 1)
        if line.strip() and not line.startswith("#")
    ]


def _sentence(line: str, place: Place) -> Sentence:
    columns = line.split("\t")
    if len(columns) != 3 or not columns[2].strip():
        raise BadInput("нужны три столбца через табуляцию: intent, topic, слова", place=place)
    intent, topic, text = columns
    try:
        return Sentence(text.strip(), Intent(intent), Topic(topic) if topic else None)
    except ValueError as error:
        raise BadInput(f"{error}", hint=f"intent: {', '.join(Intent)}", place=place) from error


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
