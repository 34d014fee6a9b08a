"""From a campaign's file to a `Campaign`, or to every problem with its file, line and column."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from bot.campaigns.schema import Campaign
from bot.core.errors import CampaignInvalid
from bot.surveys.problems import Problem
from bot.surveys.schema_problems import SurveyFile, open_file, plain, problems_of


@dataclass(frozen=True, slots=True)
class CampaignRead:
    """What came of reading a file: a campaign, or at least one problem. `file` is None for no YAML."""

    file: SurveyFile | None
    campaign: Campaign | None
    problems: tuple[Problem, ...] = ()


def read_campaign(path: Path) -> CampaignRead:
    """Problems are in the order of their lines."""
    file = open_file(path)
    if isinstance(file, Problem):
        return CampaignRead(None, None, (file,))
    try:
        return CampaignRead(file, Campaign.model_validate(plain(file.data)))
    except ValidationError as error:
        found = dict.fromkeys(problems_of(file, error, Campaign))
        in_order = sorted(found, key=lambda problem: (problem.place.line, problem.place.column))
        return CampaignRead(file, None, tuple(in_order))


def load_campaign(path: Path) -> Campaign:
    """Raises CampaignInvalid with the first problem and its place; the hint tells all the others."""
    read = read_campaign(path)
    if read.campaign is not None:
        return read.campaign
    first, *others = read.problems
    hint = "\n  ".join(filter(None, (first.hint, *map(str, others))))
    raise CampaignInvalid(first.message, hint=hint, place=first.place)
