"""Recorded prompts beside a survey's file: found, looked at, and named by the digest of their content."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from bot.surveys.problems import Fault, Loc

MAX_SOUND_BYTES = 10 * 1024 * 1024
"""A minute and a half at studio quality, 48 kHz, 16 bit, one channel; a question is some ten seconds."""

_UNKNOWN = "0" * 64


def with_digests(data: Any, folder: Path) -> tuple[Any, tuple[Fault, ...]]:
    """Survey data with the SHA-256 of each recording's file, and what is wrong with the files.

    `data` is as it was read from YAML: whatever is not a recording is passed on for the schema to
    judge. A recording's file lies in `folder` or below it.
    """
    if not isinstance(data, dict) or not isinstance(data.get("questions"), list):
        return data, ()
    faults: list[Fault] = []
    questions = []
    for place, question in enumerate(data["questions"]):
        if isinstance(question, dict) and "audio" in question:
            loc: Loc = ("questions", place, "audio")
            question = {**question, "audio": _audio(question["audio"], folder, loc, faults)}
        questions.append(question)
    return {**data, "questions": questions}, tuple(faults)


def _audio(audio: Any, folder: Path, loc: Loc, faults: list[Fault]) -> Any:
    if isinstance(audio, str) or (isinstance(audio, dict) and "file" in audio):
        return _recorded(audio, folder, loc, faults)
    if not isinstance(audio, dict):
        return audio
    filled: dict[Any, Any] = {}
    for key, value in audio.items():
        if isinstance(value, list):
            filled[key] = [_recorded(each, folder, (*loc, key, n), faults) for n, each in enumerate(value)]
        else:
            filled[key] = _recorded(value, folder, (*loc, key), faults)
    return filled


def _recorded(written: Any, folder: Path, loc: Loc, faults: list[Fault]) -> Any:
    name = written.get("file") if isinstance(written, dict) else written
    if not isinstance(name, str) or not name:
        return written
    digest, given = _UNKNOWN, written.get("sha256") if isinstance(written, dict) else None
    found = list(_wrong(name, folder))
    if not found:
        content = (folder / name).read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        if content[:4] not in (b"RIFF", b"fLaC"):
            found = [("это не WAV и не FLAC", "сохраните запись как WAV")]
        elif given is not None and given != digest:
            found = [("содержимое записи не то, что названо в sha256", "уберите sha256: его ставит otklik")]
    faults += [Fault("bad-audio", f"{name}: {message}", loc, hint, name) for message, hint in found]
    return {"file": name, "sha256": digest}


def _wrong(name: str, folder: Path) -> Iterator[tuple[str, str]]:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        yield "запись должна лежать рядом с файлом опроса или ниже", "положите её в папку опроса"
        return
    try:
        size = (folder / path).stat().st_size
        if not (folder / path).is_file():
            yield "это не файл", "назовите файл записи"
        elif size > MAX_SOUND_BYTES:
            yield f"запись слишком большая: {size} байт", f"не больше {MAX_SOUND_BYTES} байт"
        else:
            with (folder / path).open("rb"):
                pass
    except OSError as error:
        reason = "такого файла нет" if isinstance(error, FileNotFoundError) else error.strerror or str(error)
        yield f"запись не читается: {reason}", "путь считается от файла опроса"
