"""The opinion that follows from a phrase: shared by the judges whose machines speak."""

from __future__ import annotations

from bot.call.answering import phrases
from bot.call.answering.picture import Opinion, Picture, Weight
from bot.core.answerer import Answerer

COUNTING_AFTER_S = 4.0
"""«Один … два» are a menu's keys only in a greeting this long: people say numbers, too."""


def heard(picture: Picture, answerer: Answerer) -> Opinion | None:
    """The first phrase in `phrases.PHRASES` that was heard, if it is this answerer's."""
    for phrase in phrases.found(picture.words, picture.own):
        if picture.talking and not phrase.late:
            continue
        greeting = picture.greeting
        counts = phrase.stems == ("=один", "=два")
        if counts and (greeting is None or greeting.seconds < COUNTING_AFTER_S):
            continue
        if phrase.answerer is not answerer:
            return None
        return Opinion(answerer, Weight.WORDS, f"words: {phrase.name}", phrase.outcome)
    return None
