"""«Ну» that was heard as «нуль»: a hedge before the answer, and no answer."""

from __future__ import annotations

from bot.core.context import UserTurn
from bot.surveys.words import Token, table, tokens

SURE = 0.8
"""From here on a «нуль» before a hedge is believed. Measured with the small model: a «ну» that was heard
as «нуль» is 0.6 to 0.72 sure, a «нуль» that was said 0.81 to 0.98; «ноль» is never heard for «ну»."""

_FILLERS = table("э ээ эээ эм м мм а")
_HEDGES = (
    ("наверное",),
    ("наверно",),
    ("не", "знаю"),
    ("даже", "не", "знаю"),
    ("как", "сказать"),
    ("как", "вам", "сказать"),
)


def said(turn: UserTurn) -> tuple[Token, ...]:
    """A turn's words, its «нуль наверное» as «ну наверное» where it is not sure, or where nothing tells how
    sure it is: until the turn is over nothing does, and waiting a little costs less than a wrong zero."""
    found = tokens(turn)
    place = next((at for at, token in enumerate(found) if token.text not in _FILLERS), len(found))
    if place == len(found) or found[place].text != "нуль":
        return found
    following = tuple(token.text for token in found[place + 1 : place + 4])
    sure = bool(turn.words) and found[place].confidence >= SURE
    if sure or not any(following[: len(hedge)] == hedge for hedge in _HEDGES):
        return found
    return (*found[:place], Token("ну", found[place].confidence), *found[place + 1 :])
