"""The pages of a node that runs: where they are, how the first administrator comes in, who is let go."""

from __future__ import annotations

import os
import re
import subprocess

import aiohttp

from bot.settings import PROJECT
from bot.settings_load import as_environment
from tests.node.running import OTKLIK, RunningNode

PASSWORD = "верблюд и четыре окна"


def otklik(node: RunningNode, *words: str, typed: str = "") -> str:
    done = subprocess.run(
        [*OTKLIK, *words],
        cwd=PROJECT,
        env={**os.environ, **as_environment(node.settings)},
        input=typed,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


async def test_the_first_administrator_comes_in_with_what_the_screen_says(node: RunningNode) -> None:
    """Once: then the password is his own. Whoever is removed is out at once, and one administrator stays."""
    address = node.settings.web.address
    screen = node.output()
    assert address in screen
    told = re.search(r"admin, пароль (\S+)", screen)
    assert told
    # The cookies of an address without a name are kept as well.
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(address, cookie_jar=jar, headers={"Accept": "text/html"}) as http:
        async with http.post("/sign-in", data={"login": "admin", "password": told[1]}) as reply:
            assert (reply.status, reply.url.path) == (200, "/account")
            csrf = re.search(r'name="csrf" value="(\w+)"', await reply.text())
            assert csrf
        form = {"csrf": csrf[1], "current": told[1], "fresh": PASSWORD, "again": PASSWORD}
        async with http.post("/account/password", data=form) as reply:
            assert (reply.status, reply.url.path) == (200, "/")
        otklik(node, "accounts", "add", "olga", "--role", "admin", typed=PASSWORD + "\n")
        otklik(node, "accounts", "remove", "admin")
        async with http.get("/") as reply:
            assert reply.url.path == "/sign-in"
        async with http.get("/readyz") as reply:
            assert (reply.status, await reply.json()) == (200, {"ready": True, "missing": []})


async def test_a_campaign_is_made_and_looked_at_on_a_node_that_runs(node: RunningNode) -> None:
    """The pages' orders are the node's own, and its answers are what the pages show."""
    otklik(node, "accounts", "add", "ops", "--role", "ops", typed=PASSWORD + "\n")
    jar = aiohttp.CookieJar(unsafe=True)
    headers = {"Accept": "text/html"}
    async with aiohttp.ClientSession(node.settings.web.address, cookie_jar=jar, headers=headers) as http:

        async def page(path: str) -> str:
            async with http.get(path) as reply:
                assert reply.status == 200, await reply.text()
                return await reply.text()

        async def send(path: str, **form: str) -> str:
            async with http.post(path, data={"csrf": csrf, **form}) as reply:
                assert reply.status == 200, await reply.text()
                return await reply.text()

        async with http.post("/sign-in", data={"login": "ops", "password": PASSWORD}) as reply:
            found = re.search(r'name="csrf" value="([0-9a-f]{64})"', await reply.text())
            assert found
            csrf = found[1]
        file = aiohttp.FormData()
        file.add_field("csrf", csrf)
        file.add_field("file", "Телефон;Имя\n+7 495 765-43-21;Анна\n".encode(), filename="one.csv")
        async with http.post("/contacts/imports", data=file) as reply:
            upload = reply.url.path
            assert "строк: 1" in await reply.text()
        await send(upload, act="import")
        while 'hx-trigger="every 1s"' in await page(upload):
            pass
        assert "новых 1" in await page(upload)
        survey = (await node.ask("status"))["surveys"]
        form = {
            "id": "pages_try",
            "title": "Проба",
            "survey": min(survey),
            "purpose": "service",
            "agents": "on",
        }
        whom = {"whom": "phones", "phones": "+7 495 765-43-21"}
        shown = await send("/campaigns/new", **form, **whom, act="create")
        assert "Кампания создана" in shown
        assert "ещё не запущена" in shown
        stopped = await send("/campaigns/pages_try/stop")
        assert "завершает начатые звонки" in stopped or "остановлена" in stopped
        assert (await node.ask("campaign", campaign="pages_try"))["members"] == {"waiting": 1}
        assert "свободных линий: 0" not in await page("/now")
        assert "кампания" in await page("/contacts/why?phone=84957654321")
    otklik(node, "accounts", "remove", "ops")
