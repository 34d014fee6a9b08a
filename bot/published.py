"""Published surveys on disk: frozen under their content hash, shared by all processes of a node.

    var/surveys/<hash>.json    a survey, complete with every wording it can say
    var/surveys/current.json   survey id -> hash of the version that new calls run
    var/surveys/recordings/    prompts that people recorded, by the hash of their content

Files are written whole and then renamed, so a reader never sees half of one. A call keeps the
version it began with. One id and version name one content for ever: answers are read by them.
"""

from __future__ import annotations

import fcntl
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.core.errors import SurveyInvalid, SurveyVersionTaken
from bot.core.files import write_whole
from bot.settings import Settings
from bot.surveys.canonical import SHORT_HASH
from bot.surveys.loader import from_json, survey_hash, to_json
from bot.surveys.schema import Survey
from bot.words import words

CURRENT = "current.json"

_HASH_NAME = re.compile(r"[0-9a-f]{6,64}")


def published_dir(settings: Settings) -> Path:
    return settings.var_dir / "surveys"


def recordings_dir(settings: Settings) -> Path:
    return published_dir(settings) / "recordings"


@dataclass(frozen=True, slots=True)
class Version:
    """One frozen version, by what it says of itself. `current`: new calls run it."""

    id: str
    version: int
    title: str
    digest: str
    current: bool


class Published:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._surveys: dict[str, Survey] = {}

    # Writing ---------------------------------------------------------------------------------

    def require_free(self, survey: Survey) -> None:
        """Raises SurveyVersionTaken where this id and version are frozen with another content."""
        taken = self.twin(survey)
        if taken is not None:
            raise version_taken(survey, taken.digest)

    def freeze(self, survey: Survey) -> str:
        """Keep a version for ever; its content hash. Again for the same content changes nothing.

        Raises SurveyVersionTaken.
        """
        digest = survey_hash(survey)
        with self._alone():
            self.require_free(survey)
            path = self._path(digest)
            if not path.exists():
                write_whole(path, to_json(survey).encode())
        return digest

    def release(self, digest: str) -> None:
        """Let new calls run this frozen version. Raises SurveyInvalid where it is not here."""
        survey_id = self.by_hash(digest).id
        with self._alone():
            current = self.current()
            if current.get(survey_id) != digest:
                released = json.dumps({**current, survey_id: digest}, indent=1)
                write_whole(self.folder / CURRENT, released.encode())

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Against a node and a command that publish at once: what is read here is true until written."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    # Reading ---------------------------------------------------------------------------------

    def current(self) -> dict[str, str]:
        """Survey id -> hash."""
        path = self.folder / CURRENT
        if not path.exists():
            return {}
        current: dict[str, str] = json.loads(path.read_text())
        return current

    def versions(self) -> tuple[Version, ...]:
        """All that are frozen, by id and version. Raises SurveyInvalid for a damaged file."""
        current = set(self.current().values())
        found = []
        for path in self.folder.glob("*.json"):
            if path.name == CURRENT:
                continue
            try:
                says = json.loads(path.read_text(encoding="utf-8"))
                found.append(
                    Version(says["id"], says["version"], says["title"], path.stem, path.stem in current)
                )
            except (ValueError, KeyError, TypeError) as error:
                raise SurveyInvalid(
                    f"{path} — не опубликованный опрос: {error}", hint="уберите этот файл из папки"
                ) from error
        return tuple(sorted(found, key=lambda each: (each.id, each.version, each.digest)))

    def twin(self, survey: Survey) -> Version | None:
        """A version of the same id and number and of another content, where this one is not frozen."""
        digest = survey_hash(survey)
        if self._path(digest).exists():
            return None
        same = [each for each in self.versions() if (each.id, each.version) == (survey.id, survey.version)]
        return max(same, key=lambda each: each.current, default=None)

    def by_id(self, survey_id: str) -> tuple[str, Survey]:
        """The version that new calls run, and its hash. Raises SurveyInvalid."""
        current = self.current()
        if survey_id not in current:
            known = ", ".join(sorted(current)) or "ни одного"
            raise SurveyInvalid(f"опрос «{survey_id}» не опубликован", hint=f"есть: {known}")
        digest = current[survey_id]
        return digest, self.by_hash(digest)

    def by_hash(self, digest: str) -> Survey:
        """Raises SurveyInvalid for a version that is not here."""
        if digest not in self._surveys:
            path = self._path(digest)
            if not path.exists():
                raise SurveyInvalid(f"версии {digest[:SHORT_HASH]} опроса нет в {self.folder}")
            self._surveys[digest] = from_json(path.read_text(encoding="utf-8"))
        return self._surveys[digest]

    def named(self, name: str) -> tuple[str, Survey]:
        """By `id`, `id@version`, or the beginning of a hash, 6 digits at least. Raises SurveyInvalid."""
        survey_id, _, number = name.partition("@")
        versions = self.versions()
        found = [
            each.digest
            for each in versions
            if (number and each.id == survey_id and str(each.version) == number.removeprefix("v"))
            or (_HASH_NAME.fullmatch(name) and each.digest.startswith(name))
        ]
        if not found and not number and name in self.current():
            return self.by_id(name)
        if len(found) == 1:
            return found[0], self.by_hash(found[0])
        if found:
            hashes = ", ".join(digest[:SHORT_HASH] for digest in found)
            raise SurveyInvalid(f"«{name}» — это несколько версий", hint=f"назовите хеш: {hashes}")
        known = ", ".join(f"{each.id}@{each.version}" for each in versions) or "ни одной"
        raise SurveyInvalid(f"нет ни файла, ни опубликованной версии «{name}»", hint=f"опубликованы: {known}")

    def _path(self, digest: str) -> Path:
        return self.folder / f"{digest}.json"


def version_taken(survey: Survey, digest: str) -> SurveyVersionTaken:
    """The same words wherever it is found out."""
    return SurveyVersionTaken(
        words(
            f"{survey.id} v{survey.version} уже опубликован с другим содержанием ({digest[:SHORT_HASH]})",
            f"{survey.id} v{survey.version} is published with another content ({digest[:SHORT_HASH]})",
        ),
        hint=words(
            f"поднимите version хотя бы до {survey.version + 1}: ответы читают по номеру версии",
            f"raise version to {survey.version + 1} at least: answers are read by it",
        ),
    )
