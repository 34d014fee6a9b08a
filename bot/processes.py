"""The processes of a node besides control: what each is started with and how it is known to serve."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import aiohttp

from bot.core.allocator import for_decoding
from bot.core.control import ControlClient
from bot.published import published_dir
from bot.settings import Settings
from bot.settings_load import as_environment
from bot.settings_rooms import speech_settings
from bot.speech.synthesiser import synthesiser_command
from bot.supervisor import ChildSpec
from bot.worker_process import GOODBYE_S, ORPHANED, socket_path
from dialogue.launch import TOKEN, actions_command, rasa_command

PRECEDENCE = -10
"""The niceness of what callers wait for: sound above all, and the dialogue's next step. Voices are made
ahead of need."""

SYNTHESISER, ACTIONS, RASA = "synthesiser", "actions", "rasa"


def worker_name(index: int) -> str:
    """Within its node: of its child process, its log, its spool."""
    return f"worker-{index}"


def worker_of(node: str, index: int) -> str:
    """Among all nodes of one database: whoever holds a lease."""
    return f"{node}/{worker_name(index)}"


def children(settings: Settings, token: str) -> tuple[ChildSpec, ...]:
    """In the order in which they are started: a worker comes last, when all that it needs is there. By
    `token` the dialogue's processes know one another and the worker."""
    return (
        _synthesiser(settings),
        _actions(settings, token),
        _rasa(settings, token),
        _worker(settings, 0, token),
    )


def _synthesiser(settings: Settings) -> ChildSpec:
    speech = speech_settings(settings)
    return ChildSpec(
        SYNTHESISER,
        synthesiser_command(speech),
        ready=lambda: _listens(speech.synthesiser.socket),
        cwd=settings.home,
    )


def _actions(settings: Settings, token: str) -> ChildSpec:
    port = settings.dialogue.actions_port
    command = actions_command(port, published_dir(settings), token)
    return ChildSpec(
        ACTIONS,
        (*command.argv, *_precedence(settings)),
        ready=lambda: _answers(f"http://127.0.0.1:{port}/health"),
        env=command.env,
        cwd=command.cwd,
        niceness=PRECEDENCE,
    )


def _rasa(settings: Settings, token: str) -> ChildSpec:
    """Rasa's pins are old: it gets loopback, and an environment without our settings and secrets."""
    ports = settings.dialogue
    command = rasa_command(ports.rasa_port, f"http://127.0.0.1:{ports.actions_port}/webhook", token)
    return ChildSpec(
        RASA,
        (*command.argv, *_precedence(settings)),
        ready=lambda: _answers(f"http://127.0.0.1:{ports.rasa_port}/version"),
        env=command.env,
        cwd=command.cwd,
        ready_timeout_s=180.0,
        niceness=PRECEDENCE,
    )


def _precedence(settings: Settings) -> tuple[str, ...]:
    return ("--realtime",) if settings.call.realtime else ()


def _worker(settings: Settings, index: int, token: str) -> ChildSpec:
    return ChildSpec(
        worker_name(index),
        [sys.executable, "-m", "bot.worker", str(index)],
        ready=lambda: _serves(socket_path(settings, index)),
        env={**os.environ, **as_environment(settings), **for_decoding(os.environ), TOKEN: token},
        stop_timeout_s=settings.call.drain_s + GOODBYE_S + 5.0,
        niceness=PRECEDENCE,
        orphaned=ORPHANED,
    )


async def _answers(url: str) -> bool:
    timeout = aiohttp.ClientTimeout(total=2.0)
    async with aiohttp.ClientSession(timeout=timeout) as http, http.get(url) as reply:
        return reply.status == 200


async def _listens(socket: Path) -> bool:
    _, writer = await asyncio.open_unix_connection(socket)
    writer.close()
    return True


async def _serves(socket: Path) -> bool:
    async with await ControlClient.connect(socket) as worker:
        await worker.request("status")
    return True
