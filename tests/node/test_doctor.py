"""`otklik doctor`: what is there is called good, what is missing is named with how to get it."""

from __future__ import annotations

import json
import shutil
import socket
from collections import namedtuple
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot import health
from bot.cli import doctor
from bot.cli.app import main
from bot.core.control import ControlServer
from bot.core.errors import BadInput
from bot.findings import Finding, State
from bot.settings import DEMO_MODEL, Settings
from bot.settings_load import load_settings
from bot.settings_rooms import store_settings
from bot.sip_door import door, door_of
from bot.store.database import Database
from tests.ports import free_port


def settings(var: Path, **overrides: object) -> Settings:
    return load_settings(var=var, **overrides)


@pytest.fixture
def held() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


NFT = """#!/bin/sh
{does}
"""


def nft(folder: Path, monkeypatch: pytest.MonkeyPatch, does: str) -> None:
    """What stands in for the command, first on the path."""
    file = folder / "nft"
    file.write_text(NFT.format(does=does))
    file.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")


async def test_a_clock_that_is_off_the_databases_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ahead(_: Database, now: datetime) -> timedelta:
        return timedelta(hours=1)

    given = settings(tmp_path)
    async with Database.open(store_settings(given)) as db:
        await db.upgrade()
    assert (await health.database(given)).state is State.OK
    monkeypatch.setattr(Database, "ahead", ahead)
    found = await health.database(given)
    assert (found.state, "впереди её часов на 3600 с" in found.found) == (State.MISSING, True)
    assert "никому не звоним" in found.hint


async def test_an_sip_port_that_is_open_to_all_is_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_to_all = settings(tmp_path, sip={"host": "0.0.0.0"})  # noqa: S104  the fault under test
    nft(tmp_path, monkeypatch, 'echo "Error: No such file or directory" >&2; exit 1')
    warned = await door(open_to_all)
    assert (warned.state, "открыт всем" in warned.found) == (State.ADVICE, True)
    assert "otklik firewall > otklik.nft && sudo nft -f otklik.nft" in warned.hint
    assert "sip.behind_edge" in warned.hint
    assert warned.hint.startswith("назовите АТС"), "else there is nobody to let in, and no ruleset"
    named = settings(tmp_path, sip={"host": "0.0.0.0", "allowed": ["192.0.2.7"]})  # noqa: S104
    assert (await door(named)).hint.startswith("otklik firewall")
    hostless = settings(tmp_path, sip={"host": "0.0.0.0", "trunk": {"domain": ":5060"}})  # noqa: S104
    assert (await door(hostless)).hint.startswith("назовите АТС"), "as `otklik firewall` says"
    with pytest.raises(BadInput):
        await door_of(hostless)
    nft(tmp_path, monkeypatch, 'echo "Operation not permitted (you must be root)" >&2; exit 1')
    unseen = await door(open_to_all)
    assert (unseen.state, "root" in unseen.found) == (State.ADVICE, True)
    nft(tmp_path, monkeypatch, "printf 'table inet otklik {\\n}\\n'")
    empty = await door(named)
    assert (empty.state, "нет ни одного правила" in empty.found) == (State.ADVICE, True)
    assert "otklik firewall" in empty.hint
    unmeasured = await door(open_to_all)
    assert (unmeasured.state, "сверить её не с чем" in unmeasured.found) == (State.ADVICE, True)
    assert unmeasured.hint.startswith("назовите АТС")


async def test_no_firewall_is_asked_for_on_loopback_or_behind_the_edge(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nft(tmp_path, monkeypatch, "exit 1")
    for host in ("127.0.0.1", "127.0.0.2", "::1"):
        assert (await door(settings(tmp_path, sip={"host": host}))).state is State.OK
    behind = settings(tmp_path, sip={"host": "192.0.2.21", "behind_edge": True})
    assert (await door(behind)).state is State.OK


def is_empty(folder: Path) -> bool:
    return not list(folder.iterdir())


def test_a_port_that_is_held_is_a_problem_only_without_a_node(tmp_path: Path, held: int) -> None:
    dialogue = {"rasa_port": held, "actions_port": free_port()}
    given = settings(tmp_path, dialogue=dialogue, sip={"port": free_port()}, web={"port": free_port()})
    sip, rasa, actions, web = health.ports(given, running=False)
    assert (sip.state, actions.state, web.state) == (State.OK, State.OK, State.OK)
    assert rasa.state is State.MISSING
    assert "dialogue.rasa_port" in rasa.hint
    assert str(held) in rasa.found
    assert [finding.state for finding in health.ports(given, running=True)] == [State.OK] * 4


def test_sip_needs_its_port_for_udp_too(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        given = settings(tmp_path, sip={"port": other.getsockname()[1]})
        sip = next(iter(health.ports(given, running=False)))
    assert sip.state is State.MISSING


def test_an_address_of_another_machine_cannot_be_bound() -> None:
    assert health.bind_problem("192.0.2.1", 5070, socket.SOCK_DGRAM) is not None  # RFC 5737: nobody's


@pytest.mark.parametrize("folder", ["", "demo"])
async def test_a_running_node_is_seen_on_its_socket(tmp_path: Path, folder: str) -> None:
    given = settings(tmp_path)
    assert not await health.node_runs(given)
    server = ControlServer(settings(tmp_path / folder).control_socket)
    await server.start()
    assert await health.node_runs(given)
    await server.close()
    assert not await health.node_runs(given)


def test_a_rasa_model_is_trained_outdated_or_absent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(health, "is_trained", lambda: True)
    assert health.rasa_model().state is State.OK
    monkeypatch.setattr(health, "is_trained", lambda: False)
    monkeypatch.setattr(health, "MODEL", tmp_path / "absent")
    absent = health.rasa_model()
    monkeypatch.setattr(health, "MODEL", tmp_path)
    outdated = health.rasa_model()
    assert (absent.state, outdated.state) == (State.MISSING, State.MISSING)
    assert absent.found != outdated.found
    assert absent.hint == "otklik dialogue train"


def test_the_pages_port_is_asked_for_only_where_there_are_pages(tmp_path: Path, held: int) -> None:
    *_, web = health.ports(settings(tmp_path, web={"port": held}), running=False)
    assert (web.state, "web.port" in web.hint) == (State.MISSING, True)
    assert len(list(health.ports(settings(tmp_path, web={"port": 0}), running=False))) == 3


def test_the_pages_files_are_as_the_lock_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = settings(tmp_path)
    assert health.pages(given).state is State.OK
    shutil.copy(health.MODULES.parent / "package-lock.json", tmp_path)
    modules = tmp_path / "node_modules"
    shutil.copytree(health.MODULES, modules)
    monkeypatch.setattr(health, "MODULES", modules)
    assert health.pages(given).state is State.OK
    (modules / "htmx.org/package.json").write_text('{"version": "1.0.0"}')
    shutil.rmtree(modules / "@picocss")
    off = health.pages(given)
    assert (off.state, off.hint) == (State.MISSING, "make setup")
    assert "htmx.org" in off.found
    assert "@picocss/pico" in off.found
    assert health.pages(settings(tmp_path, web={"port": 0})).state is State.OPTIONAL


def test_the_speech_model_is_missing_until_it_is_unpacked(tmp_path: Path) -> None:
    finding = health.speech_model(settings(tmp_path))
    assert (finding.state, finding.hint) == (State.MISSING, "make setup")
    assert not (tmp_path / "models").exists()


def test_a_damaged_speech_model_is_told(tmp_path: Path) -> None:
    from bot.speech.models import ensure_model

    given = settings(tmp_path)
    place = ensure_model(DEMO_MODEL, given.models_dir, given.var_dir)
    good = health.speech_model(given)
    assert good.state is State.ADVICE
    assert "vosk-model-small-ru" in good.hint
    words = place / "graph/words.txt"
    words.write_bytes(b"x" * words.stat().st_size)
    assert health.speech_model(given).state is State.MISSING


def test_a_model_that_has_to_be_fetched_is_named_with_its_source(tmp_path: Path) -> None:
    finding = health.speech_model(settings(tmp_path, speech={"model": "vosk-model-small-ru-0.22"}))
    assert finding.state is State.MISSING
    assert "alphacephei.com" in finding.hint
    assert "otklik models fetch vosk-model-small-ru-0.22" in finding.hint


def test_silero_that_was_asked_for_and_is_not_there_is_missing(tmp_path: Path) -> None:
    assert health.synthesiser(settings(tmp_path, speech={"engine": "silero"})).state is State.MISSING
    assert health.synthesiser(settings(tmp_path)).state is State.ADVICE


async def test_a_database_that_is_not_made_yet_is_no_problem(tmp_path: Path) -> None:
    finding = await health.database(settings(tmp_path))
    assert finding.state is State.OK
    assert is_empty(tmp_path)  # looking changes nothing


async def test_a_database_that_does_not_answer_is_told_without_its_password(tmp_path: Path) -> None:
    url = f"postgresql+asyncpg://otklik:qwerty@127.0.0.1:{free_port()}/otklik"
    finding = await health.database(settings(tmp_path, store={"url": url}))
    assert finding.state is State.MISSING
    assert "qwerty" not in finding.found + finding.hint


async def test_presence_that_cannot_be_read_is_told_without_its_password(tmp_path: Path) -> None:
    assert (await health.presence(settings(tmp_path))).state is State.OK
    finding = await health.presence(settings(tmp_path, presence={"url": "redis://:secret@127.0.0.1:1/0"}))
    assert (finding.state, "Redis" in finding.found) == (State.MISSING, True)
    assert "presence.url" in finding.hint
    assert "secret" not in finding.found + finding.hint


async def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "otklik.sqlite").write_text("это не база " * 100)
    assert (await health.database(settings(tmp_path))).state is State.MISSING


@pytest.mark.parametrize(("free", "state"), [(5_000_000_000, State.OK), (10_000_000, State.MISSING)])
def test_disk_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, state: State) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(0, 0, free))
    assert health.disk(tmp_path / "not/made/yet").state is state


async def test_an_environment_that_is_not_made(tmp_path: Path) -> None:
    finding = await health.environment(tmp_path, "dialogue")
    assert (finding.state, finding.hint) == (State.MISSING, "make setup")
    assert (await health.uv(tmp_path)).state is State.MISSING


async def test_an_environment_that_differs_from_its_lock(tmp_path: Path) -> None:
    """uv is not there to agree: the check does not take silence for consent."""
    python = tmp_path / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.touch()
    assert (await health.environment(tmp_path, "bot")).state is State.MISSING


def test_the_clock_names_its_zone() -> None:
    finding = health.clock()
    assert "UTC" in finding.found
    assert finding.state in (State.OK, State.ADVICE)


def test_what_only_tests_need_is_never_missing() -> None:
    findings = list(health.programs())
    assert len(findings) == 7
    assert {finding.state for finding in findings} <= {State.OK, State.OPTIONAL}


@pytest.mark.parametrize(("state", "status"), [(State.ADVICE, 0), (State.OPTIONAL, 0), (State.MISSING, 3)])
def test_the_exit_status_and_the_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], state: State, status: int
) -> None:
    async def examine(given: Settings) -> list[Finding]:
        return [Finding("Часы", State.OK, "идут"), Finding("Диск", state, "полон", "освободите")]

    monkeypatch.setattr(doctor, "examine", examine)
    with pytest.raises(SystemExit) as ended:
        main(["doctor", "--json"])
    assert ended.value.code == status
    said = json.loads(capsys.readouterr().out)
    assert said["ok"] is (status == 0)
    assert said["checks"][1] == {"name": "Диск", "state": state, "found": "полон", "hint": "освободите"}
    with pytest.raises(SystemExit):
        main(["doctor"])
    shown = capsys.readouterr().out
    assert "Диск" in shown
    assert "→ освободите" in shown
    assert ("Не хватает: Диск" in shown) is (status == 3)
