"""One judge a file, one answerer a judge: each looks at the picture and has an opinion, or none."""

from __future__ import annotations

from collections.abc import Callable

from bot.call.answering.judges import announcement, fax, human, ivr, secretary, silence, voicemail
from bot.call.answering.picture import Opinion, Picture

Judge = Callable[[Picture], Opinion | None]

JUDGES: tuple[Judge, ...] = (
    fax.judge,
    announcement.judge,
    voicemail.judge,
    ivr.judge,
    secretary.judge,
    human.judge,
    silence.judge,
)
"""Of equal weight, the first one's opinion counts."""
