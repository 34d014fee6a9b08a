"""What a turn's words and timing tell beside an answer: complaints, anger, that it is not the first time.

The NLU decides whether it is a complaint; the dictionaries decide what about where it is unsure, and
add signals of their own. Timing tells anger only where somebody breaks in on questions again and again
without answering them; the sound of a voice tells nothing here.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.core.context import TurnSource, UserTurn
from bot.core.intents import Intent, Topic
from bot.surveys.conditions import ANGRY, COMPLAINT
from bot.surveys.draft import Draft
from bot.surveys.lexicon import Found, find
from bot.surveys.schema import Survey
from bot.surveys.wishes import LEAST_INTENT_CONFIDENCE, was_heard
from bot.surveys.words import UNKNOWN, split

SURE_OF_TOPIC = 0.75
"""A complaint of which the NLU is less sure is about what the words say, where they say something."""

_NOT_WITH = frozenset((Intent.PRAISE, Intent.OPT_OUT, Intent.WRONG_PERSON))
"""Beside one of these, if the NLU is sure of it, words of a complaint are no complaint."""


@dataclass(frozen=True, slots=True)
class Heard:
    """The phrases of the survey's dictionaries in one turn."""

    complaints: tuple[Found, ...] = ()
    others: tuple[Found, ...] = ()

    @property
    def topics(self) -> tuple[Topic, ...]:
        """What the complaints are about; OTHER only where nothing plainer was said."""
        found = tuple(dict.fromkeys(each.list.topic for each in self.complaints if each.list.topic))
        return tuple(topic for topic in found if topic is not Topic.OTHER) or found

    def without(self, topic: Topic) -> Heard:
        return Heard(tuple(each for each in self.complaints if each.list.topic is not topic), self.others)


NOTHING = Heard()


def heard_in(survey: Survey, turn: UserTurn) -> Heard:
    """The phrases in a turn's words; none in noise that was taken for words."""
    if not survey.dictionaries or turn.source is not TurnSource.SPEECH or not was_heard(turn):
        return NOTHING
    found = find(survey.dictionaries, turn.text)
    complaints = tuple(each for each in found if each.list.signal == COMPLAINT)
    others = tuple(each for each in found if each.list.signal != COMPLAINT)
    if turn.intent in _NOT_WITH and turn.intent_confidence >= LEAST_INTENT_CONFIDENCE:
        complaints = ()
    return Heard(complaints, others)


def notice(draft: Draft, turn: UserTurn, heard: Heard, *, complained: bool, asked: bool = False) -> bool:
    """Raise what the words say; whether that is more than the NLU's complaint.

    `complained` says that the NLU found a complaint; `asked` that the caller was asked to tell what is
    wrong, so that to say so again is no anger.
    """
    before = {(signal.name, signal.topic) for signal in draft.state.signals}
    said: dict[Topic | None, tuple[str, str]] = {}
    if complained:
        said[_topic(turn, heard)] = ("intent:complain", turn.text)
    for found in heard.complaints:
        if found.list.topic in heard.topics:
            said.setdefault(found.list.topic, (found.rule, found.words))
    told = False
    for topic, (rule, words) in said.items():
        of_words = rule != "intent:complain"
        if of_words and (COMPLAINT, topic) in before:
            continue
        draft.signal(COMPLAINT, rule, topic, words)
        told = told or of_words
    for found in heard.others:
        told = _once(draft, found.list.signal, found.rule, found.words) or told
    again = any((COMPLAINT, topic) in before for topic in said if topic not in (None, Topic.OTHER))
    if again and not asked and draft.survey.signals is not None:
        told = _once(draft, ANGRY, f"{ANGRY}:again", turn.text) or told
    return told


def _topic(turn: UserTurn, heard: Heard) -> Topic | None:
    """What a complaint is about: by the NLU, or by the words where it is unsure."""
    unsure = turn.topic in (None, Topic.OTHER) or turn.intent_confidence < SURE_OF_TOPIC
    if not heard.topics or not unsure or turn.topic in heard.topics:
        return turn.topic
    return heard.topics[0]


def interrupted(draft: Draft, turn: UserTurn) -> bool:
    """Count a turn that answered nothing and began before the question was heard out; whether so many of
    them are a sign of anger now."""
    listening = draft.survey.signals
    early = turn.source is TurnSource.SPEECH and turn.after_s is not None and not turn.question_heard
    if listening is None or not early or not set(split(turn.text)) - {UNKNOWN}:
        return False
    draft.update(interruptions=draft.state.interruptions + 1)
    if draft.state.interruptions < listening.interruptions:
        return False
    return _once(draft, ANGRY, f"{ANGRY}:interruptions", turn.text)


def _once(draft: Draft, name: str, rule: str, words: str) -> bool:
    """Raise a signal unless this rule has raised it in this call."""
    if any((signal.name, signal.rule) == (name, rule) for signal in draft.state.signals):
        return False
    draft.signal(name, rule, words=words)
    return True
