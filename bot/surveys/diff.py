"""Two versions of a survey side by side: what changed in meaning, and what that does to the scores."""

from __future__ import annotations

from dataclasses import dataclass

from bot.surveys.changes import ASIDE, Change, changes_between
from bot.surveys.comparability import SCORED, Effect, Verdict, verdicts
from bot.surveys.meaning import same_ways
from bot.surveys.paths import paths_of
from bot.surveys.schema import Survey

__all__ = ["Change", "Effect", "SurveyDiff", "Verdict", "diff"]


@dataclass(frozen=True, slots=True)
class SurveyDiff:
    """`aside` are fields that differ and mean nothing to a caller; `ways` how many there were and are."""

    changes: tuple[Change, ...]
    verdicts: tuple[Verdict, ...]
    aside: tuple[Change, ...]
    ways: tuple[int, int]

    @property
    def same(self) -> bool:
        return not self.changes

    @property
    def effect(self) -> Effect | None:
        """Of all scores together; None where there are none."""
        return max((each.effect for each in self.verdicts if each.kind in SCORED), default=None)


def diff(a: Survey, b: Survey) -> SurveyDiff:
    """From `a`, the older, to `b`."""
    ways = paths_of(a), paths_of(b)
    changes = changes_between(a, b, alike=same_ways(*ways))
    aside = tuple(
        Change("survey", "changed", "", name, getattr(a, name), getattr(b, name))
        for name in ASIDE
        if getattr(a, name) != getattr(b, name)
    )
    found = tuple(verdicts(a, b, changes, ways))
    return SurveyDiff(changes, found, aside, (ways[0].count, ways[1].count))
