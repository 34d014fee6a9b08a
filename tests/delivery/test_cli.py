"""`otklik webhooks` and `otklik tokens`, as people type them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.call.spool import Spool, SpoolReader
from bot.cli.app import main
from bot.core.clock import SystemClock
from bot.delivery.posting import Postman
from bot.delivery.sender import Sender
from bot.settings_load import load_settings
from bot.settings_rooms import store_settings
from bot.store.database import Database
from bot.store.tables_delivery import EventName
from bot.store.writer import Writer
from tests.delivery.conftest import Receiver
from tests.store.talk import Talk


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTKLIK_VAR", str(tmp_path))


def status(*words: str) -> int:
    """The exit status of the command."""
    with pytest.raises(SystemExit) as left:
        main(list(words))
    return int(left.value.code or 0)


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> list[Any]:
    """The lines of JSON of a command that goes well."""
    capsys.readouterr()
    assert status(*words, "--json") == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_the_way_of_a_token(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTKLIK_TIMEZONE", "Asia/Omsk")
    may = ("--may", "calls,announcements")
    assert status("tokens", "add", "crm", *may, "--expires", "2199-12-31") == 0
    out, err = capsys.readouterr()
    token = out.strip()
    assert token.startswith("otklik_")
    assert len(token) == len("otklik_") + 43
    assert "не увидеть" in err
    [shown] = printed(capsys, "tokens", "list")
    assert (shown["name"], shown["may"], shown["used_at"]) == ("crm", ["announcements", "calls"], None)
    assert shown["expires_at"] == "2199-12-31T18:00:00Z", "the company's day, as on the page"
    assert token not in json.dumps(shown)
    assert status("tokens", "add", "crm", *may) == 2
    assert status("tokens", "add", "crm2", "--may", "everything") == 2
    assert status("tokens", "add", "crm2", "--may", "") == 2
    assert status("tokens", "add", "c m", *may) == 2
    assert status("tokens", "add", "crm2", *may, "--expires", "2020-01-01") == 2
    assert status("tokens", "add", "crm2", *may, "--expires", "завтра") == 2
    assert status("tokens", "revoke", "crm") == 0
    assert status("tokens", "revoke", "crm") == 2
    assert status("tokens", "add", "crm", *may) == 0
    [shown] = printed(capsys, "tokens", "list")
    assert shown["revoked_at"] is None


def test_the_way_of_an_endpoint(capsys: pytest.CaptureFixture[str]) -> None:
    assert status("webhooks", "add", "crm", "https://10.0.0.5/hook", "--personal", "--private") == 0
    secret = capsys.readouterr().out.strip()
    assert secret.startswith("whsec_")
    [shown] = printed(capsys, "webhooks", "list")
    assert (shown["name"], shown["personal"], len(shown["events"])) == ("crm", True, len(EventName))
    assert status("webhooks", "list") == 0
    assert secret not in capsys.readouterr().out + json.dumps(shown)
    assert status("webhooks", "add", "crm", "https://crm.example.ru/") == 2
    assert status("webhooks", "add", "inside", "https://10.0.0.5/hook") == 2
    assert "--private" in capsys.readouterr().err
    assert status("webhooks", "add", "x", "https://crm.example.ru/", "--events", "call.ended") == 2
    assert status("webhooks", "disable", "crm") == 0
    [shown] = printed(capsys, "webhooks", "list")
    assert shown["disabled_why"] == "вручную"
    assert status("webhooks", "enable", "crm") == 0
    assert status("webhooks", "remove", "crm") == 0
    assert status("webhooks", "remove", "crm") == 2
    assert printed(capsys, "webhooks", "list") == []


async def test_a_trial_and_a_second_sending(
    receiver: Receiver, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    async def typed(*words: str) -> int:
        capsys.readouterr()
        return await asyncio.to_thread(status, *words)

    assert await typed("webhooks", "add", "crm", receiver.url, "--private") == 0
    assert await typed("webhooks", "test", "crm") == 0
    receiver.answers.append(web.Response(status=401, text="чей это ключ?"))
    assert await typed("webhooks", "test", "crm") == 1
    assert "чей это ключ?" in capsys.readouterr().out
    assert [got.message["type"] for got in receiver.got] == ["webhook.test"] * 2
    clock = SystemClock()
    async with Database.open(store_settings(load_settings())) as db:
        writer = Writer(db, SpoolReader(tmp_path / "spool"), clock)
        talk = Talk("call-1", "attempt-1", direction="inbound")
        async with Spool.open(tmp_path / "spool", "media-1") as spool:
            for event in (talk.started, talk.ended()):
                await spool.commit(event)
        async with Postman(clock) as postman:
            await Sender(db, postman, clock, writer.drain_once).look()
            assert await typed("webhooks", "resend") == 2
            assert await typed("webhooks", "resend", "nothing") == 2
            assert await typed("webhooks", "resend", "call-1") == 0
            assert await typed("webhooks", "log", "--status", "waiting") == 0
            assert "call.completed" in capsys.readouterr().out
            await Sender(db, postman, clock, writer.drain_once).look()
    first, second = receiver.got[2:]
    assert (first.id, first.text) == (second.id, second.text)
    assert await typed("webhooks", "log", "--endpoint", "crm", "--json") == 0
    [logged] = map(json.loads, capsys.readouterr().out.splitlines())
    assert (logged["status"], logged["webhook_id"], len(logged["tries"])) == ("delivered", first.id, 2)
