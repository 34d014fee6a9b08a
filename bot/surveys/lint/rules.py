"""What a rule is, what a check is given, and the tools that a check may use.

A rule is a stable name for one kind of fault. A check is a function of a `Sheet` (a valid survey
and where its parts stand in the file) and of `Tools`, and yields `Problem`s. What a check cannot
know without a tool (seconds of speech, phonemes, the recogniser's vocabulary) it says nothing about
when the tool is not there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, cast

from ruamel.yaml.comments import CommentedMap, CommentedSeq

from bot.core.errors import Place
from bot.surveys.problems import Fault, Loc, Problem
from bot.surveys.schema import Survey
from bot.surveys.schema_problems import SurveyFile


@dataclass(frozen=True, slots=True)
class Rule:
    """`meaning` says what is wrong with whatever breaks the rule, `mend` what would be right.

    An error makes a call of the survey go wrong, and nothing excuses it. A warning makes it go badly;
    `# lint: allow <rule>` on the line says that it is meant. `needs` is the field of `Tools` without
    which nothing can be said of it.
    """

    id: str
    level: Literal["error", "warning"]
    meaning: str
    mend: str
    needs: str = ""


def error(rule_id: str, meaning: str, mend: str) -> Rule:
    return Rule(rule_id, "error", meaning, mend)


def warning(rule_id: str, meaning: str, mend: str, *, needs: str = "") -> Rule:
    return Rule(rule_id, "warning", meaning, mend, needs)


@dataclass(frozen=True, slots=True)
class Tools:
    """What lies outside this room; None where it is not to be had.

    `seconds(texts, language)` is how long each text is spoken. `phonemes(texts, language)` are the
    sounds of each text, one string a sound, in eSpeak's IPA. `read_aloud(text)` is a Russian text as
    the synthesiser's normaliser spells it out. `vocabulary(language, survey_id)` are the words that
    the recogniser of this survey knows, None where it has none for its language.
    `recorded_seconds(file)` is how long a recording lasts; it raises AudioInvalid. `targets` are the
    names that a call can be handed over to.
    """

    seconds: Callable[[Sequence[str], str], Sequence[float]] | None = None
    phonemes: Callable[[Sequence[str], str], Sequence[Sequence[str]]] | None = None
    read_aloud: Callable[[str], str] | None = None
    vocabulary: Callable[[str, str], frozenset[str] | None] | None = None
    recorded_seconds: Callable[[Path], float] | None = None
    targets: frozenset[str] | None = None


NO_TOOLS = Tools()


@dataclass(frozen=True, slots=True)
class Sheet:
    """A survey that fits the schema, and its file; None for a version that has no file any more."""

    survey: Survey
    path: Path
    file: SurveyFile | None = None

    def wrote(self, *loc: str | int) -> bool:
        """Whether the author wrote what stands at `loc`, and not a default; without a file, all counts."""
        if self.file is None:
            return True
        node: object = self.file.data
        for step in loc:
            inside = isinstance(node, CommentedMap) and step in node
            if inside or (isinstance(node, CommentedSeq) and isinstance(step, int) and step < len(node)):
                node = cast(Any, node)[step]
            else:
                # One wording may stand where a list of them is allowed.
                return isinstance(node, str) and step == 0
        return True

    def problem(self, rule: Rule, loc: Loc, message: str, hint: str = "", *, near: str = "") -> Problem:
        """`near` are the very words at fault: their place is told where they stand in the value at `loc`."""
        fault = Fault(rule.id, message, loc, hint or rule.mend, near)
        if self.file is None:
            return Problem(Place(str(self.path)), message, fault.hint, rule=rule.id, level=rule.level)
        return replace(self.file.problem(fault), level=rule.level)


Check = Callable[[Sheet, Tools], Iterator[Problem]]
