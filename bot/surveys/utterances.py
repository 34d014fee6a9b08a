"""What a caller may say beside answers that some condition of a survey listens for."""

from __future__ import annotations

from collections.abc import Iterator

from bot.core.context import TurnSource, UserTurn
from bot.core.intents import Intent, Topic
from bot.surveys.answer_classes import comparisons_of, conditions_of
from bot.surveys.conditions import COMPLAINT, SignalIs
from bot.surveys.dictionary import ANY_END, ONLY_SO
from bot.surveys.lexicon import find
from bot.surveys.schema import Survey


def utterances(survey: Survey) -> Iterator[tuple[str, UserTurn]]:
    """Each once, by its name: `complain:waiting`, an intent, or the signal that its words raise."""
    topics: set[Topic] = set()
    intents: set[Intent] = set()
    for condition in conditions_of(survey):
        if isinstance(condition, SignalIs) and condition.signal == COMPLAINT:
            topics.add(condition.topic or Topic.OTHER)
    for comparison in comparisons_of(survey):
        names = {str(value) for value in comparison.values}
        if comparison.symbol == "topics":
            topics |= {topic for topic in Topic if topic in names}
        elif comparison.symbol == "intents":
            intents |= {intent for intent in Intent if intent in names}
        elif comparison.symbol == "signals" and COMPLAINT in names and not topics:
            topics.add(Topic.OTHER)
    if topics:
        intents.discard(Intent.COMPLAIN)  # a complaint about something is one
    for topic in sorted(topics):
        yield f"{Intent.COMPLAIN.value}:{topic.value}", says(Intent.COMPLAIN, topic)
    for intent in sorted(intents):
        about = Topic.OTHER if intent is Intent.COMPLAIN else None
        yield f"{intent.value}:{about.value}" if about else intent.value, says(intent, about)
    yield from _by_words(survey)


def says(intent: Intent, topic: Topic | None = None) -> UserTurn:
    """Words that are no answer to anything, with what the NLU makes of them."""
    return UserTurn(
        source=TurnSource.SPEECH, text=intent.name.title(), intent=intent, intent_confidence=1.0, topic=topic
    )


def signals_read(survey: Survey) -> set[str]:
    """The names of the signals that conditions ask about."""
    return {
        str(value) for each in comparisons_of(survey) if each.symbol == "signals" for value in each.values
    }


def _by_words(survey: Survey) -> Iterator[tuple[str, UserTurn]]:
    """Words that raise a signal of a dictionary; complaints are said with their intent already."""
    read = signals_read(survey) - {COMPLAINT}
    told: set[str] = set()
    for dictionary in survey.dictionaries:
        for words in dictionary.lists:
            if words.signal not in read - told:
                continue
            for phrase in words.words:
                text = phrase.replace(ANY_END, "").replace(ONLY_SO, "")
                signals = {found.list.signal for found in find(survey.dictionaries, text)}
                if signals == {words.signal}:
                    told.add(words.signal)
                    yield words.signal, UserTurn(source=TurnSource.SPEECH, text=text)
                    break
