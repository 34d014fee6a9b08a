"""A real PostgreSQL of our own: made for the tests, on loopback, and gone after them."""

from __future__ import annotations

import getpass
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest

from tests.ports import free_port

PASSWORD = "only-for-tests"

_TESTED, _TEMPLATE = "tested", "template_with_tables"


def _programs() -> Path:
    """The folder of initdb and pg_ctl, newest version first."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    if found:
        return found[-1].parent
    initdb = shutil.which("initdb")
    if initdb is None:
        pytest.exit(
            "PostgreSQL is not installed, and the store is tested on it too: "
            "apt-get install postgresql (initdb and pg_ctl are what is needed)",
            returncode=3,
        )
    return Path(initdb).resolve().parent


def _owner() -> str:
    """Whom the server runs as: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return getpass.getuser()
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


class Postgres:
    """One cluster. `start` and `stop` may be called again and again: a test takes it away for a while. `conf`
    is a file of settings over which ours stand."""

    user = "otklik"

    def __init__(self, home: Path, conf: Path | None = None) -> None:
        self._programs = _programs()
        self._owner = _owner()
        self._home = home
        self._data = home / "data"
        self.port = free_port()
        self.has_template = False  # what `filled_database` copies; whoever makes it says so
        password = home / "password"
        password.write_text(PASSWORD)
        if os.geteuid() == 0:
            shutil.chown(home, self._owner)
            shutil.chown(password, self._owner)
        self._run("initdb", "-D", self._data, "-U", self.user, "-A", "scram-sha-256", "-E", "UTF8",
                  "--locale=C.UTF-8", "--pwfile", password, "--no-sync")  # fmt: skip
        if conf is not None:
            with (self._data / "postgresql.conf").open("a", encoding="utf-8") as settings:
                settings.write(conf.read_text(encoding="utf-8"))

    def url(self, database: str, *, password: str = PASSWORD) -> str:
        return f"postgresql+asyncpg://{self.user}:{password}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Returns when it takes connections."""
        options = (
            f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self._home} "
            "-c fsync=off -c full_page_writes=off -c shared_buffers=16MB -c max_connections=60"
        )
        self._run("pg_ctl", "-D", self._data, "-l", self._home / "log", "-o", options, "-w", "start")

    def stop(self) -> None:
        """Returns when its process (the pid in its own data folder) has ended."""
        self._run("pg_ctl", "-D", self._data, "-m", "immediate", "-w", "stop")

    async def set_read_only(self, on: bool) -> None:
        """For every transaction from now on, those of connections that are open too."""
        await self.execute(
            f"ALTER SYSTEM SET default_transaction_read_only = {'on' if on else 'off'}",
            "SELECT pg_reload_conf()",
        )

    async def execute(self, *statements: str, database: str = "postgres") -> None:
        connection = await asyncpg.connect(
            host="127.0.0.1", port=self.port, user=self.user, password=PASSWORD, database=database
        )
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    async def empty_database(self) -> str:
        """The URL of one and the same database, emptied: a new one costs 7 MB of disk each time."""
        return await self._anew(_TESTED)

    async def new_template(self) -> str:
        """The URL of an empty database that `filled_database` is to copy."""
        return await self._anew(_TEMPLATE)

    async def filled_database(self) -> str:
        """As `empty_database`, with what is in the template. Nobody may be connected to that."""
        return await self._anew(_TESTED, of=_TEMPLATE)

    async def _anew(self, name: str, *, of: str = "template1") -> str:
        await self.execute(
            f"DROP DATABASE IF EXISTS {name} WITH (FORCE)",
            f"CREATE DATABASE {name} TEMPLATE {of} STRATEGY wal_log",
        )
        return self.url(name)

    async def new_database(self, template: str = "template1") -> str:
        """The URL of a new database: an empty one, or a copy of one that nobody is connected to."""
        name = f"t_{secrets.token_hex(8)}"
        await self.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY wal_log")
        return self.url(name)

    def _run(self, program: str, *arguments: str | Path) -> None:
        command = [str(self._programs / program), *map(str, arguments)]
        if os.geteuid() == 0:
            entry = pwd.getpwnam(self._owner)
            command = ["setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups",
                       *command]  # fmt: skip
        with (self._home / "output").open("w+") as output:
            # To a file: the server inherits the output, and a pipe would never see its end.
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                cwd=self._home, check=False,
            )  # fmt: skip
            if done.returncode:
                output.seek(0)
                server = self._home / "log"
                told = output.read() + (server.read_text() if server.exists() else "")
                raise RuntimeError(f"{program} failed with {done.returncode}:\n{told}")


@contextmanager
def running_postgres(conf: Path | None = None) -> Iterator[Postgres]:
    # Not under pytest's own folder: that one is closed to the user whom the server runs as.
    with tempfile.TemporaryDirectory(prefix="otklik-postgres-") as home:
        postgres = Postgres(Path(home), conf)
        postgres.start()
        try:
            yield postgres
        finally:
            postgres.stop()
