"""The history of the tables, and how a database is brought to its end.

A new step: a module `versions/vNNNN_what.py` with the next number as its revision. Steps never
import the tables of today; a test holds that all steps together make exactly those.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.engine import Connection

from bot.core.errors import StoreUnavailable

_LOCK = 0x6F746B6C696B
"""`otklik` in ASCII: the advisory lock of PostgreSQL under which one process migrates at a time."""


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    return config


def _upgrade(connection: Connection, revision: str) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def head() -> str:
    """The revision that this program's tables are."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    assert revision is not None
    return revision


def known() -> frozenset[str]:
    """Every revision that this program knows."""
    return frozenset(step.revision for step in ScriptDirectory.from_config(_config()).walk_revisions())


def migrate_to(connection: Connection, revision: str) -> None:
    """Make the tables of an earlier version, in an empty database: for a backup's rows."""
    _upgrade(connection, revision)


def migrate(connection: Connection, *, where: str) -> None:
    """Upgrade within the transaction of `connection`. Raises StoreUnavailable for a newer database."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    newer = set(MigrationContext.configure(connection).get_current_heads()) - known()
    if newer:
        raise StoreUnavailable(
            f"the database {where} was made by a newer Otklik (its version is {', '.join(sorted(newer))}, "
            f"this program knows up to {head()})",
            hint="install the newer Otklik again, or restore a backup from before it; nothing was changed",
        )
    _upgrade(connection, "head")
    # A database that cannot be written is to be told now, and not by the first call.
    connection.execute(text("UPDATE alembic_version SET version_num = version_num"))
