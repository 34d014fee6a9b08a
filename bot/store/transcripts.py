"""Finding calls by what was said in them: the same question for SQLite (FTS5) and PostgreSQL (tsvector).

The index holds words as they were heard. A word that is looked for stands for every form of it (pymorphy3),
so no database needs a stemmer of its own and both find the same calls. Words in quotation marks are looked
for as they stand, one after another; `груб*` is any word that begins so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, literal_column, text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from bot.core.errors import BadInput
from bot.store.tables_transcripts import Transcript
from bot.surveys.morphology import forms
from bot.words import words

UNHEARD = "[unk]"
"""Stands in a turn for a word that the recogniser does not know."""

LONGEST = 200
"""Letters of a question."""

MOST_WORDS = 8
FEW = 5000
"""Of so many calls it is quicker to fetch them all than to look through the newest ones for some of them."""

AROUND = 6
"""Words that an excerpt shows before and after what was found."""

_WORD = re.compile(r"[^\W_]+")
_PART = re.compile(r'"([^"]*)"|«([^«»]*)»|([^\W_]+)(\*?)')


def folded(said: str) -> str:
    """As the index has it: lower case, ё as е, only words.

    >>> folded("Ещё [unk] раз, из-за вас")
    'еще раз из за вас'
    """
    return " ".join(_WORD.findall(said.replace(UNHEARD, " ").lower().replace("ё", "е")))


@dataclass(frozen=True, slots=True)
class Sought:
    """One thing that must have been said: any of `words`, or, where `phrase`, all of them in this order.
    `begins` says that a word only has to begin so."""

    words: tuple[str, ...]
    phrase: bool = False
    begins: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """Everything that must have been said, anywhere in the call."""

    sought: tuple[Sought, ...]

    @property
    def for_sqlite(self) -> str:
        """FTS5's own language (SQLite FTS5, 3. Full-text Query Syntax)."""
        return " AND ".join(_fts5(each) for each in self.sought)

    @property
    def for_postgresql(self) -> str:
        """A `tsquery` (PostgreSQL, 8.11.2)."""
        return " & ".join(_tsquery(each) for each in self.sought)


def question(written: str) -> Question | None:
    """None where nothing is asked for. Raises BadInput for what is too long."""
    if len(written) > LONGEST:
        raise BadInput(
            words(f"запрос длиннее {LONGEST} знаков", f"over {LONGEST} letters to look for"),
            hint=words("оставьте главные слова", "leave the main words"),
        )
    found: list[Sought] = []
    for quoted, in_guillemets, word, star in _PART.findall(written):
        said = tuple(folded(quoted or in_guillemets or word).split())
        if not said:
            continue
        if quoted or in_guillemets:
            found.append(Sought(said, phrase=True))
        elif star:
            found.append(Sought(said, begins=True))
        else:
            found.append(Sought(tuple(sorted(forms(said[0])))))
    if len(found) > MOST_WORDS:
        raise BadInput(
            words(f"больше {MOST_WORDS} слов сразу не ищу", f"over {MOST_WORDS} words at once"),
            hint=words("оставьте главные слова", "leave the main words"),
        )
    return Question(tuple(found)) if found else None


def _fts5(sought: Sought) -> str:
    if sought.phrase:
        return '"' + " ".join(sought.words) + '"'
    star = "*" if sought.begins else ""
    return "(" + " OR ".join(f'"{word}"{star}' for word in sought.words) + ")"


def _tsquery(sought: Sought) -> str:
    if sought.phrase:
        return "(" + " <-> ".join(f"'{word}'" for word in sought.words) + ")"
    star = ":*" if sought.begins else ""
    return "(" + " | ".join(f"'{word}'{star}" for word in sought.words) + ")"


def calls_saying(asked: Question, dialect: str) -> SelectOfScalar[str]:
    """The ids of the calls in which all of it was said, as a subquery."""
    found = select(col(Transcript.call_id))
    if dialect == "sqlite":
        match = text("fts_transcripts MATCH :words").bindparams(words=asked.for_sqlite)
        rows: Any = select(literal_column("rowid")).select_from(text("fts_transcripts")).where(match)
        return found.where(col(Transcript.id).in_(rows))
    simple: Any = literal_column("'simple'::regconfig")  # the index is over this very expression
    said = func.to_tsvector(simple, col(Transcript.text))
    return found.where(said.op("@@")(func.to_tsquery(simple, asked.for_postgresql)))


async def few_calls(session: AsyncSession, asked: Question, dialect: str) -> tuple[str, ...] | None:
    """The ids of those calls where there are at most `FEW`, else None.

    PostgreSQL takes a word that it never met for one of every two hundred, and would read every call by its
    time to find none; and a scan of the table would cut each text into words anew. So the index is asked
    first, by itself.
    """
    postgres = dialect == "postgresql"
    if postgres:
        await session.exec(text("SET LOCAL enable_seqscan = off"))  # type: ignore[call-overload]
    found = (await session.exec(calls_saying(asked, dialect).limit(FEW + 1))).all()
    if postgres:
        await session.exec(text("SET LOCAL enable_seqscan = on"))  # type: ignore[call-overload]
    return tuple(found) if len(found) <= FEW else None


def excerpt(said: str, asked: Question) -> tuple[tuple[str, bool], ...]:
    """The words around the first find, each with whether it is one of those that were looked for."""
    every = said.split()
    found = [any(_is(word, each) for each in asked.sought) for word in every]
    first = found.index(True) if True in found else 0
    begin, end = max(first - AROUND, 0), first + AROUND + 1
    return tuple(zip(every[begin:end], found[begin:end], strict=True))


def _is(word: str, sought: Sought) -> bool:
    return any(word.startswith(each) if sought.begins else word == each for each in sought.words)
