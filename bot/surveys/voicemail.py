"""What a survey does when a mailbox answers in the customer's place."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from bot.surveys.piping import Text


class Voicemail(BaseModel):
    """`message` is said from its beginning after the beep. A survey without this key leaves none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    message: Annotated[Text, Field(min_length=1, max_length=600)]
