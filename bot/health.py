"""What a node needs and whether it is there: each check looks at one thing and says how to get it.

Nothing is changed, started or fetched. `otklik doctor` shows the findings.
"""

from __future__ import annotations

import ctypes
import getpass
import json
import shutil
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import text as sql

from bot.core.clock import SystemClock
from bot.core.control import ControlClient
from bot.core.errors import NodeUnavailable, OtklikError
from bot.core.realtime import LINES, may_go_first
from bot.findings import Finding, State, said
from bot.published import Published, published_dir
from bot.settings import DEMO_MODEL, Settings
from bot.settings_rooms import presence_board, speech_settings, store_settings
from bot.sip_door import door, nft
from bot.speech.advice import recognition, silero_steps, unheard_of, voice
from bot.speech.licences import require_licence
from bot.speech.models import find_entry, model_path, verify_model
from bot.store.database import Database
from bot.store.settings import CLOCK_OFF_S
from bot.web.settings import MODULES
from bot.words import words
from dialogue.launch import MODEL
from dialogue.training import is_trained

ENOUGH_BYTES = 1_000_000_000
"""Free space below which a node should not be started: an hour of two-channel 8 kHz audio is 115 MB."""
TIME_ERROR = 5  # adjtimex(2): the kernel's clock is not synchronised
TIMEX_BYTES = 208  # sizeof(struct timex) on x86_64


async def examine(settings: Settings) -> list[Finding]:
    """Every check, in the order in which a node needs the things."""
    running = await node_runs(settings)
    return [
        python(),
        await uv(settings.home),
        await environment(settings.home, "bot"),
        await environment(settings.home, "dialogue"),
        speech_model(settings),
        surveys(settings),
        synthesiser(settings),
        rasa_model(),
        pages(settings),
        await database(settings),
        await presence(settings),
        *ports(settings, running),
        await door(settings),
        precedence(settings),
        disk(settings.var_dir),
        clock(),
        *programs(),
    ]


def python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding("Python", State.OK, f"{version}, {sys.executable}")


async def uv(home: Path) -> Finding:
    status, told = await said(home / ".tools/bin/uv", "--version")
    if status:
        return Finding("uv", State.MISSING, words("нет в .tools/", "not in .tools/"), "make setup")
    return Finding("uv", State.OK, told.removeprefix("uv ").split(" (")[0])


async def environment(home: Path, which: str) -> Finding:
    """Whether an environment holds what its lock says; offline, and without touching it."""
    folder = home if which == "bot" else home / "dialogue"
    name = words(
        "Окружение бота" if which == "bot" else "Окружение Rasa",
        "The bot's environment" if which == "bot" else "Rasa's environment",
    )
    if not (folder / ".venv/bin/python").exists():
        return Finding(name, State.MISSING, words("не создано", "not made"), "make setup")
    status, told = await said(
        home / ".tools/bin/uv",
        *("sync", "--frozen", "--check", "--offline", "--no-install-project", "--inexact"),
        *("--directory", folder),
    )
    if status:
        found = words("расходится с uv.lock", "differs from uv.lock")
        return Finding(
            name, State.MISSING, f"{found}: {told.splitlines()[-1] if told else status}", "make setup"
        )
    return Finding(name, State.OK, words("совпадает с uv.lock", "agrees with uv.lock"))


def speech_model(settings: Settings) -> Finding:
    """The models that calls are heard by: each is there, and undamaged."""
    name = words("Модель речи", "Speech model")
    try:
        speech = speech_settings(settings)
        for model in speech.recogniser.models:
            place = model_path(find_entry(model, settings.models_dir), settings.var_dir)
            if model == DEMO_MODEL and not place.exists():  # the one that ships: set-up unpacks it
                return Finding(
                    name, State.MISSING, words(f"нет {place}", f"{place} is not there"), "make setup"
                )
            verified = verify_model(model, settings.models_dir, settings.var_dir)
        used, better = recognition(speech)
    except OtklikError as error:
        return Finding(name, State.MISSING, error.message, error.hint)
    if better:
        return Finding(name, State.ADVICE, used, better)
    return Finding(name, State.OK, f"{used} ({verified})")


def surveys(settings: Settings) -> Finding:
    """Whether those that calls run are each heard in their language."""
    name, published = words("Опросы", "Surveys"), Published(published_dir(settings))
    try:
        running = [published.by_hash(digest) for digest in published.current().values()]
        lacking = unheard_of(speech_settings(settings), running)
    except OtklikError as error:
        return Finding(name, State.MISSING, error.message, error.hint)
    found = lacking or ", ".join(f"{each.id} v{each.version}" for each in running) or words("нет", "none")
    return Finding(name, State.ADVICE if lacking else State.OK, found)


def synthesiser(settings: Settings) -> Finding:
    name = words("Синтез речи", "Synthesiser")
    try:
        speech = speech_settings(settings)
        used, better = voice(speech)
        if speech.synthesiser.engine == "silero":
            model = find_entry(speech.synthesiser.silero_model, settings.models_dir)
            require_licence(model, settings.var_dir)
            file = model_path(model, settings.var_dir)
            if not file.exists():
                how = silero_steps(speech, model.name)
                return Finding(name, State.MISSING, words(f"нет {file}", f"{file} is not there"), how)
    except OtklikError as error:
        return Finding(name, State.MISSING, error.message, error.hint)
    return Finding(name, State.ADVICE if better else State.OK, used, better)


def rasa_model() -> Finding:
    name = words("Модель Rasa", "Rasa's model")
    if is_trained():
        return Finding(name, State.OK, words("обучена на нынешних данных", "trained on the present data"))
    old = MODEL.exists()
    found = words("устарела" if old else "не обучена", "outdated" if old else "not trained")
    return Finding(name, State.MISSING, found, "otklik dialogue train")


def pages(settings: Settings) -> Finding:
    """Whether what the pages load from npm is installed as the lock says."""
    name = words("Файлы страниц", "The pages' files")
    if not settings.web.port:
        return Finding(name, State.OPTIONAL, words("не нужны: web.port = 0", "not needed: web.port = 0"))
    lock = json.loads((MODULES.parent / "package-lock.json").read_text(encoding="utf-8"))
    off = []
    for place, locked in lock["packages"].items():
        installed = MODULES.parent / place / "package.json"
        if place and (
            not installed.exists()
            or json.loads(installed.read_text(encoding="utf-8"))["version"] != locked["version"]
        ):
            off.append(place.removeprefix("node_modules/"))
    if off:
        found = words(f"расходятся с package-lock.json: {', '.join(off)}", f"not as locked: {', '.join(off)}")
        return Finding(name, State.MISSING, found, "make setup")
    return Finding(name, State.OK, words("совпадают с package-lock.json", "agree with package-lock.json"))


async def database(settings: Settings) -> Finding:
    name = words("База данных", "Database")
    store = store_settings(settings)
    try:
        opened = Database.open(store)
    except OtklikError as error:
        return Finding(name, State.MISSING, error.message, error.hint)
    async with opened:
        shown = opened.url.render_as_string(hide_password=True)
        if opened.dialect == "sqlite" and not _exists(opened.url.database):
            return Finding(name, State.OK, words(f"{shown}: будет создана", f"{shown}: will be made"))
        try:
            async with opened.read() as session:
                connection = await session.connection()
                await connection.execute(sql("SELECT 1"))
            ahead = await opened.ahead(datetime.now(UTC))
        except OtklikError as error:
            return Finding(name, State.MISSING, error.message, error.hint)
    if abs(ahead.total_seconds()) > CLOCK_OFF_S:
        found = words(
            f"{shown}: часы этой машины впереди её часов на {ahead.total_seconds():.0f} с",
            f"{shown}: this machine's clock is {ahead.total_seconds():.0f} s ahead of its",
        )
        hint = words("включите NTP (chrony): пока часы расходятся, никому не звоним",
                     "turn NTP on (chrony): while the clocks differ nobody is rung")  # fmt: skip
        return Finding(name, State.MISSING, found, hint)
    return Finding(name, State.OK, shown)


async def presence(settings: Settings) -> Finding:
    """Whether agents' presence can be read where the settings keep it."""
    name = words("Присутствие сотрудников", "Agents' presence")
    if not settings.presence.url.get_secret_value():
        return Finding(name, State.OK, words("в самом узле", "in the node itself"))
    try:
        board = presence_board(settings, SystemClock())
        try:
            await board.presences()
        finally:
            await board.close()
    except OtklikError as error:
        return Finding(name, State.MISSING, error.message, error.hint)
    return Finding(name, State.OK, "Redis")


def _exists(file: str | None) -> bool:
    return file is not None and Path(file).exists()


async def node_runs(settings: Settings) -> bool:
    """Whether a node of these settings answers on its control socket, or the demo's, which lives in
    a folder within ours."""
    for path in (settings.control_socket, settings.var_dir / "demo/run/node.sock"):
        try:
            client = await ControlClient.connect(path)
        except NodeUnavailable:
            continue
        await client.close()
        return True
    return False


def ports(settings: Settings, running: bool) -> Iterator[Finding]:
    """Whether what a node listens on is free, or held by a running node of this folder."""
    sip, dialogue, web = settings.sip, settings.dialogue, settings.web
    for key, label, host, port, kinds in (
        ("sip.port", "SIP", sip.host, sip.port, (socket.SOCK_DGRAM, socket.SOCK_STREAM)),
        ("dialogue.rasa_port", "Rasa", "127.0.0.1", dialogue.rasa_port, (socket.SOCK_STREAM,)),
        (
            "dialogue.actions_port",
            words("действий", "of the actions"),
            "127.0.0.1",
            dialogue.actions_port,
            (socket.SOCK_STREAM,),
        ),
        *(
            [("web.port", words("страниц", "of the pages"), web.host, web.port, (socket.SOCK_STREAM,))]
            if web.port
            else []
        ),
    ):
        name = words(f"Порт {label}", f"Port {label}")
        where = f"{host}:{port}"
        problem = next(filter(None, (bind_problem(host, port, kind) for kind in kinds)), None)
        if problem is None:
            yield Finding(name, State.OK, words(f"{where} свободен", f"{where} is free"))
        elif running:
            yield Finding(
                name, State.OK, words(f"{where} держит работающий узел", f"{where}: the running node")
            )
        else:
            yield Finding(
                name,
                State.MISSING,
                f"{where}: {problem}",
                words(
                    f"остановите, кто его держит (ss -lnp | grep {port}), или задайте другой {key}",
                    f"stop whoever holds it (ss -lnp | grep {port}), or set another {key}",
                ),
            )


def bind_problem(host: str, port: int, kind: socket.SocketKind) -> str | None:
    """Why an address cannot be bound; None where it can."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, kind) as probe:
        if kind == socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do, over TIME_WAIT
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.strerror
    return None


def precedence(settings: Settings) -> Finding:
    """Whether sound goes before the other programs of this machine."""
    name = words("Первенство звука", "Precedence of sound")
    if not settings.call.realtime:
        return Finding(name, State.OK, words("выключено (call.realtime)", "turned off (call.realtime)"))
    if may_go_first():
        return Finding(name, State.OK, words("система его даёт", "the system grants it"))
    found = words(
        "этому пользователю не дано: на занятой машине звук опаздывает",
        "not for this user: on a busy machine sound comes late",
    )
    line = f"{getpass.getuser()} - rtprio {LINES}"
    hint = words(
        f"строка «{line}» в /etc/security/limits.conf (в systemd: LimitRTPRIO={LINES}) и новый вход",
        f"“{line}” in /etc/security/limits.conf (systemd: LimitRTPRIO={LINES}), and sign in again",
    )
    return Finding(name, State.ADVICE, found, hint)


def disk(folder: Path) -> Finding:
    name = words("Место на диске", "Disk space")
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(existing).free
    found = words(f"{free / 1e9:.1f} ГБ для {folder}", f"{free / 1e9:.1f} GB for {folder}")
    if free >= ENOUGH_BYTES:
        return Finding(name, State.OK, found)
    hint = words("освободите место: нужно не меньше 1 ГБ", "free some: 1 GB at least is needed")
    return Finding(name, State.MISSING, found, hint)


def clock() -> Finding:
    """The zone that reports are read in, and whether the kernel's clock is synchronised."""
    name = words("Часы", "Clock")
    now = datetime.now(UTC).astimezone()
    found = f"{now:%Y-%m-%d %H:%M} {now.tzname()} (UTC{now:%z})"
    if ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(TIMEX_BYTES)) == TIME_ERROR:
        found += words(", не синхронизированы", ", not synchronised")
        return Finding(name, State.ADVICE, found, words("включите NTP (chrony)", "turn NTP on (chrony)"))
    return Finding(name, State.OK, found)


def _here(*names: str) -> Callable[[], bool]:
    return lambda: all(shutil.which(name) for name in names)


def programs() -> Iterator[Finding]:
    """What only tests need, and OpenFst, with which the small model is given words."""
    postgres = Path("/usr/lib/postgresql")
    wanted: Sequence[tuple[str, Callable[[], bool]]] = (
        ("sip-tester", _here("sipp")),
        ("baresip-core", _here("baresip")),
        ("postgresql", lambda: any(postgres.glob("*/bin/initdb")) or _here("initdb")()),
        ("redis-server", _here("redis-server")),
        ("chromium", _here("chromium")),
        ("libfst-tools", _here("fstconvert")),
        ("nftables", lambda: nft() is not None),
    )
    label = words("Для тестов", "For tests")
    for package, here in wanted:
        if here():
            yield Finding(f"{label}: {package}", State.OK, words("есть", "here"))
        else:
            hint = f"sudo apt-get install --no-install-recommends {package}"
            yield Finding(f"{label}: {package}", State.OPTIONAL, words("нет", "not here"), hint)
