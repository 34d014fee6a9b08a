"""Runtime grammars: the words that a closed question listens for.

Vosk makes a bigram over the words of these phrases, not a list of sentences. A grammar always
holds the interruptions, so that a closed question is never deaf to a complaint, a wish for a
person or «не звоните».
"""

from __future__ import annotations

from bot.core.directives import (
    ChoiceExpected,
    ConfirmExpected,
    DateExpected,
    Expectation,
    MultiChoiceExpected,
    NumberExpected,
    OpenExpected,
    ScaleExpected,
    YesNoExpected,
)
from bot.speech.grammar_words import BY_LANGUAGE
from bot.surveys.words import UNKNOWN


def phrases_for(
    expectation: Expectation | None, vocabulary: frozenset[str], language: str = "ru"
) -> tuple[str, ...] | None:
    """The phrases of a runtime grammar; None where the model listens openly.

    That is at open questions, at numbers and dates, whose words are too many for a bigram, and in a language
    whose words are not known here.

    Words that the model lacks are left out when `vocabulary` tells which it has; `[unk]` stands
    for everything else if the model knows it.
    """
    words = BY_LANGUAGE.get(language)
    if words is None:
        return None
    confirming = isinstance(expectation, ConfirmExpected)
    numbers = tuple(word for number in words.numbers for word in number)
    match expectation.of if isinstance(expectation, ConfirmExpected) else expectation:
        case None | OpenExpected() | NumberExpected() | DateExpected():
            return None
        case ScaleExpected(low=low, high=high, labels=labels):
            if low < 0 or high >= len(words.numbers):
                return None
            spoken = (phrase.lower() for label in labels for phrase in label.say)
            phrases = (*numbers, *words.around_numbers, *spoken)  # 11 of 10 is heard, then refused
        case YesNoExpected():
            phrases = words.yes_no
        case ChoiceExpected(options=options):
            spoken = (phrase.lower() for option in options for phrase in option.say)
            phrases = (*spoken, *numbers)
        case MultiChoiceExpected(options=options):
            spoken = (phrase.lower() for option in options for phrase in option.say)
            phrases = (*spoken, *numbers, *words.several)
    if confirming:
        phrases = (*phrases, *words.yes_no, *words.confirming)
    known = tuple(_known(phrase, vocabulary) for phrase in (*phrases, *words.interruptions))
    return (*dict.fromkeys(phrase for phrase in known if phrase), UNKNOWN)


def _known(phrase: str, vocabulary: frozenset[str]) -> str:
    if not vocabulary:
        return phrase
    return " ".join(word for word in phrase.split() if word in vocabulary)
