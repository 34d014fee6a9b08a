"""What the published versions of a survey asked: how an answer's code is to be read.

A version's JSON is read leniently, field by field: reports go back to versions whose schema this program
no longer has.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.reports.measures import SCORED, Scale
from bot.store.tables import SurveyRow


@dataclass(frozen=True, slots=True)
class Asked:
    """One question of one version. `options` are the ids of a choice with what callers say for each;
    `scale` is None where its answers are no codes, or where the version does not tell."""

    id: str
    kind: str
    place: int
    text: str = ""
    scale: Scale | None = None
    options: tuple[tuple[str, str], ...] = ()
    labels: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Version:
    """One published version of a survey; `place` orders the versions of all surveys by their publication."""

    hash: str
    survey_id: str
    version: str
    title: str
    place: int
    questions: Mapping[str, Asked]


@dataclass(frozen=True, slots=True)
class Definitions:
    """Every version that was published into this database, by its hash."""

    versions: Mapping[str, Version]

    def asked(self, survey_hash: str, question_id: str) -> Asked | None:
        version = self.versions.get(survey_hash)
        return version.questions.get(question_id) if version else None

    def scale(self, survey_hash: str, question_id: str, kind: str) -> Scale | None:
        """NPS is always 0-10; of the others only a known version tells the scale."""
        asked = self.asked(survey_hash, question_id)
        return asked.scale if asked else (NPS if kind == "nps" else None)

    def newest(self, survey_id: str) -> Version | None:
        of_it = [each for each in self.versions.values() if each.survey_id == survey_id]
        return max(of_it, key=lambda each: each.place, default=None)

    def title(self, survey_id: str) -> str:
        newest = self.newest(survey_id)
        return newest.title if newest else ""


NPS = Scale("nps", 0, 10)


async def definitions(session: AsyncSession) -> Definitions:
    statement = select(SurveyRow).order_by(col(SurveyRow.published_at), col(SurveyRow.hash))
    rows = (await session.exec(statement)).all()
    return of_rows(rows)


def of_rows(rows: Iterable[SurveyRow]) -> Definitions:
    """From rows in the order of their publication."""
    found = {
        row.hash: Version(
            row.hash, row.id, row.version, row.title, place, {each.id: each for each in _questions(row.json_)}
        )
        for place, row in enumerate(rows)
    }
    return Definitions(found)


def _questions(text: str) -> list[Asked]:
    data = json.loads(text)
    return [_asked(place, each) for place, each in enumerate(data.get("questions", ()))]


def _asked(place: int, question: Mapping[str, Any]) -> Asked:
    options = tuple(
        (option["id"], ", ".join(_many(option.get("say", ())))) for option in question.get("options", ())
    )
    labels = {int(code): label for code, label in question.get("labels", {}).items()}
    kind = question["kind"]
    return Asked(
        question["id"], kind, place, question.get("ask", ""), _scale(kind, question), options, labels
    )


def _many(value: str | Iterable[str]) -> Iterable[str]:
    return [value] if isinstance(value, str) else value


def _scale(kind: str, question: Mapping[str, Any]) -> Scale | None:
    """The defaults are those of `bot.surveys.questions`, which published JSON leaves out."""
    if kind == "nps":
        return NPS
    if kind == "csat":
        return Scale("csat", 1, question["points"], tuple(sorted(question["positive"])))
    if kind not in SCORED:
        return None
    low, high = (1, 7) if kind == "ces" else (0, 0)
    return Scale(
        kind, question.get("low", low), question.get("high", high), (), question.get("direction", "")
    )
