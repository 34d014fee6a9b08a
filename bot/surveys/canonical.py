"""A survey as text that is the same for the same survey: what is published, stored and hashed."""

from __future__ import annotations

import hashlib
import json

from pydantic import ValidationError

from bot.core.errors import SurveyInvalid
from bot.surveys.schema import PUBLISHED, Survey

SHORT_HASH = 12
"""Characters of a hash that people are shown; enough to tell a million versions apart."""


def to_json(survey: Survey) -> str:
    """Canonical JSON: keys sorted, no spaces, defaults of the schema left out, UTF-8 as it is.

    Leaving defaults out keeps the hash of a published survey when the schema gains a field.
    """
    data = survey.model_dump(mode="json", exclude_defaults=True)
    return json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def from_json(text: str) -> Survey:
    """The survey that `to_json` wrote. Raises SurveyInvalid."""
    try:
        return Survey.model_validate_json(text, context=PUBLISHED)
    except ValidationError as error:
        raise SurveyInvalid(f"опубликованный опрос не читается: {error}") from error


def survey_hash(survey: Survey) -> str:
    """SHA-256 of the canonical JSON, 64 hex digits: the name of a published version."""
    return hashlib.sha256(to_json(survey).encode()).hexdigest()
