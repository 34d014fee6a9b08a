"""Which models `otklik models use` chose: `var/models/chosen.json`, a name by kind and language or by survey.

What the settings name wins over it. Every process reads it when it starts, so a worker that is started
again has the model that its node uses now.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from bot.core.errors import Place, SettingsInvalid
from bot.core.files import write_whole
from bot.speech.models import ModelEntry
from bot.words import words


class Chosen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    asr: dict[str, str] = {}
    tts: dict[str, str] = {}
    surveys: dict[str, str] = {}
    """Recognisers of single surveys, by the survey's id."""

    def with_model(self, entry: ModelEntry) -> Chosen:
        kind = "asr" if entry.kind == "asr" else "tts"
        return self.model_copy(update={kind: {**getattr(self, kind), entry.language: entry.name}})

    def for_survey(self, survey_id: str, name: str) -> Chosen:
        """`name` "" lets the survey be heard by its language's model again."""
        others = {key: chosen for key, chosen in self.surveys.items() if key != survey_id}
        return self.model_copy(update={"surveys": others | ({survey_id: name} if name else {})})


def read_chosen(var_dir: Path) -> Chosen:
    """Raises SettingsInvalid for a file that cannot be read."""
    path = _path(var_dir)
    try:
        return Chosen.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return Chosen()
    except ValidationError as exc:
        said = words(f"выбранные модели не читаются: {exc}", f"cannot read the chosen models: {exc}")
        raise SettingsInvalid(said, place=Place(str(path))) from exc


def write_chosen(chosen: Chosen, var_dir: Path) -> None:
    path = _path(var_dir)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, chosen.model_dump_json(indent=1).encode())


def _path(var_dir: Path) -> Path:
    return var_dir / "models" / "chosen.json"
