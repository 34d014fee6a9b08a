"""What takes a processor's time of a draft (its lint, its comparison) in a process of its own: never where
sound is, and never in control's loop. It is asked by `bot.draft_checks`, and yields to everybody else.

    {"do": "check", "text": …, "thorough": true}   -> {"problems": […], "survey": … or null}
    {"do": "compare", "a": json, "b": json, "language": "ru"} -> what `otklik survey diff` tells

JSON, a line each way. A draft is read as if it lay in the folder of surveys: recordings and dictionaries
are found there.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import IO, Any

from bot.core.errors import OtklikError
from bot.linting import lint_tools
from bot.logs import configure_logs
from bot.settings_load import load_settings
from bot.surveys.comparability import SCORED
from bot.surveys.diff import diff
from bot.surveys.diff_words import EFFECTS, field_word, reasons_of, told
from bot.surveys.lint import NO_TOOLS, Tools, lint
from bot.surveys.loader import from_json, load_survey, survey_hash, to_json
from bot.surveys.problems import Problem
from bot.surveys.questions import expectation_of

NICENESS = 10
"""People wait for it half a second; callers wait for what runs beside it."""

NAME = "draft.yaml"
SURVEY_FILES = (".yaml", ".yml")


@contextmanager
def beside_surveys(folder: Path) -> Iterator[Path]:
    """A path for a draft's file from which everything beside the survey files is found as from theirs."""
    with tempfile.TemporaryDirectory(prefix="otklik-draft-") as made:
        for each in folder.iterdir() if folder.is_dir() else ():
            if each.suffix not in SURVEY_FILES:
                (Path(made) / each.name).symlink_to(each.resolve())
        yield Path(made) / NAME


def check(text: str, folder: Path, tools: Tools) -> dict[str, Any]:
    """All problems of a draft, and the survey that it is where it is one."""
    with beside_surveys(folder) as file:
        file.write_text(text, encoding="utf-8")
        problems = lint(file, tools)
        return {
            "problems": [_problem(each) for each in problems],
            "survey": None if any(each.level == "error" for each in problems) else _survey(file),
        }


def _problem(problem: Problem) -> dict[str, Any]:
    """`line` and `column` count from 1; 0 where they are not known."""
    return {
        "line": problem.place.line if Path(problem.place.file).name == NAME else 0,
        "column": problem.place.column,
        "level": problem.level,
        "rule": problem.rule,
        "message": problem.message,
        "hint": problem.hint,
    }


def _survey(file: Path) -> dict[str, Any]:
    survey = load_survey(file)
    return {
        "id": survey.id,
        "version": survey.version,
        "title": survey.title,
        "hash": survey_hash(survey),
        "questions": [
            {"id": question.id, "kind": question.kind, "expects": expectation_of(question).kind}
            for question in survey.questions
        ],
        "json": to_json(survey),
    }


def compare(a: str, b: str, language: str) -> dict[str, Any]:
    """From `a`, the older, to `b`, both as published JSON; in words of that language."""

    def tell(russian: str, english: str) -> str:
        return english if language == "en" else russian

    found = diff(from_json(a), from_json(b))
    return {
        "same": found.same,
        "effect": None if found.effect is None else found.effect.name.lower(),
        "effect_words": "" if found.effect is None else tell(*EFFECTS[found.effect]),
        "changes": [asdict(told(each, tell)) for each in found.changes],
        "aside": [
            {"what": field_word(each.field, tell), "before": str(each.before), "after": str(each.after)}
            for each in found.aside
        ],
        "verdicts": [
            {
                "question": each.question,
                "kind": each.kind,
                "effect": each.effect.name.lower(),
                "effect_words": tell(*EFFECTS[each.effect]),
                "reasons": list(reasons_of(each.reasons, tell)),
            }
            for each in found.verdicts
            if each.reasons or each.kind in SCORED
        ],
        "ways": list(found.ways),
    }


def serve(orders: IO[str], answers: IO[str], folder: Path, tools: Tools) -> None:
    """Answers each line until there are no more; one that cannot be answered with its reason."""
    for line in orders:
        order = json.loads(line)
        try:
            match order.pop("do"):
                case "check":
                    thorough = order.pop("thorough")
                    answer = check(order["text"], folder, tools if thorough else NO_TOOLS)
                case "compare":
                    answer = compare(**order)
                case other:
                    raise ValueError(f"no order «{other}»")
        except OtklikError as error:
            answer = {"error": {"code": error.code, "message": error.message, "hint": error.hint}}
        answers.write(json.dumps(answer, ensure_ascii=False) + "\n")
        answers.flush()


def main() -> int:
    os.nice(NICENESS)
    settings = load_settings()
    configure_logs("warning")
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    sys.stdout = sys.stderr  # whatever a library prints is no answer
    with lint_tools(settings) as tools:
        # Agents stand in the database as well, which lint does not read: no targets.
        serve(sys.stdin, answers, settings.surveys_dir, replace(tools, targets=None))
    return 0


if __name__ == "__main__":
    sys.exit(main())
