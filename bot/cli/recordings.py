"""`otklik recordings`: the keys of recordings, their rotation, and one sound for outside."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from bot.call.recording_files import read_recording, recording_at
from bot.call.recording_keys import KeyRing
from bot.cli.on_database import Json
from bot.core.errors import BadInput, RecordingsLocked
from bot.core.files import fresh_file
from bot.logs import configure_logs
from bot.privacy.resealing import keys_in_use, reseal
from bot.settings import Settings
from bot.settings_load import load_settings
from bot.words import words

app = typer.Typer(no_args_is_help=True, add_completion=False)
key = typer.Typer(no_args_is_help=True, add_completion=False)
app.add_typer(key, name="key", help=words("Ключи, которыми записи шифруются", "The keys of recordings"))

KeyId = Annotated[str, typer.Argument(help=words("номер ключа", "the key's id"), metavar="ID")]


@app.callback()
def _recordings() -> None:
    """Записи разговоров: ключи шифрования, перешифровка, одна запись наружу."""


def _settings() -> tuple[Settings, Path]:
    """With the file of keys. Raises BadInput where none is set."""
    settings = load_settings()
    configure_logs("warning")
    if settings.recording_keys is None:
        raise BadInput(
            words(
                "записи не шифруются: файл ключей не задан", "no file of keys is set: nothing is encrypted"
            ),
            hint=words(
                'задайте в otklik.toml: [privacy] recording_keys = "/путь/к/recording.keys"',
                'set in otklik.toml: [privacy] recording_keys = "/path/to/recording.keys"',
            ),
        )
    return settings, settings.recording_keys


@key.command("new", help=words("Новый ключ: им шифруются следующие записи", "A new key, for what comes next"))
def new() -> None:
    """Первый ключ включает шифрование, следующий сменяет прежний. Старые ключи остаются: ими открываются
    старые записи, пока их не перешифрует otklik recordings rotate."""
    _, file = _settings()
    ring = KeyRing.read(file) if file.exists() else KeyRing(file, ())
    made = ring.with_new(datetime.now(UTC))
    made.save()
    typer.echo(words(f"Ключ {made.newest.id}: {file}", f"Key {made.newest.id}: {file}"))
    typer.echo(
        words(
            "Сохраните этот файл отдельно от копий: без него записи не открыть ничем.",
            "Keep a copy of this file apart from the backups: without it nothing opens the recordings.",
        )
    )


@key.command("list", help=words("Ключи и сколько записей под каждым", "The keys, and what each opens"))
def list_keys(as_json: Json = False) -> None:
    settings, file = _settings()
    ring, used = KeyRing.read(file), keys_in_use(settings.recordings_dir)
    newest = ring.newest.id
    rows = [
        {
            "id": entry.id,
            "made_at": entry.made_at.isoformat(),
            "newest": entry.id == newest,
            "recordings": used.pop(entry.id, 0),
        }
        for entry in ring.entries
    ]
    plain = used.pop("", 0)
    if as_json:
        typer.echo(json.dumps({"keys": rows, "plain": plain, "missing": dict(used)}, indent=1))
        return
    table = Table(box=None)
    for title in (words("ключ", "key"), words("создан", "made"), words("записей", "recordings"), ""):
        table.add_column(title)
    for row in rows:
        mark = words("им шифруется новое", "for what comes next") if row["newest"] else ""
        table.add_row(str(row["id"]), str(row["made_at"])[:16], str(row["recordings"]), mark)
    if plain:
        table.add_row("—", "", str(plain), words("не зашифрованы", "not encrypted"))
    for missing, count in sorted(used.items()):
        table.add_row(missing, "", str(count), words("КЛЮЧА НЕТ", "KEY IS MISSING"))
    Console().print(table)


@key.command(
    "retire", help=words("Убрать ключ, под которым записей нет", "Take away a key that opens nothing")
)
def retire(key_id: KeyId) -> None:
    """Записи, которые он открывает в старых копиях, после этого не открыть."""
    settings, file = _settings()
    ring = KeyRing.read(file)
    if key_id == ring.newest.id:
        raise BadInput(
            words(f"ключом {key_id} шифруются новые записи", f"{key_id} is what new recordings are under"),
            hint="otklik recordings key new",
        )
    rest = ring.without(key_id)
    if count := keys_in_use(settings.recordings_dir)[key_id]:
        raise BadInput(
            words(f"ключом {key_id} закрыты записи: {count}", f"{count} recordings are under {key_id}"),
            hint="otklik recordings rotate",
        )
    rest.save()
    typer.echo(words(f"Ключа {key_id} больше нет.", f"Key {key_id} is gone."))


@app.command(help=words("Перешифровать всё новым ключом", "Put all recordings under the newest key"))
def rotate(as_json: Json = False) -> None:
    """И незашифрованные тоже. Узел может работать; оборванное продолжит та же команда."""
    settings, file = _settings()
    ring = KeyRing.read(file)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(words("записи", "recordings"), total=None)
        counts, failed = reseal(
            settings.recordings_dir, ring, lambda done, of: shown.update(task, completed=done, total=of)
        )
    if as_json:
        told = {"key": ring.newest.id, **counts, "failed": [path.name for path, _ in failed]}
        typer.echo(json.dumps(told, indent=1))
    else:
        done, kept, written = counts["done"], counts["kept"], counts["written"]
        typer.echo(
            words(
                f"Перешифровано {done}, уже были под ключом {kept}, пишутся сейчас {written}.",
                f"{done} done, {kept} were under the key already, {written} are being recorded.",
            )
        )
        for path, error in failed:
            typer.echo(f"{path.name}: {error}", err=True)
    if failed:
        raise typer.Exit(RecordingsLocked.exit_status)


@app.command(help=words("Сохранить одну запись как обычный WAV", "Save one recording as a plain WAV"))
def save(
    call: Annotated[str, typer.Argument(help=words("номер звонка: call-…", "the call's id: call-…"))],
    to: Annotated[Path, typer.Argument(help=words("куда: файл .wav", "where to: a .wav file"))],
) -> None:
    """Файл наружу уже не зашифрован: храните его как персональные данные."""
    settings = load_settings()
    configure_logs("warning")
    file = recording_at(settings.recordings_dir, f"{call}.wav")
    if file is None:
        raise BadInput(words(f"записи звонка {call} здесь нет", f"there is no recording of {call} here"))
    if to.exists():
        raise BadInput(words(f"{to} уже есть", f"{to} is there already"))
    keys = settings.recording_keys
    with read_recording(file, keys) as sound, fresh_file(to) as fresh, fresh.open("wb") as out:
        shutil.copyfileobj(sound, out)
    typer.echo(str(to))
