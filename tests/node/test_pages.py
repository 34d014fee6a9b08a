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
