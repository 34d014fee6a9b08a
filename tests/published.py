"""Publishing in one step, without prompts and SQL."""

from __future__ import annotations

from bot.published import Published
from bot.surveys.schema import Survey


def publish(published: Published, survey: Survey) -> str:
    """Frozen, and released to new calls; its hash."""
    digest = published.freeze(survey)
    published.release(digest)
    return digest
