"""Who was erased at his own request, and the numbers that are never rung again though nobody knows them.

None of it is personal data by itself: a number stands here only under a keyed hash (`sealed_numbers`).
"""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any

from sqlalchemy import JSON
from sqlmodel import Field

from bot.store.tables import Table, moment_field, words_field


class Erased(IntEnum):
    """How much of a call is gone (`Attempt.erased`); each step has those before it."""

    NOTHING = 0
    WORDS = 1  # what was said, by whomever; answers and numbers are there
    PERSON = 2  # who it was: what is left are figures


class ErasureState(StrEnum):
    RUNNING = "running"  # begun; the same order again goes on with it
    DONE = "done"


class ErasureRow(Table, table=True):
    """One person's erasure. `sealed` is his number under the keyed hash, `alias` what stands wherever his
    number or his id stood. `todo` is the JSON of what is sought, "" once it is done. `counts` are rows and
    files by kind (`erased`), where the number stands yet (`left`) and its last two digits (`shown`);
    `certificate` is the SHA-256 of the certificate."""

    __tablename__ = "erasures"

    id: str = Field(primary_key=True)
    sealed: str = Field(index=True)
    alias: str
    state: str = ErasureState.RUNNING
    todo: str = words_field(default="")
    counts: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    by: str = ""
    reason: str = words_field(default="")
    begun_at: datetime = moment_field()
    done_at: datetime | None = moment_field(default=None)
    certificate: str = ""

    @property
    def shown(self) -> str:
        """The number as it may be read; "" for an erasure of a version that did not keep it, till it is
        ordered again."""
        return str(self.counts.get("shown", ""))


class SealedNumberRow(Table, table=True):
    """A number that is never rung again, without the number. `source` is that of its row in `do_not_call`,
    or `erasure` where there was none."""

    __tablename__ = "sealed_numbers"

    sealed: str = Field(primary_key=True)
    at: datetime = moment_field()
    source: str
    erasure_id: str = ""


class SecretRow(Table, table=True):
    """A secret that all nodes of this database share."""

    __tablename__ = "secrets"

    name: str = Field(primary_key=True)
    value: str
