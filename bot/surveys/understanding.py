"""What the NLU's ranking means: one intent of ours, how sure, and a complaint's topic.

Rasa is trained on a complaint's topics as intents of their own (`complain_waiting`), because that
is what one linear classifier separates best. They compete with one another, so that a clear
complaint about two things at once looks like two weak intents. Here they are added up again:
whether it is a complaint is one question, what about is another.

What plain words settle («больше не звоните», «соедините с оператором») is not left to the model.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from bot.core.context import TurnSource, UserTurn
from bot.core.directives import Understood
from bot.core.intents import Intent, Topic
from bot.surveys.cues import plain_intent
from bot.surveys.no_calls import limits_calls

COMPLAINT = "complain_"
"""What the names of a complaint's topics begin with, in `dialogue/data/nlu`."""

LEAST_CONFIDENCE = 0.3
"""Below it nothing was understood: the `threshold` of the FallbackClassifier in `config.yml`."""

SETTLED = 0.95
"""The confidence of what plain words settle: of 181 such sentences in the data all were meant so."""

_OURS = frozenset(Intent)


def understand(message: Mapping[str, Any]) -> Understood | None:
    """Reads `latest_message` of a tracker or the answer of `/model/parse`.

    None where there is no ranking: an intent that was triggered by name, or a command.
    """
    intents: defaultdict[Intent, float] = defaultdict(float)
    topics: dict[Topic, float] = {}
    for entry in message.get("intent_ranking") or ():
        name, confidence = str(entry["name"]), float(entry["confidence"])
        if name.startswith(COMPLAINT):
            intents[Intent.COMPLAIN] += confidence
            topics[Topic(name.removeprefix(COMPLAINT))] = confidence
        elif name in _OURS:
            intents[Intent(name)] += confidence
    if not intents:
        return None
    text = str(message.get("text") or "")
    if limits_calls(text):  # who says when not to ring is to be rung at another time
        intents[Intent.CALLBACK_LATER] += intents.pop(Intent.OPT_OUT, 0.0)
    intent = max(intents, key=lambda candidate: intents[candidate])
    settled = plain_intent(text)
    if settled is not None and intent is not Intent.OPT_OUT:
        intent, intents[settled] = settled, max(SETTLED, intents[settled])
    confidence = min(1.0, intents[intent])
    if confidence < LEAST_CONFIDENCE:
        return Understood(intent=Intent.OUT_OF_SCOPE, confidence=intents[Intent.OUT_OF_SCOPE])
    topic = max(topics, key=lambda candidate: topics[candidate]) if intent is Intent.COMPLAIN else None
    return Understood(intent=intent, confidence=confidence, topic=topic)


def as_understood(turn: UserTurn, understood: Understood | None) -> UserTurn:
    """A spoken turn with what the NLU made of it; other turns have no words and stay as they are."""
    if understood is None or turn.source is not TurnSource.SPEECH:
        return turn
    return turn.model_copy(
        update={
            "intent": understood.intent,
            "intent_confidence": understood.confidence,
            "topic": understood.topic,
        }
    )
