"""Everything that a manager is shown of a scope, as one typed value; `as_json` writes it for programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.endings import Disposition
from bot.reports.choices import names_of
from bot.reports.corrected import Corrected, corrected
from bot.reports.definitions import Definitions, definitions
from bot.reports.funnel import Funnel, QuestionFigures, funnels, outcomes, questions
from bot.reports.handling import (
    REPEAT_DAYS,
    Handling,
    HeatCell,
    Matters,
    Repeats,
    handling,
    heat,
    matters,
    repeats,
)
from bot.reports.measures import SMALL, Change, Measure, Scale
from bot.reports.scores import Key, Scores, changes, scores
from bot.reports.slices import By, Scope
from bot.store.database import Database
from bot.surveys.scoring import Score


@dataclass(frozen=True, slots=True)
class Row:
    """One slice. `key` is its id or, over time, the first day of a part (ISO 8601); `label` is its name."""

    key: str
    label: str
    scores: Scores
    funnel: Funnel
    handling: Handling
    repeats: Repeats


@dataclass(frozen=True, slots=True)
class Sliced:
    """A scope's slices, and all of it in `total`; a call may count in several slices, or in none."""

    scope: Scope
    by: By
    rows: tuple[Row, ...]
    total: Row


@dataclass(frozen=True, slots=True)
class Report:
    scope: Scope
    by: By | None
    scores: Scores
    changes: Mapping[Scale, Change]
    funnel: Funnel
    funnel_before: Funnel
    questions: tuple[QuestionFigures, ...]
    outcomes: Mapping[Disposition, int]
    handling: Handling
    repeats: Repeats
    matters: Matters
    heat: tuple[HeatCell, ...]
    rows: tuple[Row, ...]
    names: Mapping[str, str]
    """What the questions ask, by `SURVEY.QUESTION`, in the words of the newest version."""
    corrected: Corrected = field(default_factory=Corrected)

    @property
    def empty(self) -> bool:
        return self.funnel.dialled == 0


async def report(
    db: Database,
    scope: Scope,
    now: datetime,
    *,
    by: By | None = None,
    repeat_days: int = REPEAT_DAYS,
    brief: bool = False,
) -> Report:
    """All figures are of one and the same state of the database. Rows that are `brief` have their scores and
    their funnel only, as a chart needs them."""
    before = scope.before()
    async with db.read() as session:
        known = await definitions(session)
        these = (await scores(session, scope, known)).get("", Scores())
        those = (await scores(session, before, known)).get("", Scores())
        return Report(
            scope=scope,
            by=by,
            scores=these,
            changes=changes(these, those),
            funnel=(await funnels(session, scope)).get("", Funnel()),
            funnel_before=(await funnels(session, before)).get("", Funnel()),
            questions=await questions(session, scope, known),
            outcomes=await outcomes(session, scope),
            handling=(await handling(session, scope)).get("", Handling()),
            repeats=(await repeats(session, scope, now, repeat_days)).get("", Repeats(repeat_days)),
            matters=await matters(session, scope),
            heat=await heat(session, scope),
            rows=await rows(session, scope, by, known, now, repeat_days, brief=brief)
            if by is not None
            else (),
            names=_texts(known),
            corrected=await corrected(session, scope),
        )


def _texts(known: Definitions) -> dict[str, str]:
    newest = {each.survey_id: known.newest(each.survey_id) for each in known.versions.values()}
    return {
        f"{survey_id}.{question.id}": question.text
        for survey_id, version in newest.items()
        if version is not None
        for question in version.questions.values()
    }


async def sliced(
    db: Database, scope: Scope, by: By, now: datetime, *, repeat_days: int = REPEAT_DAYS
) -> Sliced:
    """The rows of `report`, and what they are parts of."""
    async with db.read() as session:
        known = await definitions(session)
        total = Row(
            "",
            "",
            (await scores(session, scope, known)).get("", Scores()),
            (await funnels(session, scope)).get("", Funnel()),
            (await handling(session, scope)).get("", Handling()),
            (await repeats(session, scope, now, repeat_days)).get("", Repeats(repeat_days)),
        )
        return Sliced(scope, by, await rows(session, scope, by, known, now, repeat_days), total)


async def rows(
    session: AsyncSession,
    scope: Scope,
    by: By,
    known: Definitions,
    now: datetime,
    repeat_days: int,
    *,
    brief: bool = False,
) -> tuple[Row, ...]:
    """Over time every part of the period, also those without a call; else every slice that has any, by
    the number of its calls."""
    of_scores = await scores(session, scope, known, by)
    of_funnels = await funnels(session, scope, by)
    of_handling = await handling(session, scope, by) if not brief else {}
    of_repeats = await repeats(session, scope, now, repeat_days, by) if not brief else {}

    def row(key: Key, shown: str, label: str) -> Row:
        return Row(
            shown,
            label,
            of_scores.get(key, Scores()),
            of_funnels.get(key, Funnel()),
            of_handling.get(key, Handling()),
            of_repeats.get(key, Repeats(repeat_days)),
        )

    if by.grain is not None:
        parts = scope.period.parts(by.grain)
        return tuple(row(place, part.first.isoformat(), "") for place, part in enumerate(parts))
    named = await names_of(session, by)
    found = [row(key, str(key), named.get(str(key), "")) for key in of_funnels]
    return tuple(sorted(found, key=lambda each: (-each.funnel.dialled, each.key)))


# For programs -----------------------------------------------------------------------------------


def as_json(found: Report) -> dict[str, Any]:
    period = found.scope.period
    return {
        "period": {
            "first": period.first.isoformat(),
            "last": period.last.isoformat(),
            "timezone": period.zone,
            "start": period.start.isoformat(),
            "end": period.end.isoformat(),
        },
        "filters": {
            "employees": found.scope.employees,
            "departments": found.scope.departments,
            "surveys": found.scope.surveys,
            "campaigns": found.scope.campaigns,
            "topics": found.scope.topics,
        },
        "small_below": SMALL,
        "scores": [
            measure_json(each) | {"change": change_json(found.changes[each.scale])}
            for each in found.scores.measures
        ],
        "scores_by_question": [
            {"survey": each.survey_id, "question": each.question_id} | measure_json(each.measure)
            for each in found.scores.questions
        ],
        "unread_answers": found.scores.unread,
        "funnel": funnel_json(found.funnel),
        "funnel_before": funnel_json(found.funnel_before),
        "questions": [question_json(each) for each in found.questions],
        "outcomes": {name.value: times for name, times in found.outcomes.items()},
        "handling": handling_json(found.handling),
        "repeats": repeats_json(found.repeats),
        "corrected_by_hand": {"answers": found.corrected.answers, "topics": found.corrected.topics},
        "matters": {
            "of_calls": found.matters.calls,
            "negative": found.matters.negative,
            "complaint_topics": found.matters.topics,
            "other_topics": found.matters.others,
            "signals": found.matters.signals,
            "found_by": found.matters.rules,
        },
        "heat": [
            {
                "weekday": each.weekday,
                "hour": each.hour,
                "dialled": each.dialled,
                "answered": each.answered,
                "completed": each.completed,
            }
            for each in found.heat
        ],
        "by": found.by,
        "rows": [
            {
                "key": each.key,
                "name": each.label,
                "scores": [measure_json(measure) for measure in each.scores.measures],
                "funnel": funnel_json(each.funnel),
                "handling": handling_json(each.handling),
                "repeats": repeats_json(each.repeats),
            }
            for each in found.rows
        ],
    }


def score_json(score: Score) -> dict[str, Any]:
    return {"n": score.count, "value": score.value, "low": score.low, "high": score.high}


def change_json(change: Change) -> dict[str, Any]:
    return {"value": change.value, "low": change.low, "high": change.high, "clear": change.clear}


def measure_json(measure: Measure) -> dict[str, Any]:
    scale = measure.scale
    found: dict[str, Any] = {
        "kind": scale.kind,
        "low": scale.low,
        "high": scale.high,
        **score_json(measure.score),
        "mean": measure.mean.value,
        "small": measure.small,
        "codes": {str(code): measure.counts[code] for code in sorted(measure.counts)},
    }
    if scale.kind == "nps":
        groups = ("promoters", "passives", "detractors")
        found |= {group: getattr(measure, group) for group in groups}
    if scale.positive:
        found["positive"] = list(scale.positive)
    if scale.direction:
        found["direction"] = scale.direction
    return found


def funnel_json(funnel: Funnel) -> list[dict[str, Any]]:
    return [
        {"step": each.name, "count": each.count, "of": each.of, "share": score_json(each.share)}
        for each in funnel.steps()
    ]


def question_json(each: QuestionFigures) -> dict[str, Any]:
    counts = ("put", "answered", "dont_know", "refused", "no_answer", "dropped", "elsewhere", "reasked")
    return {
        "survey": each.survey_id,
        "question": each.question_id,
        **{name: getattr(each, name) for name in counts},
        "drop_off": score_json(each.drop_off),
        "reask_rate": score_json(each.reask_rate),
    }


def repeats_json(each: Repeats) -> dict[str, Any]:
    counts = {"days": each.days, "contacts": each.contacts, "repeated": each.repeated}
    return {**counts, "share": score_json(each.share)}


def handling_json(each: Handling) -> dict[str, Any]:
    return {
        "calls": each.calls,
        "call_s": each.call_s,
        "customers": each.customers,
        "contacts_per_customer": each.contacts_per_customer,
        "handovers": each.handovers,
        "connected": each.connected,
        "connected_share": score_json(each.connected_share),
        "talk_s": each.talk_s,
        "to_agent_s": each.to_agent_s,
        "soon_share": score_json(each.soon_share),
        "held": each.held,
        "held_share": score_json(each.held_share),
        "held_s": each.held_s,
    }
