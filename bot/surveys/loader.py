"""From a survey file to a `Survey`, or to every problem with its file, line and column."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from bot.core.errors import SurveyInvalid
from bot.surveys.canonical import from_json, survey_hash, to_json
from bot.surveys.dictionary_files import with_dictionaries
from bot.surveys.problems import Problem
from bot.surveys.recordings import with_digests
from bot.surveys.schema import Survey
from bot.surveys.schema_problems import SurveyFile, open_file, plain, problems_of

__all__ = [
    "Problem",
    "SurveyRead",
    "find_problems",
    "from_json",
    "load_survey",
    "read_survey",
    "survey_hash",
    "to_json",
]


@dataclass(frozen=True, slots=True)
class SurveyRead:
    """What came of reading a file: None where it went no further, and then at least one problem."""

    file: SurveyFile | None
    survey: Survey | None
    problems: tuple[Problem, ...]


def load_survey(path: Path) -> Survey:
    """Raises SurveyInvalid with the first problem and its place; the hint tells all the others."""
    read = read_survey(path)
    if read.survey is not None:
        return read.survey
    first, *others = read.problems
    hint = "\n  ".join(filter(None, (first.hint, *map(str, others))))
    raise SurveyInvalid(first.message, hint=hint, place=first.place)


def find_problems(path: Path) -> tuple[Problem, ...]:
    """Everything wrong with a file, in the order of its lines; empty where it is a survey."""
    return read_survey(path).problems


def read_survey(path: Path) -> SurveyRead:
    """The survey, or everything that keeps the file from being one."""
    file = open_file(path)
    if isinstance(file, Problem):
        return SurveyRead(None, None, (file,))
    filled, faults = with_digests(plain(file.data), path.parent)
    filled, more, of_dictionaries = with_dictionaries(filled, path.parent)
    found = [*(file.problem(fault) for fault in (*faults, *more)), *of_dictionaries]
    try:
        survey = Survey.model_validate(filled)
        if not found:
            return SurveyRead(file, survey, ())
    except ValidationError as error:
        found += problems_of(file, error, Survey)
    unique = dict.fromkeys(found)
    in_order = sorted(unique, key=lambda problem: (problem.place.line, problem.place.column))
    return SurveyRead(file, None, tuple(in_order))
