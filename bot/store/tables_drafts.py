"""Surveys as people write them: drafts, the sources of what was published, and who let which version run.

What calls run is frozen beside it (`SurveyRow`); none of this is read by a call.
"""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field

from bot.store.tables import Table, moment_field, words_field


class DraftRow(Table, table=True):
    """The one draft of a survey. `revision` counts its savings from 1: whoever saves names the one that he
    began with. `started_from` is the hash of the version whose source it began with, "" where it began with
    none; `edited_by` and `created_by` are logins."""

    __tablename__ = "survey_drafts"

    survey_id: str = Field(primary_key=True)
    text: str = words_field()
    revision: int = 1
    started_from: str = ""
    created_at: datetime = moment_field()
    created_by: str = ""
    edited_at: datetime = moment_field()
    edited_by: str = ""


class SourceRow(Table, table=True):
    """The file of a published version as it was written, with its comments. Of two files that mean the same
    the first one is kept."""

    __tablename__ = "survey_sources"

    hash: str = Field(primary_key=True)
    text: str = words_field()


class ReleaseRow(Table, table=True):
    """From `at` on new calls run the version `hash`. `login` is whoever published it or took it back in the
    pages, "" where a command or the start of a node did. `kind` is a `bot.store.drafts.Kind`."""

    __tablename__ = "survey_releases"

    id: str = Field(primary_key=True)
    survey_id: str = Field(index=True)
    hash: str
    at: datetime = moment_field()
    login: str = ""
    kind: str
