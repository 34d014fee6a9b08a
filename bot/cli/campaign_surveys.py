"""The survey that a campaign names, as this node would run it."""

from __future__ import annotations

from collections.abc import Callable

from bot.published import Published, published_dir
from bot.settings import Settings
from bot.surveys.loader import load_survey
from bot.surveys.schema import Survey


def survey_named(settings: Settings) -> Callable[[str], Survey | None]:
    """A published version, else the file of the surveys' folder that a node will publish at its start.

    What it returns raises SurveyInvalid for a survey that is there and damaged.
    """
    published = Published(published_dir(settings))

    def find(name: str) -> Survey | None:
        survey_id, _, version = name.partition("@")
        for each in published.versions():
            if each.id == survey_id and (str(each.version) == version if version else each.current):
                return published.by_hash(each.digest)
        file = settings.surveys_dir / f"{survey_id}.yaml"
        survey = load_survey(file) if file.exists() else None
        if survey is None or survey.id != survey_id or (version and version != str(survey.version)):
            return None
        return survey

    return find
