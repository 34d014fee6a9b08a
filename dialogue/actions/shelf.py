"""Published surveys, read from disk once: a content hash never changes its content."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Protocol

from bot.core.errors import SurveyInvalid
from bot.surveys.loader import from_json
from bot.surveys.schema import Survey

DRAFTS = "drafts"
"""Below the folder of what is published: surveys that are only tried, by their hashes as well."""

KEPT = 64
"""Surveys kept in memory; the one that was read first goes first."""

_HASH = re.compile(r"[0-9a-f]{8,64}")


class Surveys(Protocol):
    """Where the actions get a survey from."""

    def by_hash(self, digest: str) -> Survey:
        """Raises SurveyInvalid where there is none, or one that cannot be read."""


class SurveyShelf:
    """`<hash>.json` in one folder, as `otklik` publishes them, or below it in `drafts`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._surveys: dict[str, Survey] = {}

    def by_hash(self, digest: str) -> Survey:
        """Raises SurveyInvalid."""
        if digest not in self._surveys:
            survey = from_json(self._read(digest))
            while len(self._surveys) >= KEPT:
                del self._surveys[next(iter(self._surveys))]
            self._surveys[digest] = survey
        return self._surveys[digest]

    def _read(self, digest: str) -> str:
        if not _HASH.fullmatch(digest):  # a name that comes over HTTP must not leave the folder
            raise SurveyInvalid(f"«{digest}» не похоже на хеш опроса")
        name = f"{digest}.json"
        path = self._folder / name
        try:
            return (path if path.exists() else self._folder / DRAFTS / name).read_text(encoding="utf-8")
        except OSError as error:
            raise SurveyInvalid(
                f"версии {digest[:12]} опроса нет в {self._folder}: {error.strerror}",
                hint="узел публикует опросы при запуске: перезапустите его",
            ) from error
