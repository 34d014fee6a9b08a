"""Dictionaries on disk: those that ship, and own ones in the folder `dictionaries` beside the surveys.

An own file is a dictionary of its own (`id:`), or adds to one that ships (`extend:`). Surveys use all of
their language unless they name some; whatever is wrong with a file is told with its line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bot.surveys.dictionary import Dictionary, Extension, extended
from bot.surveys.expressions import nearest
from bot.surveys.problems import Fault, Problem
from bot.surveys.schema_problems import SurveyFile, open_file, plain, problems_of

FOLDER = "dictionaries"
"""Beside the survey files; the node takes no file in it for a survey."""

SHIPPED = Path(__file__).parent / FOLDER


@dataclass(frozen=True, slots=True)
class Shelf:
    """All dictionaries that surveys of one folder can use, by id, and what is wrong with the files."""

    dictionaries: Mapping[str, Dictionary]
    problems: tuple[Problem, ...] = ()

    def of_language(self, language: str) -> tuple[Dictionary, ...]:
        return tuple(each for each in self.dictionaries.values() if each.language == language)


def shelf(surveys: Path) -> Shelf:
    """The dictionaries that ship and those of `surveys`, a folder of survey files."""
    files = sorted((surveys / FOLDER).glob("*.y*ml"))
    return _shelf(tuple((file, file.stat().st_mtime_ns, file.stat().st_size) for file in files))


@lru_cache(maxsize=64)
def _shelf(files: tuple[tuple[Path, int, int], ...]) -> Shelf:
    """`files` with their times and sizes, so that a file that was changed is read anew."""
    found = dict(shipped())
    problems: list[Problem] = []
    own = [(path, read_dictionary(path)) for path, _, _ in files]
    for _, read in own:
        problems += read.problems
        if isinstance(read.value, Dictionary):
            if read.value.id in found:
                message = f"словарь «{read.value.id}» уже есть"
                hint = f"чтобы добавить слова, напишите extend: {read.value.id} вместо id"
                problems.append(_at(read, Fault("duplicate-id", message, ("id",), hint)))
            else:
                found[read.value.id] = read.value
    for _, read in own:
        if not isinstance(read.value, Extension):
            continue
        base = found.get(read.value.extend)
        if base is None:
            message = f"словаря «{read.value.extend}» нет, добавить слова не к чему"
            hint = nearest(read.value.extend, found)
            problems.append(_at(read, Fault("unknown-reference", message, ("extend",), hint)))
            continue
        made, faults = extended(base, read.value)
        problems += [_at(read, fault) for fault in faults]
        if made is not None:
            found[made.id] = made
    return Shelf(found, tuple(problems))


def file_problems(path: Path) -> tuple[Problem, ...]:
    """Everything wrong with one own file, and with what it does to the dictionaries beside it."""
    read = read_dictionary(path)
    if read.value is None:
        return read.problems
    if isinstance(read.value, Dictionary) and path.parent == SHIPPED:
        return ()
    if path.parent.name == FOLDER:
        beside = shelf(path.parent.parent).problems
        return tuple(problem for problem in beside if problem.place.file == str(path))
    stat = path.stat()
    return _shelf(((path, stat.st_mtime_ns, stat.st_size),)).problems


@lru_cache(maxsize=1)
def shipped() -> Mapping[str, Dictionary]:
    """What ships, by id, in the order of the files' names."""
    found: dict[str, Dictionary] = {}
    for path in sorted(SHIPPED.glob("*.yaml")):
        read = read_dictionary(path)
        assert isinstance(read.value, Dictionary), read.problems
        found[read.value.id] = read.value
    return found


@dataclass(frozen=True, slots=True)
class DictionaryRead:
    """What came of reading a file: nothing, and then at least one problem, or what it says."""

    file: SurveyFile | None
    value: Dictionary | Extension | None
    problems: tuple[Problem, ...] = ()


def read_dictionary(path: Path) -> DictionaryRead:
    """One file by itself: its schema, not whether what it extends is there."""
    file = open_file(path)
    if isinstance(file, Problem):
        return DictionaryRead(None, None, (file,))
    model: type[Dictionary] | type[Extension] = Extension if "extend" in file.data else Dictionary
    try:
        return DictionaryRead(file, model.model_validate(plain(file.data)))
    except ValidationError as error:
        return DictionaryRead(file, None, problems_of(file, error, model))


def _at(read: DictionaryRead, fault: Fault) -> Problem:
    assert read.file is not None  # it was read
    return read.file.problem(fault)


def with_dictionaries(data: Any, surveys: Path) -> tuple[Any, tuple[Fault, ...], tuple[Problem, ...]]:
    """Survey data with the dictionaries that it names, or all of its language, in full.

    `data` is as it was read from YAML; a list of anything but names is left for the schema to judge.
    Beside it what is wrong with the names, and with the files.
    """
    if not isinstance(data, dict):
        return data, (), ()
    stock = shelf(surveys)
    wanted = data.get("dictionaries")
    if wanted is None:
        used = stock.of_language(str(data.get("language")))
        return {**data, "dictionaries": [each.model_dump() for each in used]}, (), stock.problems
    if not isinstance(wanted, list) or not all(isinstance(name, str) for name in wanted):
        message = "dictionaries: нужен список имён словарей"
        fault = Fault("bad-value", message, ("dictionaries",), f"есть: {', '.join(stock.dictionaries)}")
        return {key: value for key, value in data.items() if key != "dictionaries"}, (fault,), stock.problems
    faults = []
    for place, name in enumerate(wanted):
        loc = ("dictionaries", place)
        if name in wanted[:place]:
            faults.append(
                Fault("duplicate-id", f"словарь «{name}» назван дважды", loc, "оставьте один", name)
            )
        elif name not in stock.dictionaries:
            hint = nearest(name, stock.dictionaries)
            faults.append(Fault("unknown-reference", f"словаря «{name}» нет", loc, hint, name))
        elif stock.dictionaries[name].language != data.get("language"):
            message = f"словарь «{name}» для другого языка: {stock.dictionaries[name].language}"
            faults.append(Fault("unknown-reference", message, loc, "возьмите словарь языка опроса", name))
    known = [stock.dictionaries[name] for name in dict.fromkeys(wanted) if name in stock.dictionaries]
    return {**data, "dictionaries": [each.model_dump() for each in known]}, tuple(faults), stock.problems
