"""A survey by whatever a person calls it, and what it is called to a person."""

from __future__ import annotations

from pathlib import Path

from bot.surveys.canonical import SHORT_HASH, survey_hash
from bot.surveys.loader import load_survey
from bot.surveys.schema import Survey
from bot.words import words

SURVEY_HELP = words("Файл, id@версия или хеш", "A file, id@version or a hash")


def find_survey(name: str) -> Survey:
    """A file, or a published version by `id`, `id@version` or its hash. Raises SurveyInvalid."""
    if Path(name).suffix in (".yaml", ".yml") or Path(name).exists():
        return load_survey(Path(name))
    from bot.published import Published, published_dir  # the settings load slowly, and a file needs none
    from bot.settings_load import load_settings

    return Published(published_dir(load_settings())).named(name)[1]


def name_of(survey: Survey) -> str:
    """«nps v2 · 27d600bf9f99»."""
    return f"{survey.id} v{survey.version} · {survey_hash(survey)[:SHORT_HASH]}"
