"""What takes a processor's time of a draft, in a process of its own: its lint, its comparison, and the words
of whoever tries it aloud. Never where calls are, and never in control's loop: `bot.draft_checks` asks it, and
it yields to everybody else.

    {"do": "check", "text": …, "thorough": true}   -> {"problems": […], "survey": … or null}
    {"do": "compare", "a": json, "b": json, "language": "ru"} -> what `otklik survey diff` tells
    {"do": "hear", "pcm": base64, "language": "ru"}           -> {"text"}, of 16 bit mono at 8 kHz

JSON, a line each way. A draft is read as if it lay in the folder of surveys: recordings and dictionaries
are found there.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from bot.core.audio import Pcm
from bot.core.errors import OtklikError
from bot.linting import lint_tools
from bot.logs import configure_logs
from bot.settings_load import load_settings
from bot.settings_rooms import speech_settings
from bot.speech.settings import SpeechSettings
from bot.surveys.comparability import SCORED
from bot.surveys.diff import diff
from bot.surveys.diff_words import EFFECTS, field_word, reasons_of, told
from bot.surveys.lint import NO_TOOLS, Tools, lint
from bot.surveys.loader import from_json, load_survey, survey_hash, to_json
from bot.surveys.problems import Problem
from bot.surveys.questions import expectation_of

if TYPE_CHECKING:
    from bot.speech.recogniser import VoskRecogniser

NICENESS = 10
"""People wait for it half a second; callers wait for what runs beside it."""

NAME = "draft.yaml"
HEARD_AT = 8000
"""Samples a second, as a telephone has it."""

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


class Ears:
    """What was said into a microphone, by the models that listen to calls; each is loaded when it is needed.
    Raises ModelMissing, RecogniserUnavailable."""

    def __init__(self, speech: SpeechSettings) -> None:
        self._speech = speech
        self._loaded: dict[str, VoskRecogniser] = {}

    def hear(self, pcm: str, language: str) -> dict[str, Any]:
        from bot.speech.models import ensure_model
        from bot.speech.recogniser import VoskRecogniser
        from bot.speech.transcribing import words_of

        name = self._speech.recogniser.model_for(language)
        if name not in self._loaded:
            path = ensure_model(name, self._speech.models_dir, self._speech.var_dir)
            self._loaded[name] = VoskRecogniser(path, self._speech.recogniser)
        sound = Pcm(base64.b64decode(pcm, validate=True), HEARD_AT)
        return {"text": words_of(self._loaded[name], sound).text}


def serve(orders: IO[str], answers: IO[str], folder: Path, tools: Tools, ears: Ears) -> None:
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
                case "hear":
                    answer = ears.hear(**order)
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
        ears = Ears(speech_settings(settings))
        serve(sys.stdin, answers, settings.surveys_dir, replace(tools, targets=None), ears)
    return 0


if __name__ == "__main__":
    sys.exit(main())
