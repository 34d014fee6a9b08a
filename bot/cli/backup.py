"""`otklik backup` and `otklik restore`: everything that a node could not make anew, in one file."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bot.call.recording_keys import KeyRing
from bot.cli.on_database import Json, on_database
from bot.core.clock import SystemClock
from bot.core.control import ControlClient
from bot.core.errors import BadInput, NodeUnavailable
from bot.logs import configure_logs
from bot.privacy.archive import Manifest
from bot.privacy.backup import SPOOL, Places, back_up
from bot.privacy.resealing import keys_in_use
from bot.privacy.restoring import check as check_backup
from bot.privacy.restoring import restore as bring_back
from bot.published import published_dir
from bot.settings import Settings, config_file
from bot.settings_load import load_settings
from bot.settings_rooms import store_settings
from bot.store.database import Database
from bot.words import words

app = typer.Typer(add_completion=False)

KEYS = "recording.keys"
"""Of the recordings' keys in a backup, whatever its file is called."""

File = Annotated[Path, typer.Argument(help=words("файл копии, например otklik.tar.gz", "the backup's file"))]


def places(settings: Settings, *, keys: bool) -> Places:
    """`keys`: the file of the recordings' keys as well."""
    var = settings.var_dir
    with_keys = {KEYS: settings.recording_keys} if keys and settings.recording_keys else {}
    return Places(
        folders={
            SPOOL: settings.spool_dir,
            "recordings": settings.recordings_dir,
            "published": published_dir(settings),
            "survey_defs": settings.surveys_dir,
        },
        files={
            "web.secret": var / "web.secret",
            "chosen.json": var / "models" / "chosen.json",
            "otklik.toml": config_file(),
            **with_keys,
        },
    )


@app.command(
    help=words("Сохранить базу, записи, опросы и настройки", "Save tables, recordings, surveys, settings")
)
def backup(
    file: File,
    with_keys: Annotated[
        bool,
        typer.Option(
            "--with-recording-keys",
            help=words(
                "и ключи записей: тогда у кого копия, у того и записи",
                "and the recordings' keys: whoever has the backup can then hear them all",
            ),
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Узел может работать: копия — один миг базы. В ней персональные данные и пароли из otklik.toml: храните
    её как их. Зашифрованные записи копируются как есть, а ключи к ним — только с --with-recording-keys: без
    него сохраните файл ключей сами, отдельно."""
    if with_keys and (keys := load_settings().recording_keys) is not None:
        KeyRing.read(keys)

    async def work(db: Database, settings: Settings) -> Manifest:
        with _Told() as told:
            return await back_up(db, places(settings, keys=with_keys), file, SystemClock(), told)

    _show(on_database(work), file, as_json, words("Сохранено и проверено", "Saved and verified"))


@app.command(help=words("Восстановить из копии в пустое место", "Restore a backup into an empty place"))
def restore(
    file: File,
    check: Annotated[
        bool, typer.Option("--check", help=words("только проверить копию", "only verify the backup"))
    ] = False,
    as_json: Json = False,
) -> None:
    """База и папки этого узла должны быть пусты, а узел — стоять."""
    settings = load_settings()
    configure_logs("warning")
    if check:
        with _Told() as told:
            manifest = check_backup(file, told)
        _show(manifest, file, as_json, words("Копия цела", "The backup is whole"))
        return

    async def work() -> tuple[Manifest, list[Path]]:
        await _require_no_node(settings)
        with _Told() as told:
            async with Database.open(store_settings(settings)) as db:
                return await bring_back(db, places(settings, keys=True), file, told)

    manifest, kept = asyncio.run(work())
    _show(manifest, file, as_json, words("Восстановлено", "Restored"))
    if not as_json:
        _warn_of_keys(settings)
        for path in kept:
            typer.echo(words(f"Уже было, оставлено: {path}", f"Was there, stays: {path}"))
        typer.echo(
            words(
                "Кого удалили после этой копии, удалите снова: otklik privacy erase",
                "Who was erased after this backup is here again: otklik privacy erase",
            )
        )


def _warn_of_keys(settings: Settings) -> None:
    """Where recordings were brought back that nothing here opens."""
    keys = settings.recording_keys
    have = {entry.id for entry in KeyRing.read(keys).entries} if keys is not None and keys.exists() else set()
    if missing := keys_in_use(settings.recordings_dir).keys() - have - {""}:
        typer.echo(
            words(
                f"Записи не открыть, нет ключей {', '.join(sorted(missing))}: верните privacy.recording_keys",
                f"Recordings want the keys {', '.join(sorted(missing))}: bring back privacy.recording_keys",
            ),
            err=True,
        )


async def _require_no_node(settings: Settings) -> None:
    try:
        client = await ControlClient.connect(settings.control_socket)
    except NodeUnavailable:
        return
    await client.close()
    raise BadInput(
        words("узел работает", "the node is running"), hint=words("остановите его", "stop it before")
    )


class _Told:
    """What is being done, on one line of a terminal."""

    def __init__(self) -> None:
        self._status = Console(stderr=True).status("")

    def __enter__(self) -> _Told:
        self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._status.stop()

    def __call__(self, what: str, count: int) -> None:
        self._status.update(f"{what}: {count}")


def _show(manifest: Manifest, file: Path, as_json: bool, said: str) -> None:
    if as_json:
        typer.echo(manifest.model_dump_json(indent=2, exclude={"files"}))
        return
    rows, files = sum(manifest.rows.values()), len(manifest.files) - len(manifest.rows)
    about = words(
        f"строк {rows}, файлов {files}, таблицы {manifest.schema_}, {manifest.made_at:%d.%m.%Y %H:%M} UTC",
        f"{rows} rows, {files} files, tables {manifest.schema_}, made {manifest.made_at:%Y-%m-%d %H:%M} UTC",
    )
    typer.echo(f"{said}: {file} ({about}).")
