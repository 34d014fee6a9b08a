"""What is known of contacts beside themselves: consents, numbers that may be rung again, imports."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlmodel import Field

from bot.store.tables import Table, moment_field, words_field


class ConsentKind(StrEnum):
    CALLS = "calls"  # to be rung with an offer (Law 38-FZ «О рекламе», article 18)
    DATA = "data"  # to the use of personal data (Law 152-FZ, article 9)


class ConsentRow(Table, table=True):
    """A consent that somebody gave; never changed but by being withdrawn.

    `phone` is the key of the number for which it was given. `source` says where (a form, a contract, a
    call), `words` to which text. `call_id` and `recording` prove one that was given by voice. `at` is when it
    was entered here, `by` by whom.
    """

    __tablename__ = "consents"

    id: str = Field(primary_key=True)
    contact_id: str = Field(index=True)
    phone: str = Field(index=True)
    kind: str
    given_at: datetime = moment_field()
    source: str
    words: str = words_field(default="")
    call_id: str = ""
    recording: str = ""
    at: datetime = moment_field()
    by: str = ""
    withdrawn_at: datetime | None = moment_field(default=None)
    withdrawn_by: str = ""
    withdrawn_words: str = words_field(default="")


class DoNotCallRemoved(Table, table=True):
    """A row of `do_not_call` that was taken out, as it was, and why."""

    __tablename__ = "do_not_call_removed"

    id: str = Field(primary_key=True)
    phone: str = Field(index=True)
    at: datetime = moment_field()
    call_id: str = ""
    words: str = words_field(default="")
    source: str
    by: str = ""
    removed_at: datetime = moment_field()
    removed_by: str = ""
    reason: str = words_field()


class ImportMapping(Table, table=True):
    """What somebody said that the columns of such a file mean. `headings` is the hash of all of them,
    `columns` a JSON object from headings to fields, `example` the file in which they were seen last."""

    __tablename__ = "import_mappings"

    headings: str = Field(primary_key=True)
    columns: str = words_field()
    example: str = ""
    used_at: datetime = moment_field()


class ImportState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    INTERRUPTED = "interrupted"


class ContactImport(Table, table=True):
    """One file that was imported; the counts are of what is committed. `sha256` is that of its bytes."""

    __tablename__ = "contact_imports"

    id: str = Field(primary_key=True)
    file: str
    sha256: str
    state: str = ImportState.RUNNING
    rows: int = 0
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    repeated: int = 0
    refused: int = 0
    by: str = ""
    started_at: datetime = moment_field(index=True)
    ended_at: datetime | None = moment_field(default=None)
