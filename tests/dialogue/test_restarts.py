"""Each of the two processes dies under a call; servers of this file's own, because they are killed."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from bot.call.dialogue import RasaDialogue
from bot.core.context import CallContext, TurnSource, UserTurn
from bot.core.directives import Record
from bot.core.errors import DialogueUnavailable
from dialogue.launch import actions_command
from dialogue.running import RunningDialogue, running_dialogue, wait_until_ready
from dialogue.training import train

NINE = UserTurn(source=TurnSource.SPEECH, text="девять")
YES = UserTurn(source=TurnSource.SPEECH, text="да")


@pytest.fixture
def mortal(surveys_dir: Path, tmp_path: Path) -> Iterator[RunningDialogue]:
    train()
    with running_dialogue(surveys_dir, tmp_path / "log.txt") as running:
        yield running


async def test_a_call_outlives_its_action_server_but_not_its_rasa(
    mortal: RunningDialogue,
    http: aiohttp.ClientSession,
    context: CallContext,
    surveys_dir: Path,
    tmp_path: Path,
) -> None:
    rasa = RasaDialogue(mortal.rasa_url, http, token=mortal.token, timeout_s=10.0)
    await rasa.start(context)

    mortal.actions.kill()
    mortal.actions.wait()
    with pytest.raises(DialogueUnavailable, match="ход кончился без ответа"):
        await rasa.turn(context.call_id, NINE)

    port = int(mortal.actions_url.rpartition(":")[2])
    log = tmp_path / "second.txt"
    command = actions_command(port, surveys_dir, mortal.token)
    with log.open("wb") as output:
        again = subprocess.Popen(  # noqa: ASYNC220 - starts at once; the wait below is what takes time
            command.argv, cwd=command.cwd, env=command.env, stdout=output, stderr=output
        )
    try:
        wait_until_ready(again, f"{mortal.actions_url}/health", log)
        scored = await rasa.turn(context.call_id, NINE)
        assert isinstance(scored.directives[0], Record)

        mortal.rasa.kill()
        mortal.rasa.wait()
        with pytest.raises(DialogueUnavailable, match="не ответил"):
            await rasa.turn(context.call_id, YES)
    finally:
        again.terminate()
        again.wait()
