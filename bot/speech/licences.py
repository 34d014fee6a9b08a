"""Licences that forbid commercial use: asked about once, and the answer kept in `var/models`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from bot.core.errors import LicenceUnanswered, Place, SettingsInvalid
from bot.core.files import write_whole
from bot.speech.models import ModelEntry
from bot.words import words


class Agreement(BaseModel):
    """Somebody of this machine said that a model is used as its licence allows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    licence: str
    at: datetime
    user: str


_Agreements = TypeAdapter(dict[str, Agreement])


def agreements(var_dir: Path) -> dict[str, Agreement]:
    """By the names of models. Raises SettingsInvalid for a file that cannot be read."""
    path = _path(var_dir)
    try:
        return _Agreements.validate_json(path.read_bytes())
    except FileNotFoundError:
        return {}
    except ValidationError as exc:
        said = words(f"согласия с лицензиями не читаются: {exc}", f"cannot read the agreed licences: {exc}")
        raise SettingsInvalid(said, place=Place(str(path))) from exc


def is_open(entry: ModelEntry, var_dir: Path) -> bool:
    """Whether a model's licence has still to be asked about: another licence than was agreed to, too."""
    agreed = agreements(var_dir).get(entry.name)
    return not entry.commercial and (agreed is None or agreed.licence != entry.licence)


def agree(entry: ModelEntry, var_dir: Path, *, at: datetime, user: str) -> None:
    path = _path(var_dir)
    path.parent.mkdir(parents=True, exist_ok=True)
    now = {**agreements(var_dir), entry.name: Agreement(licence=entry.licence, at=at, user=user)}
    write_whole(path, _Agreements.dump_json(now, indent=1))


def require_licence(entry: ModelEntry, var_dir: Path, command: str = "use") -> None:
    """Raises LicenceUnanswered. `command` is that of `otklik models` which asks."""
    if is_open(entry, var_dir):
        raise LicenceUnanswered(
            words(
                f"{entry.name}: лицензия {entry.licence} запрещает коммерческое применение",
                f"{entry.name}: the licence {entry.licence} forbids commercial use",
            ),
            hint=words(
                f"в терминале otklik models {command} {entry.name} спросит об этом один раз, в скрипте "
                "ответит --accept-licence; или возьмите голос под MIT",
                f"in a terminal otklik models {command} {entry.name} asks about it once, in a script "
                "--accept-licence answers; or take a voice under MIT",
            ),
        )


def _path(var_dir: Path) -> Path:
    return var_dir / "models" / "licences.json"
