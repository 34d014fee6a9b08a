"""How the processes of the dialogue are started: Rasa in its own environment, the actions in ours.

Nothing here starts or watches anything but the training; a supervisor, a test or a shell takes the
command lines and does that in its own way.
"""

from __future__ import annotations

import os
import secrets
import sys
from dataclasses import dataclass
from pathlib import Path

from bot.core.errors import ModelMissing

FOLDER = Path(__file__).resolve().parent
MODEL = FOLDER / "models" / "otklik.tar.gz"
"""Where training puts the model, and where Rasa looks for it."""

LOCK_LIFETIME_S = 5
"""A Rasa that died within a turn leaves its conversation locked for so long (60 s by default)."""


TOKEN = "DIALOGUE_TOKEN"  # noqa: S105 - a name
"""The variable in which the processes of one start are told the word that they know one another by. Not
an argument: those are shown to everybody on the machine."""

PASSED = frozenset(
    ("PATH", "HOME", "USER", "LANG", "LANGUAGE", "TZ", "TMPDIR", "XDG_CACHE_HOME", "LD_LIBRARY_PATH")
)
"""What these processes are given of their starter's environment, the locale's `LC_*` beside it. Not what
is secret: a list of what is kept back would be one variable short one day."""


@dataclass(frozen=True, slots=True)
class Command:
    """A process to start: `env` is its whole environment."""

    argv: tuple[str, ...]
    cwd: Path
    env: dict[str, str]


def new_token() -> str:
    """For one start of the dialogue: Rasa and the actions answer those who know it."""
    return secrets.token_urlsafe(32)


def passed() -> dict[str, str]:
    """What a process of the dialogue sees of our environment."""
    return {name: value for name, value in os.environ.items() if name in PASSED or name.startswith("LC_")}


def rasa_python(folder: Path = FOLDER) -> Path:
    """The interpreter of Rasa's environment. Raises ModelMissing where it was not set up."""
    python = folder / ".venv" / "bin" / "python"
    if not python.exists():
        raise ModelMissing(
            f"нет окружения Rasa: {python}", hint="make setup, или uv sync --locked --directory dialogue"
        )
    return python


def rasa_env() -> dict[str, str]:
    """The whole environment of a Rasa: nothing of ours that is secret, no telemetry, no network, no
    graphics card, one thread each: the models are small.

    Bytecode is kept whatever the starter's own environment says: compiling the 6,000 modules that
    Rasa imports doubles its start.
    """
    return {
        **passed(),
        "PYTHONPATH": str(FOLDER / "server"),  # where config.yml and launch.py find what is ours
        "PYTHONDONTWRITEBYTECODE": "",
        "RASA_TELEMETRY_ENABLED": "false",
        "TICKET_LOCK_LIFETIME": str(LOCK_LIFETIME_S),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "-1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
        "PYTHONWARNINGS": "ignore",
        "PYTHONUNBUFFERED": "1",
    }


def rasa_command(port: int, actions_url: str, token: str, model: Path = MODEL) -> Command:
    """Rasa on 127.0.0.1:`port`; `/version` answers 200 when the model is loaded, all else wants `token`.

    `actions_url` is the action server's webhook, which wants the same. Raises ModelMissing without a
    model.
    """
    if not model.exists():
        raise ModelMissing(f"нет модели диалога: {model}", hint="обучите: otklik dialogue train")
    return Command(
        argv=(
            *(str(rasa_python()), str(FOLDER / "server" / "launch.py")),
            *("--port", str(port), "--actions-url", actions_url, "--model", str(model)),
        ),
        cwd=FOLDER,
        env={**rasa_env(), TOKEN: token},
    )


def actions_command(port: int, surveys_dir: Path, token: str) -> Command:
    """The action server on 127.0.0.1:`port`; its webhook is `/webhook`, `/health` answers 200 to anybody."""
    server = (sys.executable, "-m", "dialogue.actions.server")
    return Command(
        argv=(*server, "--port", str(port), "--surveys", str(surveys_dir)),
        cwd=FOLDER.parent,
        env={**passed(), "PYTHONPATH": str(FOLDER.parent), TOKEN: token},
    )
