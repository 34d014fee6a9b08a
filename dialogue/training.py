"""Training Rasa, once for the same data: a stamp beside the model tells what it was made from."""

from __future__ import annotations

import fcntl
import hashlib
import subprocess
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ruamel.yaml import YAML

from bot.core.errors import DiskFull, ModelMissing
from dialogue.evaluation import folded
from dialogue.launch import FOLDER, MODEL, rasa_env, rasa_python

SOURCES = (
    *("config.yml", "domain.yml", "uv.lock", "data"),
    *("server/tokens.py", "server/classifier.py", "server/clauses.py"),
)
"""What a model is made from; the lock stands for Rasa's own version."""

NEEDED_BYTES = 200_000_000
"""Free space that a training needs for its cache and the model."""

_STEP = "Starting to train component"
_LAST_LINES = 15


def stamp(folder: Path = FOLDER) -> str:
    """SHA-256 over the names and contents of everything that a model is made from."""
    digest = hashlib.sha256()
    for path in sorted(_files(folder)):
        digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def trained_sentences(folder: Path = FOLDER) -> frozenset[str]:
    """Every sentence of the training data, `folded`."""
    yaml = YAML(typ="safe")
    found = set()
    for path in sorted((folder / "data" / "nlu").glob("*.yml")):
        for entry in yaml.load(path.read_text(encoding="utf-8"))["nlu"]:
            found |= {folded(line.removeprefix("- ")) for line in entry.get("examples", "").splitlines()}
    return frozenset(found)


def is_trained(folder: Path = FOLDER, model: Path = MODEL) -> bool:
    """Whether the model is there and was made from what the folder holds now."""
    kept = _stamp_file(model)
    return model.exists() and kept.exists() and kept.read_text().strip() == stamp(folder)


def train(
    progress: Callable[[str], None] | None = None, *, folder: Path = FOLDER, model: Path = MODEL
) -> bool:
    """Train unless the model is up to date; True where something was done.

    `progress` is told of each step. A model appears whole or not at all, and two trainings at a
    time wait for one another. Raises ModelMissing where Rasa fails, with its last words.
    """
    model.parent.mkdir(parents=True, exist_ok=True)
    with _alone(model.with_suffix(".lock")):
        if is_trained(folder, model):
            return False
        made_from = stamp(folder)
        _run_rasa(progress or (lambda _: None), folder, model)
        _stamp_file(model).write_text(made_from + "\n")
    return True


def _run_rasa(progress: Callable[[str], None], folder: Path, model: Path) -> None:
    draft = model.parent / "draft.tar.gz"
    argv = [
        *(str(rasa_python(folder)), str(FOLDER / "server" / "train.py"), "train", "--skip-validation"),
        *("--config", "config.yml", "--domain", "domain.yml", "--data", "data"),
        *("--out", str(model.parent), "--fixed-model-name", "draft"),
    ]
    last: deque[str] = deque(maxlen=_LAST_LINES)
    with subprocess.Popen(
        argv,
        cwd=folder,
        env=rasa_env(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            last.append(line.rstrip())
            if _STEP in line:
                progress(line.split(_STEP)[1].strip(" '.\n"))
    if process.returncode != 0 or not draft.exists():
        words = "\n".join(last)
        if "No space left" in words:
            raise DiskFull("на диске нет места для обучения Rasa", hint=f"нужно {NEEDED_BYTES // 10**6} МБ")
        raise ModelMissing(f"обучение Rasa не удалось (код {process.returncode}):\n{words}")
    draft.replace(model)


def _files(folder: Path) -> Iterator[Path]:
    for name in SOURCES:
        path = folder / name
        yield from (path.rglob("*.yml") if path.is_dir() else [path])


def _stamp_file(model: Path) -> Path:
    return model.with_name(model.name + ".stamp")


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
