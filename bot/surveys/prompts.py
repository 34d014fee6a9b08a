"""Every sentence a caller can hear in one call, so that all of them are synthesised before it rings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product

from bot.core.context import CallContext
from bot.surveys import asking, confirming
from bot.surveys.handover_words import handover_words
from bot.surveys.piping import piped_answers, render
from bot.surveys.privacy import unrecorded
from bot.surveys.promising import By
from bot.surveys.questions import Recorded
from bot.surveys.resuming import apology
from bot.surveys.schema import Survey, TriageRule
from bot.surveys.spoken import sayings
from bot.surveys.triage import offer_wordings, with_time

RECORDED = "recorded:"
"""What the names of voices begin with that are recordings: their content's SHA-256 follows."""

_FOR_THE_AGENT = {"whisper_score", "whisper_topics", "whisper_requested", "numbers"}
_CHOSEN_BY_RULE = {
    "offer",
    "offer_by_topic",
    "offer_reask",
    "offer_callback",
    "offer_callback_by_topic",
    "offer_callback_reask",
    "callback_by",
    "callback_promised",
    "callback_at",
}
_HINTS = {"dtmf_scale", "dtmf_yes_no", "dtmf_number", "dtmf_date"}
_FILLED_IN = {"confirm", "confirm_either"}
_WITH_FALLBACK = {"unrecorded", "bounds"}


def prompts(survey: Survey, context: CallContext) -> tuple[str, ...]:
    """All texts that `flow` and the call itself can say, as they are spoken, each once.

    Not among them: an agent's whisper, which is put together from what was said and may be
    synthesised while his telephone rings.
    """
    return tuple(
        dict.fromkeys(text for written in _texts(survey) for text in _said(survey, context, written))
    )


def voices(survey: Survey, context: CallContext) -> Mapping[str, str]:
    """The voice of each text that is not the survey's own voice's: a recording's, as it is spoken."""
    return {render(text, context, survey.company): voice_of(made) for text, made in _recorded(survey)}


def prompts_by_voice(survey: Survey, context: CallContext) -> Mapping[str, tuple[str, ...]]:
    """`prompts` as they are to be prepared: the survey's own voice first, then its recordings."""
    recorded = voices(survey, context)
    grouped: dict[str, list[str]] = {survey.voice: []}
    for text in prompts(survey, context):
        grouped.setdefault(recorded.get(text, survey.voice), []).append(text)
    return {voice: tuple(texts) for voice, texts in grouped.items()}


def recordings(survey: Survey) -> tuple[Recorded, ...]:
    """The recorded prompts that a survey plays, each once: what has to be published with it."""
    return tuple(dict.fromkeys(made for _, made in _recorded(survey)))


def voice_of(recorded: Recorded) -> str:
    """The name under which a recording is a voice: its sound's digest, so that it names its content."""
    return f"{RECORDED}{recorded.sha256}"


def _recorded(survey: Survey) -> Iterator[tuple[str, Recorded]]:
    """Wordings of questions, unrendered, with the recordings that stand for them."""
    for question in survey.questions:
        audio = question.audio
        if audio is None:
            continue
        wordings = asking.wordings(survey, question)
        if audio.ask is not None:
            yield wordings[0], audio.ask
        yield from zip(question.reask, audio.reask, strict=False)
        if audio.help is not None and len(wordings) > 1 + len(question.reask):
            yield wordings[-1], audio.help


def _said(survey: Survey, context: CallContext, text: str) -> Iterator[str]:
    """The text as it may be spoken: with every answer that it pipes, and with none."""
    piped = piped_answers(text)
    choices = [("", *(sayings(survey, survey.question(name)) or ())) for name in piped]
    for answers in product(*choices):
        yield render(text, context, survey.company, dict(zip(piped, answers, strict=True)))


def _texts(survey: Survey) -> Iterator[str]:
    yield survey.consent
    yield survey.introduction
    yield apology(survey.language)
    for question in survey.questions:
        yield from asking.wordings(survey, question)
        yield from confirming.sentences(survey, question)
        if named := asking.bounds(survey, question):
            yield named
    for rule in survey.triage:
        yield from _of_rule(survey, rule)
    for name in type(survey.texts).model_fields:
        if name not in _FOR_THE_AGENT | _CHOSEN_BY_RULE | _HINTS | _FILLED_IN | _WITH_FALLBACK:
            value = getattr(survey.texts, name)
            yield from (value,) if isinstance(value, str) else value
    yield unrecorded(survey)
    for name in type(survey.closings).model_fields:
        closing = getattr(survey.closings, name)
        if closing:  # a version may be older than the closing
            yield closing
    yield from handover_words(survey.language).all
    if survey.voicemail is not None:
        yield survey.voicemail.message


def _of_rule(survey: Survey, rule: TriageRule) -> Iterator[str]:
    """All that a triage rule may have said: its offer for each topic and time, or its sentence."""
    if rule.do is not None:
        if rule.text is not None:
            yield rule.text
        return
    times: tuple[By | None, ...] = (rule.by,)
    by_topic = survey.texts.offer_by_topic
    if rule.offer == "callback":
        by_topic = survey.texts.offer_callback_by_topic
        times = ("today", "tomorrow") if rule.by == "today" else times  # today may be over
        yield survey.texts.callback_at
    for by in times:
        for topic in (None, *by_topic, *rule.text_by_topic):
            yield from offer_wordings(survey, rule, topic, by)
        if rule.offer == "callback":
            yield with_time(survey, survey.texts.callback_promised, by)
