"""Sets Otklik up in its own folder: uv, both locked environments, the pages' files, the models.

    python3 tools/setup.py [--peers] [--only STEP]

Standard library only, because it runs before anything is installed. Every step has a stamp in
`.setup/` with the hash of what it was made from: a second run does nothing and costs a fraction of
a second. A step that was interrupted is thrown away and made anew. One set-up runs at a time.
Exit status: 0 done, 3 something is missing on this machine, 1 a step failed, 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import pages
import peers
from speak import say, text
from steps import Failed, Missing, Step, Workshop

ROOT = Path(__file__).resolve().parent.parent
UV_VERSION = "0.13.9"
SPEECH_MODEL = "vosk-model-otklik-demo-ru"
UNPACK = """
import sys
from pathlib import Path
from bot.speech.models import ensure_model
print(ensure_model(sys.argv[1], Path("models"), Path("var")))
"""
TRAIN = "from dialogue.training import train; train(print)"
NEEDED_BYTES = 3_500_000_000
"""Both environments (0.9 and 0.7 GB, measured) and as much again in uv's cache on the same disk."""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=text("Установка Отклика", "Sets Otklik up"))
    parser.add_argument(
        "--peers", action="store_true", help="also the Debian packages that the tests talk to"
    )
    parser.add_argument("--only", metavar="STEP", action="append", help="only what this step needs")
    options = parser.parse_args(arguments)
    started = time.monotonic()
    workshop = Workshop(ROOT)
    try:
        check_machine()
        with workshop.lock():
            steps = [step for step in all_steps(workshop) if wanted(step, options.only)]
            if options.peers:
                steps.append(peers.step(workshop))
            made = workshop.make(steps)
            seconds = time.monotonic() - started
            workshop.record(seconds, made)
    except Missing as missing:
        say(f"Otklik: {missing}", error=True)
        return 3
    except Failed as failed:
        say(f"Otklik: {failed}", error=True)
        return 1
    except KeyboardInterrupt:
        say(text("\nПрервано: в следующий раз продолжим с этого шага.", "\nInterrupted."), error=True)
        return 130
    if made:
        say(text(f"Готово за {seconds:.1f} с.", f"Done in {seconds:.1f} s."))
    return 0


def wanted(step: Step, only: list[str] | None) -> bool:
    return not only or step.key == "tools" or step.key in only


def check_machine() -> None:
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        raise Missing(
            text(
                f"нужен Linux на x86_64, а здесь {sys.platform} на {platform.machine()}: "
                "под другие машины нет колёс Rasa и baresip.",
                f"Linux on x86_64 is needed, this is {sys.platform} on {platform.machine()}.",
            )
        )
    free = shutil.disk_usage(ROOT).free
    if not (ROOT / "dialogue/.venv").exists() and free < NEEDED_BYTES:
        raise Missing(
            text(
                f"на диске свободно {free / 1e9:.1f} ГБ, для установки нужно {NEEDED_BYTES / 1e9:.0f} ГБ.",
                f"{free / 1e9:.1f} GB are free on the disk, set-up needs {NEEDED_BYTES / 1e9:.0f} GB.",
            )
        )


def all_steps(workshop: Workshop) -> list[Step]:
    uv = ROOT / ".tools/bin/uv"
    return [
        Step(
            key="tools",
            title=text(f"uv {UV_VERSION} в .tools/", f"uv {UV_VERSION} into .tools/"),
            inputs=[],
            salt=UV_VERSION,
            made=[uv],
            spoils=[ROOT / ".tools"],
            run=lambda: install_uv(workshop),
        ),
        Step(
            key="bot",
            title=text("окружение бота", "the bot's environment"),
            inputs=[ROOT / "pyproject.toml", ROOT / "uv.lock"],
            salt=UV_VERSION,
            made=[ROOT / ".venv/bin/python", ROOT / ".venv/bin/otklik"],
            spoils=[ROOT / ".venv"],
            run=lambda: workshop.run(
                [uv, "sync", "--locked", *this_python()], hint=network_hint(), env=uv_environment()
            ),
        ),
        pages.step(workshop, ROOT / "bot/web", uv, network_hint(), uv_environment()),
        Step(
            key="dialogue",
            title=text("окружение Rasa (Python 3.10)", "Rasa's environment (Python 3.10)"),
            inputs=[ROOT / "dialogue" / name for name in ("pyproject.toml", "uv.lock", ".python-version")],
            salt=UV_VERSION,
            made=[ROOT / "dialogue/.venv/bin/python"],
            spoils=[ROOT / "dialogue/.venv"],
            run=lambda: workshop.run(
                [uv, "sync", "--locked", "--directory", ROOT / "dialogue"],
                hint=network_hint(),
                env=uv_environment(),
            ),
        ),
        Step(
            key="speech",
            title=text("модель речи", "the speech model"),
            inputs=[ROOT / "models/manifest.toml", ROOT / "bot/speech/models.py"],
            made=[ROOT / "var/models" / SPEECH_MODEL],
            run=lambda: workshop.run([ROOT / ".venv/bin/python", "-c", UNPACK, SPEECH_MODEL]),
        ),
        Step(
            key="rasa",
            title=text("обучение Rasa", "training Rasa"),
            inputs=[ROOT / "dialogue" / name for name in RASA_SOURCES],
            made=[ROOT / "dialogue/models/otklik.tar.gz"],
            run=lambda: workshop.run([ROOT / ".venv/bin/python", "-u", "-c", TRAIN]),
        ),
    ]


RASA_SOURCES = (
    *("config.yml", "domain.yml", "uv.lock", "data"),
    *("server/tokens.py", "server/classifier.py", "server/clauses.py"),
)
"""As `SOURCES` in dialogue/training.py, which cannot be imported before there is an environment."""


def install_uv(workshop: Workshop) -> None:
    """uv from PyPI by this machine's own pip: in a venv, or where venv is missing by `pip --target`."""
    tools = ROOT / ".tools"
    requirement = f"uv=={UV_VERSION}"
    if has_module("venv") and has_module("ensurepip"):
        workshop.run([base_python(), "-m", "venv", "--clear", tools])
        pip: list[str | Path] = [tools / "bin/python", "-m", "pip", "install", "--no-deps", requirement]
    elif has_module("pip"):
        shutil.rmtree(tools, ignore_errors=True)
        pip = [base_python(), "-m", "pip", "install", "--no-deps", "--target", tools, requirement]
    else:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise Missing(
            text(
                f"у {base_python()} нет ни venv, ни pip.\n"
                f"  Поставьте их: sudo apt-get install python{version}-venv",
                f"{base_python()} has neither venv nor pip.\n"
                f"  Install them: sudo apt-get install python{version}-venv",
            )
        )
    workshop.run(pip, hint=network_hint())


def has_module(name: str) -> bool:
    """Whether the Python that set-up runs under can import a module (Debian ships it in parts)."""
    from importlib.util import find_spec

    return find_spec(name) is not None


def base_python() -> str:
    """The interpreter itself, also where set-up was started from an activated environment."""
    return str(getattr(sys, "_base_executable", None) or sys.executable)


def this_python() -> list[str]:
    """The python3 that is here, where the project can use it; otherwise uv finds or fetches one."""
    return ["--python", base_python()] if (3, 11) <= sys.version_info < (3, 14) else []


def uv_environment() -> dict[str, str]:
    """The caller's environment without what would lead uv out of this project's folders.

    `PYENV_*`: where `python3` is a pyenv shim it pins its own version for its children, and they would
    not find Rasa's Python 3.10 beside it.
    """
    strays = {"VIRTUAL_ENV", "UV_PROJECT", "UV_PROJECT_ENVIRONMENT", "UV_WORKING_DIR"}
    strays |= {"PYTHONHOME", "PYTHONPATH", "PYENV_VERSION", "PYENV_DIR"}
    return {name: value for name, value in os.environ.items() if name not in strays}


def network_hint() -> str:
    return text(
        "Нужен доступ к PyPI (или его зеркалу из настроек pip и uv этой машины). Потом повторите команду.",
        "PyPI, or the mirror this machine's pip and uv are set to, must be reachable. Then run it again.",
    )


if __name__ == "__main__":
    sys.exit(main())
