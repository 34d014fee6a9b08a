"""All that is said in a rebuild: the vocabulary, other words, and the sentences that consist of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

from small_ru.lexicon import Pronunciation, Word, read_words
from small_ru.phrases import Phrases, first_words, read_lines, read_nlu, read_phrases
from small_ru.plan import PROJECT, TEXTS

_HELD_WORDS = 5
"""Each fifth unknown word is kept for tuning and test."""


@dataclass(frozen=True, slots=True)
class Texts:
    """`words` are the vocabulary; `said` and `marked` tell of these and of all other words how they sound
    and where their stress is. `held` has unknown words that `training` has not."""

    words: Mapping[str, Word]
    said: Mapping[str, tuple[Pronunciation, ...]]
    marked: Mapping[str, str]
    training: Phrases
    held: Phrases

    @classmethod
    def read(cls, count: int) -> Self:
        """With so many words, 0 for all. Raises BadInput (a line of the texts that is no word)."""
        every, other = read_words(TEXTS / "words.txt"), read_words(TEXTS / "other_words.txt")
        words = {word: every[word] for word in first_words(list(every), count)}
        whole = other | words
        texts = [*read_phrases(TEXTS / "phrases"), *read_lines(PROJECT / "models/words/phrases.txt")]
        texts += read_nlu(PROJECT / "dialogue/data/nlu")
        unknown = [word for word in other if word not in words]
        held = unknown[::_HELD_WORDS]
        training = Phrases.of(words, texts, [word for word in unknown if word not in set(held)])
        return cls(
            words=words,
            said={text: word.said for text, word in whole.items()},
            marked={text: word.marked for text, word in whole.items()},
            training=training,
            held=replace(training, unknown=tuple(held)),
        )
