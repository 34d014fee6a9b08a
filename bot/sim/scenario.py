"""Scenarios: who rings whom, what he says at which question, and what should come of it.

A YAML file; whatever is wrong in it is reported with its file and line (ScenarioInvalid). Sound
files are named relative to the scenario's own folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from bot.core.context import Person
from bot.core.endings import Disposition
from bot.core.errors import AudioInvalid, Place, ScenarioInvalid
from bot.sim.agents import AgentDoes
from bot.sim.script import AfterTransfer, Caller, Step, Steps
from bot.sim.sounds import read_clip


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Expectations(_Model):
    """What has to be true after the call; what is not named is not looked at.

    `answers` maps questions to values, `"*"` stands for any value. The limits are measured at the
    caller's socket.
    """

    disposition: Disposition | None = None
    answers: dict[str, int | float | str | list[str] | None] = {}
    transferred_to: str | None = None
    max_reply_gap_ms: int | None = None
    max_silence_s: float | None = None
    max_bot_silence_s: float | None = None


Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]*$")]


class Call(_Model):
    """One call. `name` is also the user part of the caller's SIP address.

    `answers` are by the question being put, `offer` for an offer; `nps#2` is for the second time
    that `nps` is put (without it he does again what he did the first time). `on_answer` are steps
    taken as soon as the line is up. `dial` is whom an inbound caller rings, the survey's id where
    it is not given.
    """

    name: Name
    direction: Literal["outbound", "inbound"] = "outbound"
    survey: str
    dial: str = ""
    headers: dict[str, str] = {}
    customer: Person = Person()
    agent: Person = Person()
    department: str = ""
    caller: Caller = Caller()
    on_answer: Steps | None = None
    answers: dict[str, Steps] = {}
    after_transfer: AfterTransfer | None = None
    expect: Expectations = Expectations()
    limit_s: float = Field(120, gt=0)


class Agent(_Model):
    """The phone of a human who takes handovers; `target` is the agents' table entry it stands for. `say` is
    the sound file of one who speaks."""

    name: Name
    user: Name = "agent"
    target: str = "responsible"
    does: AgentDoes = AgentDoes.ACCEPTS_BY_KEY
    say: Path | None = None
    ring_s: float = Field(0.3, ge=0)
    tone_hz: float = Field(440, gt=0, lt=4000)

    @model_validator(mode="after")
    def _has_a_voice(self) -> Agent:
        if self.does.speaks != (self.say is not None):
            need = "нужен файл" if self.does.speaks else "файл не нужен"
            raise ValueError(f"агент «{self.name}» ({self.does}): {need} say")
        return self


class Scenario(_Model):
    """`at_once` is how many calls run at the same time."""

    calls: tuple[Call, ...] = Field(min_length=1)
    agents: tuple[Agent, ...] = ()
    at_once: int = Field(1, ge=1)

    @model_validator(mode="after")
    def _names_differ(self) -> Scenario:
        for kind, names in (
            ("звонок", [call.name for call in self.calls]),
            ("агент", [agent.user for agent in self.agents]),
        ):
            twice = next((name for name in names if names.count(name) > 1), None)
            if twice:
                raise ValueError(f"{kind} «{twice}» описан дважды")
        return self


def load_scenario(path: Path) -> Scenario:
    """Read and check a scenario and the sound files it names. Raises ScenarioInvalid."""
    try:
        document = YAML(typ="rt").load(path.read_text())
    except OSError as error:
        raise ScenarioInvalid(f"{path}: не читается: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ScenarioInvalid(f"{path}: не UTF-8") from error
    except MarkedYAMLError as error:
        mark = error.problem_mark
        place = Place(str(path), mark.line + 1, mark.column + 1) if mark else Place(str(path))
        raise ScenarioInvalid(f"не YAML: {error.problem or error.context}", place=place) from error
    except YAMLError as error:
        raise ScenarioInvalid(f"{path}: не YAML: {error}") from error
    if not isinstance(document, CommentedMap):
        raise ScenarioInvalid("сценарий начинается со списка calls:", place=Place(str(path), 1))
    try:
        return _with_sounds(Scenario.model_validate(document), path, document)
    except ValidationError as error:
        first = error.errors()[0]
        place = _place(path, document, first["loc"])
        raise ScenarioInvalid(_explained(first), hint=_more(error), place=place) from error


def _with_sounds(scenario: Scenario, path: Path, document: CommentedMap) -> Scenario:
    """The scenario with absolute sound files, each of which can be read."""
    calls = []
    for index, call in enumerate(scenario.calls):
        where = ("calls", index)
        answers = {
            key: _resolved(steps, path, document, (*where, "answers", key))
            for key, steps in call.answers.items()
        }
        on_answer = call.on_answer and _resolved(call.on_answer, path, document, (*where, "on_answer"))
        calls.append(call.model_copy(update={"answers": answers, "on_answer": on_answer}))
    agents = [_with_sound(agent, index, path, document) for index, agent in enumerate(scenario.agents)]
    return scenario.model_copy(update={"calls": tuple(calls), "agents": tuple(agents)})


def _with_sound(agent: Agent, index: int, path: Path, document: CommentedMap) -> Agent:
    if agent.say is None:
        return agent
    return agent.model_copy(
        update={"say": _readable(path.parent / agent.say, path, document, ("agents", index, "say"))}
    )


def _readable(file: Path, path: Path, document: CommentedMap, where: tuple[str | int, ...]) -> Path:
    resolved = file.resolve()
    try:
        read_clip(resolved)
    except AudioInvalid as error:
        place = _place(path, document, where)
        raise ScenarioInvalid(error.message, hint=error.hint, place=place) from error
    return resolved


def _resolved(
    steps: Sequence[Step], path: Path, document: CommentedMap, where: tuple[str | int, ...]
) -> tuple[Step, ...]:
    resolved = []
    for index, step in enumerate(steps):
        if step.say is not None:
            file = _readable(path.parent / step.say, path, document, (*where, index, "say"))
            step = step.model_copy(update={"say": file})
        resolved.append(step)
    return tuple(resolved)


def _place(path: Path, document: Any, where: Sequence[str | int]) -> Place:
    """The line of the deepest part of `where` that stands in the file."""
    node, line, column = document, 1, 1
    for part in where:
        if isinstance(node, CommentedMap) and part in node:
            line, column = (number + 1 for number in node.lc.key(part))
        elif isinstance(node, CommentedSeq) and isinstance(part, int) and part < len(node):
            line, column = (number + 1 for number in node.lc.item(part))
        else:
            continue  # a single step stands without its list; a missing field has no line of its own
        node = node[part]
    return Place(str(path), line, column)


_WORDS = {
    "missing": "нет обязательного поля",
    "extra_forbidden": "такого поля нет",
    "too_short": "список пуст",
}


def _explained(problem: Any) -> str:
    name = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "value_error":
        text = str(problem["ctx"]["error"])
    elif problem["type"] in ("enum", "literal_error"):
        text = f"бывает {problem['ctx']['expected']}, а дано {problem['input']!r}"
    else:
        text = _WORDS.get(problem["type"], problem["msg"])
    return f"{name}: {text}" if name else text


def _more(error: ValidationError) -> str:
    count = error.error_count() - 1
    return f"и ещё ошибок в файле: {count}" if count else ""
