"""What a database's errors mean to a person: what is wrong, and what to do."""

from __future__ import annotations

from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from bot.core.errors import DiskFull, OtklikError, StoreUnavailable

# Messages of SQLite (sqlite3ErrStr in its main.c) and what we say of them.
_SQLITE = {
    "unable to open database file": (
        "the database {where} cannot be opened",
        "its folder must exist, and this user must be allowed to write there",
    ),
    "attempt to write a readonly database": (
        "the database {where} is read-only",
        "give this user the right to write the file and its folder",
    ),
    "database is locked": (
        "the database {where} is held by another process",
        "one Otklik node to one SQLite file; end the program that has it open, or use PostgreSQL",
    ),
    "file is not a database": (
        "{where} is not an SQLite database",
        "name another file in the store's URL, or restore this one from a backup",
    ),
    "database disk image is malformed": (
        "the database {where} is damaged",
        "restore it from a backup; what the spools still hold is added by itself",
    ),
    "disk I/O error": ("the disk under the database {where} fails", "check the disk"),
}

# SQLSTATEs of PostgreSQL (Appendix A of its manual).
_POSTGRES = {
    "28P01": ("the database {where} refuses the password", "correct user and password in the store's URL"),
    "28000": (
        "the database {where} does not let this user in",
        "correct the user in the store's URL, or add a line for it to pg_hba.conf",
    ),
    "3D000": ("there is no database {where}", "make it: createdb -h HOST -U USER NAME"),
    "25006": (
        "the database {where} is read-only",
        "name the primary in the store's URL, not a standby, or allow this user to write",
    ),
    "42501": ("the database {where} does not allow this", "let the user own the database and its schema"),
    "53300": (
        "the database {where} takes no more connections",
        "raise max_connections, or end other programs",
    ),
}

_NO_ANSWER = (
    "the database {where} does not answer",
    "start it, or correct host and port in the store's URL; meanwhile calls go on and fill the spools",
)

_POSTGRES_FULL = "53100"
_POSTGRES_PASSING = ("08", "57P", "40001", "40P01", "55P03")
"""Classes and states that pass by themselves: connection, shutdown, serialisation, deadlock, lock."""


def shown(url: URL) -> str:
    """Where a database is, without its password."""
    if url.get_backend_name() == "sqlite":
        return url.database or ""
    return f"{url.database} at {url.host}:{url.port or 5432}"


def explained(error: BaseException, url: URL) -> OtklikError | None:
    """The error as a person should read it; None for a mistake in a statement or its data."""
    where = shown(url)

    def unavailable(words: tuple[str, str]) -> StoreUnavailable:
        return StoreUnavailable(words[0].format(where=where), hint=words[1])

    if isinstance(error, OSError):  # TimeoutError and the resolver's errors are such, too
        return unavailable(_NO_ANSWER)
    if not isinstance(error, DBAPIError):
        return None
    state = getattr(error.orig, "sqlstate", None) or ""
    message = str(error.orig)
    if state == _POSTGRES_FULL or "database or disk is full" in message:
        return DiskFull(f"the disk under the database {where} is full", hint="free some space there")
    if state in _POSTGRES:
        return unavailable(_POSTGRES[state])
    if error.connection_invalidated or state.startswith(_POSTGRES_PASSING):
        return unavailable(_NO_ANSWER)
    for start, words in _SQLITE.items():
        if url.get_backend_name() == "sqlite" and message.startswith(start):
            return unavailable(words)
    return None
