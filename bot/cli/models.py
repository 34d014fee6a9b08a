"""`otklik models`: which speech models there are, getting them, checking them, choosing them."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from bot.cli import models_words
from bot.core.clock import SystemClock
from bot.core.control import ControlClient
from bot.core.errors import BadInput, ModelMissing, NodeUnavailable, OtklikError
from bot.logs import configure_logs
from bot.published import Published, published_dir
from bot.settings import Settings
from bot.settings_load import load_settings
from bot.settings_rooms import speech_settings
from bot.speech.chosen import read_chosen, write_chosen
from bot.speech.fetching import fetch_model
from bot.speech.licences import agree, is_open, require_licence
from bot.speech.models import (
    WITH_WORDS,
    ModelEntry,
    ensure_model,
    find_entry,
    is_installed,
    known_models,
    read_pins,
    verify_model,
)
from bot.speech.settings import SpeechSettings
from bot.words import words

app = typer.Typer(
    no_args_is_help=True,
    help=words(
        "Модели речи: список, скачивание, проверка, выбор", "Speech models: list, fetch, verify, choose"
    ),
)
app.add_typer(models_words.app, name="words")

_Accept = Annotated[
    bool,
    typer.Option(
        "--accept-licence",
        help=words(
            "Согласиться с некоммерческой лицензией, не спрашивая", "Agree to a non-commercial licence"
        ),
    ),
]


@app.command("list")
def list_models() -> None:
    """Какие модели известны, какие установлены и какими узел пользуется."""
    settings = _settings()
    used = _used(settings)
    pins = read_pins(settings.var_dir)
    for entry in known_models(settings.models_dir, settings.var_dir).values():
        here = is_installed(entry, settings.models_dir, settings.var_dir)
        state = words("есть", "here") if here else words("нет", "not here")
        if entry.name in used:
            state = words("в работе", "in use")
        licence = entry.licence + (
            "" if entry.commercial else words(" (некоммерческая)", " (non-commercial)")
        )
        typer.echo(f"{entry.name}: {state}")
        typer.echo(f"  {entry.kind} {entry.language}, {_size(entry)}, {licence}, {entry.source}")
        typer.echo(f"  SHA-256 {entry.sha256 or pins.get(entry.name) or _unknown_sum(entry)}")


@app.command("fetch")
def fetch(
    name: Annotated[str, typer.Argument(help=words("Имя из otklik models list", "A name of the list"))],
    file: Annotated[
        Path | None,
        typer.Option("--from", help=words("Взять этот файл, без сети", "Take this file, without a network")),
    ] = None,
    new_pin: Annotated[
        bool,
        typer.Option(
            "--new-pin",
            help=words(
                "Принять файл, не тот, что закреплён раньше", "Take what differs from what was pinned"
            ),
        ),
    ] = False,
    accept: _Accept = False,
) -> None:
    """Скачать модель, проверить и поставить на место. Что не удалось, ничего не меняет; повтор продолжит.

    Зеркала и прокси: speech.mirrors и speech.proxy настроек, иначе переменная HTTPS_PROXY.
    """
    settings = _settings()
    entry = find_entry(name, settings.models_dir)
    _ask(entry, settings.var_dir, accept)
    checking = words("проверка и распаковка", "checking and unpacking")
    with _bar() as bar:
        task = bar.add_task(name, total=None, visible=False)  # a refusal needs no bar
        fetched = asyncio.run(
            fetch_model(
                name,
                settings.models_dir,
                settings.var_dir,
                settings.fetch,
                file=file,
                new_pin=new_pin,
                progress=lambda done, total: bar.update(task, completed=done, total=total, visible=True),
                unpacking=lambda: bar.update(task, description=checking),
            )
        )
    typer.echo(f"{name}: {fetched.path}")
    pinned = words(
        "закреплена здесь: издатель сумм не даёт, сверьте её, если можете",
        "pinned here: the publisher gives none, compare it if you can",
    )
    typer.echo(f"SHA-256 {fetched.sha256} ({pinned if fetched.pinned else words('сошлась', 'as known')})")
    typer.echo(words(f"Включить: otklik models use {name}", f"To use it: otklik models use {name}"))


@app.command("verify")
def verify(
    names: Annotated[
        list[str] | None,
        typer.Argument(help=words("Имена; без них все установленные", "Names; without, all installed")),
    ] = None,
) -> None:
    """Перечитать файлы моделей и сверить их с известными суммами SHA-256."""
    settings = _settings()
    wanted = names or [
        entry.name
        for entry in known_models(settings.models_dir, settings.var_dir).values()
        if is_installed(entry, settings.models_dir, settings.var_dir)
    ]
    pins = read_pins(settings.var_dir)
    worst = 0
    for name in wanted:
        try:
            verified = verify_model(name, settings.models_dir, settings.var_dir)
        except ModelMissing as error:
            worst = error.exit_status
            typer.echo(f"otklik: {error}", err=True)
        else:
            pinned = f", SHA-256 {pins[name]}" if name in pins else ""
            typer.echo(f"{name}: {words('в порядке', 'ok')} ({verified}{pinned})")
    if worst:
        raise typer.Exit(worst)


@app.command("use")
def use(
    name: Annotated[str, typer.Argument(help=words("Имя установленной модели", "An installed model"))],
    accept: _Accept = False,
    survey: Annotated[
        str,
        typer.Option(
            help=words("Только для этого опроса, по его id", "For this survey alone, by its id"),
        ),
    ] = "",
) -> None:
    """Взять модель в работу. Работающий узел переходит на модель распознавания сразу, звонков не роняя.

    Модель языка, названная для опроса, снимает с него его собственную.
    """
    node = load_settings()
    configure_logs("warning")
    settings = speech_settings(node)
    entry = find_entry(name, settings.models_dir)
    if entry.kind == "vad":
        raise BadInput(words(f"{name} выбирать не нужно", f"{name} needs no choice"), hint=entry.note)
    ensure_model(name, settings.models_dir, settings.var_dir)
    _ask(entry, settings.var_dir, accept)
    require_licence(entry, settings.var_dir)
    before = read_chosen(settings.var_dir)
    if survey:
        _require_heard_by(entry, survey, node)
        usual = replace(settings.recogniser, by_survey={}).model_for(entry.language)
        after = before.for_survey(survey, "" if name == usual else name)
    else:
        _require_not_overruled(entry, node)
        after = before.with_model(entry)
    write_chosen(after, settings.var_dir)
    try:
        told = entry.kind == "asr" and asyncio.run(_tell_node(node))
    except OtklikError:
        write_chosen(before, settings.var_dir)
        raise
    what = f" ({survey})" if survey else ""
    typer.echo(words(f"{name}: в работе{what}", f"{name}: in use{what}"))
    if told:
        typer.echo(
            words(
                "узел уже слушает ею новые звонки, идущие закончит прежней",
                "the node hears new calls with it, those under way keep theirs",
            )
        )
    elif entry.kind == "tts":
        typer.echo(
            words("голос сменится при следующем запуске узла", "the voice changes when the node starts again")
        )


def _require_heard_by(entry: ModelEntry, survey_id: str, node: Settings) -> None:
    """Raises BadInput where a survey cannot be heard by a model, or a setting names another one for it."""
    if entry.kind != "asr":
        raise BadInput(
            words(f"{entry.name} не слушает", f"{entry.name} does not listen"),
            hint=words("голос опроса называет ключ voice его файла", "a survey's voice is its key `voice`"),
        )
    published = Published(published_dir(node))
    current = published.current()
    if survey_id not in current:
        raise BadInput(
            words(f"опрос {survey_id} не опубликован", f"the survey {survey_id} is not published"),
            hint=words("опубликованы: ", "published: ") + (", ".join(sorted(current)) or "-"),
        )
    language = published.by_hash(current[survey_id]).language
    if language != entry.language:
        raise BadInput(
            words(
                f"{entry.name} понимает {entry.language}, а опрос {survey_id} на {language}",
                f"{entry.name} understands {entry.language}, and {survey_id} is in {language}",
            ),
            hint="otklik models list",
        )
    named = node.speech.survey_models.get(survey_id, entry.name)
    _require_same(entry, f"speech.survey_models.{survey_id}", named)


def _require_not_overruled(entry: ModelEntry, node: Settings) -> None:
    """Raises BadInput where a setting names another model for the same."""
    speech = node.speech
    if entry.kind == "tts":
        key, named = "speech.voices", speech.voices.get(entry.language, "-") if speech.voices else ""
    elif entry.language == speech.language:
        key, named = "speech.model", speech.model
    else:
        key, named = f"speech.models.{entry.language}", speech.models.get(entry.language, "")
    _require_same(entry, key, named)


def _require_same(entry: ModelEntry, key: str, named: str) -> None:
    if named and named != entry.name:
        raise BadInput(
            words(f"настройка {key} называет {named}", f"the setting {key} names {named}"),
            hint=words(
                f"уберите её или впишите туда {entry.name}", f"remove it, or write {entry.name} there"
            ),
        )


async def _tell_node(node: Settings) -> bool:
    """Whether a node runs, and has the new model now. Raises what the node cannot do."""
    try:
        client = await ControlClient.connect(node.control_socket)
    except NodeUnavailable:
        return False
    async with client:
        await client.request("use_models")
    return True


def _ask(entry: ModelEntry, var_dir: Path, accept: bool) -> None:
    """Once for each licence that forbids commercial use: whoever says no is left to `require_licence`."""
    if not is_open(entry, var_dir):
        return
    question = words(
        f"Лицензия {entry.licence} модели {entry.name} запрещает коммерческое применение. "
        "Вы применяете её только так, как она позволяет?",
        f"The licence {entry.licence} of {entry.name} forbids commercial use. "
        "Do you use it only as it allows?",
    )
    if accept or (sys.stdin.isatty() and typer.confirm(question, default=False)):
        agree(entry, var_dir, at=SystemClock().now(), user=f"uid {os.getuid()}")


def _settings() -> SpeechSettings:
    """The settings; and logs, from warnings up, go to stderr: stdout is the commands' own."""
    configure_logs("warning")
    return load_settings().speech_settings()


def _used(settings: SpeechSettings) -> set[str]:
    used = set(settings.recogniser.models)
    if settings.synthesiser.engine == "silero":
        used.add(settings.synthesiser.silero_model)
    return used


def _unknown_sum(entry: ModelEntry) -> str:
    """Why no sum stands there."""
    if entry.package:
        return words(f"в uv.lock, у пакета {entry.package}", f"is in uv.lock, with {entry.package}")
    if entry.name.endswith(WITH_WORDS):
        return words("нет: собрана здесь", "is none: it was made here")
    return words("закрепит первое скачивание", "is pinned by the first fetch")


def _size(entry: ModelEntry) -> str:
    if entry.size:
        return f"{entry.size / 1e6:.1f} MB"
    return f"~{entry.about_mb} MB" if entry.about_mb else "?"


@contextmanager
def _bar() -> Iterator[Progress]:
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    ) as bar:
        yield bar
