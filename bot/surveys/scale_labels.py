"""The names that a survey gives to the codes of a scale: «отлично» for 5."""

from __future__ import annotations

from collections.abc import Sequence

from bot.core.directives import ScaleLabel
from bot.surveys.phrases import find
from bot.surveys.reading import Reading, Unclear, UnclearReason
from bot.surveys.words import Token, table

_BESIDES = table(
    "ну наверное наверно пожалуй думаю я бы мы ставлю поставлю поставил поставила оценка оцениваю оценю",
    "пусть будет скажем это мой моя ответ да вот а э м эм ой на спасибо пожалуйста точно конечно всего",
    "так давайте однозначно увы и все честно вам мне было было бы в общем целом просто меня их",
    "i say give it's it is was just only well um uh the think would pretty please thanks",
)
"""With other words beside it a label may describe something else: «плохо слышно»."""


def read_label(tokens: Sequence[Token], labels: Sequence[ScaleLabel]) -> Reading | Unclear:
    """The code of the one label that was said, or why none."""
    words = [token.text for token in tokens]
    said = find(words, [(phrase, label.code) for label in labels for phrase in label.say])
    said = [hit for hit in said if not (hit.start and words[hit.start - 1] in ("не", "not", "ни"))]
    codes = tuple(dict.fromkeys(hit.value for hit in said))
    if not codes:
        return Unclear(UnclearReason.NO_MATCH)
    named = {place for hit in said for place in range(hit.start, hit.end)}
    rest = {word for place, word in enumerate(words) if place not in named}
    if len(codes) > 1:
        return Unclear(UnclearReason.AMBIGUOUS, codes)
    if not rest <= _BESIDES:
        return Unclear(UnclearReason.AMBIGUOUS)
    hit = said[0]
    return Reading(
        hit.value,
        " ".join(words[hit.start : hit.end]),
        min(token.confidence for token in tokens[hit.start : hit.end]),
    )
