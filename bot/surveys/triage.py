"""From signals and rules to an offer: who is to be offered a human, when, and in which words."""

from __future__ import annotations

from bot.core.answer import Answer
from bot.core.directives import ScaleExpected
from bot.core.intents import Topic
from bot.surveys.conditions import RaisedSignal, comparisons, holds
from bot.surveys.references import REQUEST_AGENT
from bot.surveys.schema import Survey, TriageRule, expectation_of
from bot.surveys.state import FlowState

__all__ = ["REQUEST_AGENT", "new_signals", "offer_wordings", "rule_due", "whisper"]


def new_signals(survey: Survey, state: FlowState) -> tuple[RaisedSignal, ...]:
    """Signals that the answers raise and that were not raised yet: one for each rule on an answer."""
    raised = {signal.rule for signal in state.signals}
    facts = state.facts
    return tuple(
        RaisedSignal(name=rule.id, rule=rule.id)
        for rule in survey.triage
        if rule.id not in raised
        and any(compared.symbol.startswith("answer.") for compared in comparisons(rule.when))
        and holds(rule.when, facts)
    )


def rule_due(survey: Survey, state: FlowState, next_question: str | None) -> TriageRule | None:
    """The first rule whose offer is to be made now.

    `next_question` is the question that would be put next, None at the end of the survey. A caller
    is offered a human once: whoever declined is not asked again.
    """
    if state.offered:
        return None
    reached = len(survey.questions) if next_question is None else survey.position(next_question)
    facts = state.facts
    for rule in survey.triage:
        if not holds(rule.when, facts):
            continue
        if rule.after is None or survey.position(rule.after) < reached:
            return rule
    return None


def offer_wordings(survey: Survey, rule: TriageRule, topic: Topic | None) -> tuple[str, str]:
    """The offer as it is first made, with one sentence that fits the topic, and the re-ask; unrendered."""
    texts = survey.texts
    first = rule.text
    if topic in rule.text_by_topic:
        first = rule.text_by_topic[topic]
    elif first is None:
        first = texts.offer_by_topic.get(topic, texts.offer) if topic else texts.offer
    return first, rule.reask or texts.offer_reask


def whisper(survey: Survey, answers: dict[str, Answer], topic: Topic | None, *, requested: bool) -> str:
    """What the agent hears before the caller is joined: the first score, and the matter."""
    parts = []
    for question in survey.questions:
        answer, expected = answers.get(question.id), expectation_of(question)
        if answer is None or not isinstance(answer.value, int) or not isinstance(expected, ScaleExpected):
            continue
        parts.append(survey.texts.whisper_score.replace("{value}", _spoken(survey, answer.value)))
        break
    if requested:
        parts.append(survey.texts.whisper_requested)
    if topic is not None and topic in survey.texts.whisper_topics:
        parts.append(survey.texts.whisper_topics[topic])
    if not parts:  # a rule on some other answer: at least that there is cause
        parts.append(survey.texts.whisper_topics.get(Topic.OTHER, ""))
    sentence = ", ".join(
        part if place == 0 else part[:1].lower() + part[1:] for place, part in enumerate(parts)
    )
    return f"{sentence[:1].upper()}{sentence[1:]}." if sentence else ""


def _spoken(survey: Survey, value: int) -> str:
    numbers = survey.texts.numbers
    return numbers[value] if value < len(numbers) else str(value)
