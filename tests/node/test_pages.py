"""The pages of a node that runs: where they are, how the first administrator comes in, who is let go."""

from __future__ import annotations

import os
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


async def test_the_first_administrator_is_made_while_the_node_runs(node: RunningNode) -> None:
    address = node.settings.web.address
    otklik(node, "accounts", "add", "admin", "--role", "admin", typed=PASSWORD + "\n")
    screen = node.output()
    assert address in screen
    assert "otklik accounts add admin --role admin" in screen
    # The cookies of an address without a name are kept as well.
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(address, cookie_jar=jar, headers={"Accept": "text/html"}) as http:
        form = {"login": "admin", "password": PASSWORD}
        async with http.post("/sign-in", data=form) as reply:
            assert (reply.status, reply.url.path) == (200, "/")
        otklik(node, "accounts", "remove", "admin")
        async with http.get("/") as reply:
            assert reply.url.path == "/sign-in"
