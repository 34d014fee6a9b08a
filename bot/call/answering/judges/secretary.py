"""A virtual secretary: it greets, pauses and listens as a person does, so that only its words betray it."""

from __future__ import annotations

from bot.call.answering.judges import wording
from bot.call.answering.picture import Opinion, Picture
from bot.core.answerer import Answerer


def judge(picture: Picture) -> Opinion | None:
    return wording.heard(picture, Answerer.SECRETARY) if picture.answered else None
