"""From signals and rules to what is done: an offer and its words, a case, a note."""

from __future__ import annotations

from bot.core.answer import Answer
from bot.core.directives import ScaleExpected
from bot.core.intents import Topic
from bot.surveys.conditions import COMPLAINT, RaisedSignal, SignalIs, comparisons, holds
from bot.surveys.piping import BY
from bot.surveys.promising import By
from bot.surveys.references import REQUEST_AGENT
from bot.surveys.schema import Survey, TriageRule, expectation_of
from bot.surveys.state import FlowState

__all__ = [
    "REQUEST_AGENT",
    "acts_due",
    "grounds",
    "new_signals",
    "offer_wordings",
    "rule_due",
    "whisper",
]


def new_signals(survey: Survey, state: FlowState) -> tuple[tuple[RaisedSignal, str], ...]:
    """Signals that the answers raise and that were not raised yet, one for each rule on an answer; each
    with the words that it rests on."""
    raised = {signal.rule for signal in state.signals}
    facts = state.facts
    return tuple(
        (RaisedSignal(name=rule.id, rule=rule.id), grounds(rule, state))
        for rule in survey.triage
        if rule.id not in raised
        and any(compared.symbol.startswith("answer.") for compared in comparisons(rule.when))
        and holds(rule.when, facts)
    )


def rule_due(survey: Survey, state: FlowState, next_question: str | None) -> TriageRule | None:
    """The first rule whose offer is to be made now.

    `next_question` is the question that would be put next, None at the end of the survey. A caller
    is offered a human once, and a callback once: whoever declined is not asked the same again.
    """
    offered = {survey.rule(rule_id).offer for rule_id in state.offered}
    reached = len(survey.questions) if next_question is None else survey.position(next_question)
    facts = state.facts
    for rule in survey.triage:
        if rule.offer is None or rule.offer in offered or not holds(rule.when, facts):
            continue
        if rule.after is None or survey.position(rule.after) < reached:
            return rule
    return None


def acts_due(survey: Survey, state: FlowState) -> tuple[TriageRule, ...]:
    """The rules whose case is to be opened or whose note is to be left now; each acts once a call."""
    facts = state.facts
    return tuple(
        rule
        for rule in survey.triage
        if rule.do is not None and rule.id not in state.acted and holds(rule.when, facts)
    )


def grounds(rule: TriageRule, state: FlowState) -> str:
    """The caller's own words that a rule rests on: the answers and signals that its condition reads."""
    words = []
    for compared in comparisons(rule.when):
        kind, _, name = compared.symbol.partition(".")
        if kind == "answer" and name in state.answers:
            words.append(state.answers[name].heard)
        elif kind == "signals":
            words += [state.grounds.get(str(value), "") for value in compared.values]
        elif kind == "topics":
            words.append(state.grounds.get(COMPLAINT, ""))
    if isinstance(rule.when, SignalIs):
        words.append(state.grounds.get(rule.when.signal, ""))
    return "; ".join(dict.fromkeys(filter(None, words)))


def offer_wordings(
    survey: Survey, rule: TriageRule, topic: Topic | None, by: By | None = None
) -> tuple[str, str]:
    """The offer as it is first made, with one sentence that fits the topic, and the re-ask; unrendered.

    `by` is when a callback is offered for.
    """
    texts = survey.texts
    callback = rule.offer == "callback"
    plain = texts.offer_callback if callback else texts.offer
    by_topic = texts.offer_callback_by_topic if callback else texts.offer_by_topic
    reask = rule.reask or (texts.offer_callback_reask if callback else texts.offer_reask)
    first = rule.text
    if topic in rule.text_by_topic:
        first = rule.text_by_topic[topic]
    elif first is None:
        first = by_topic.get(topic, plain) if topic else plain
    return with_time(survey, first, by), with_time(survey, reask, by)


def with_time(survey: Survey, text: str, by: By | None) -> str:
    """A text of a callback with the time that it is promised for."""
    return text if by is None else text.replace(BY, survey.texts.callback_by[by])


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
