"""Every way through a survey, found by walking the real flow with one answer of each class.

A tree: at a question, an offer, or a field of the contact that a condition reads, the way parts;
classes that lead to the same are one edge. Cases and notes part it nowhere. What the caller may do at
any moment (never ring me, call me later, silence) parts the way nowhere and is told once, in
`Paths.exits`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from bot.core.answer import Answer, AnswerStatus
from bot.core.context import CallContext, Person, TurnSource, UserTurn
from bot.core.directives import Directive, End, Transfer
from bot.core.intents import Intent
from bot.surveys import course, flow
from bot.surveys.answer_classes import (
    NOTHING,
    Said,
    answer_classes,
    comparisons_of,
    text_classes,
)
from bot.surveys.conditions import MISUNDERSTOOD
from bot.surveys.draft import Draft
from bot.surveys.expressions import VALUES
from bot.surveys.schema import Survey
from bot.surveys.state import FlowState, Stage, Step
from bot.surveys.utterances import says, signals_read, utterances
from bot.surveys.ways import Cut, Edge, Ending, Fork, Node, Way, count_ways, forks_of, ways_of

STEPS = 20_000
"""So many steps of the flow are walked at most: some seconds. Surveys of people's length need some
hundreds."""

DEEPEST = 250
"""Forks of one way at most; each takes three frames of Python's stack, which holds a thousand."""

TRANSFERRED = "transferred"
_SAYS_ONCE_MORE = 200
"""Turns after which a caller who only repeats himself must have been let go."""


@dataclass(frozen=True, slots=True)
class Exit:
    """Where a caller gets who does nothing but this, from the first question on."""

    does: str
    ending: Ending


@dataclass(frozen=True, slots=True)
class Paths:
    """`count` is exact where `complete`, and a lower bound where the walk was broken off."""

    root: Node
    count: int
    complete: bool
    exits: tuple[Exit, ...]

    def ways(self) -> Iterator[Way]:
        """In the order of the tree, without those that were broken off."""
        yield from ways_of(self.root)

    def asked(self) -> frozenset[str]:
        """The ids of questions that are put on some way."""
        return frozenset(fork.id for fork in forks_of(self.root) if fork.kind == "question")

    def offered(self) -> frozenset[str]:
        """The ids of triage rules that offer a human on some way."""
        return frozenset(fork.id for fork in forks_of(self.root) if fork.kind == "offer")


def paths_of(survey: Survey, *, steps: int = STEPS) -> Paths:
    """Walk all ways, `steps` steps of the flow at most."""
    walk = _Walk(_parting(survey), steps)
    root = walk.from_the_start()
    count, exact = count_ways(root, {})
    return Paths(root, count, exact, tuple(_exits(survey)))


def _parting(survey: Survey) -> Survey:
    """Without the rules that part no way: a case or a note that no condition asks about."""
    offers = tuple(rule for rule in survey.triage if rule.do is None)
    read = signals_read(survey.model_copy(update={"triage": offers}))
    kept = tuple(rule for rule in survey.triage if rule.do is None or rule.id in read)
    return survey.model_copy(update={"triage": kept})


class _Walk:
    """One walk. Equal states are walked once, equal subtrees are one object."""

    def __init__(self, survey: Survey, steps: int) -> None:
        self.survey = survey
        self.steps = steps
        self._seen: dict[str, Node] = {}
        self._nodes: dict[tuple[object, ...], Node] = {}
        self._signals = signals_read(survey)
        self._read = {name for each in comparisons_of(survey) for name in (each.symbol, each.other)}
        self._says = dict(utterances(survey))
        self._classes = {question.id: answer_classes(survey, question) for question in survey.questions}

    def from_the_start(self) -> Node:
        nobody = CallContext(call_id="", survey_hash="", direction="outbound")
        return self._contact(nobody, sorted(name for name in self._read if _is_personal(name)), 0)

    def _contact(self, context: CallContext, fields: list[str], depth: int) -> Node:
        if not fields:
            return self._after(flow.start(self.survey, context), frozenset(), depth)
        first, *others = fields
        constants = [v for each in comparisons_of(self.survey) if each.symbol == first for v in each.values]
        edges = [(NOTHING, self._contact(context, others, depth + 1))]
        for part in text_classes(map(str, constants)):
            given = _with_field(context, first, str(part.value))
            edges.append((part.said, self._contact(given, others, depth + 1)))
        return self._fork("contact", first, edges)

    def _after(self, step: Step, said: frozenset[str], depth: int) -> Node:
        state = step.state
        if state.stage in (Stage.ENDED, Stage.HANDOVER):
            return self._same(_ending(self.survey, state, step.directives))
        key = self._key(state, said)
        if key not in self._seen:
            if self.steps <= 0 or depth >= DEEPEST:
                return Cut()  # not kept: another way may come here with fewer forks
            self._seen[key] = self._at_offer(state, said, depth) or self._at_question(state, said, depth)
        return self._seen[key]

    def _at_question(self, state: FlowState, said: frozenset[str], depth: int) -> Node:
        assert state.question_id is not None
        question = self.survey.question(state.question_id)
        edges = []
        for part in self._classes[question.id]:
            answer = Answer(status=AnswerStatus.ANSWERED, value=part.value)
            edges.append((part.said, self._after(self._disposed(state, answer), said, depth + 1)))
        none = Answer(status=AnswerStatus.DONT_KNOW, reason=AnswerStatus.DONT_KNOW.value)
        edges.append((NOTHING, self._after(self._disposed(state, none), said, depth + 1)))
        if MISUNDERSTOOD in self._signals and not any(each.name == MISUNDERSTOOD for each in state.signals):
            edges.append(
                (Said(heard=(MISUNDERSTOOD,)), self._after(self._not_understood(state), said, depth + 1))
            )
        for name, turn in self._says.items():
            if name not in said:
                self.steps -= 1
                step = flow.next_step(self.survey, state, turn)
                edges.append((Said(heard=(name,)), self._after(step, said | {name}, depth + 1)))
        return self._fork("question", question.id, edges)

    def _at_offer(self, state: FlowState, said: frozenset[str], depth: int) -> Node | None:
        if state.stage is not Stage.OFFER or state.offer is None:
            return None
        edges = []
        for name, key in (("accepted", "1"), ("declined", "2")):
            self.steps -= 1
            step = flow.next_step(self.survey, state, UserTurn(source=TurnSource.DTMF, digits=key))
            edges.append((Said(names=(name,)), self._after(step, said, depth + 1)))
        return self._fork("offer", state.offer.rule, edges)

    def _disposed(self, state: FlowState, answer: Answer) -> Step:
        """What the flow does once the question has this answer, however it was understood."""
        self.steps -= 1
        draft = Draft(self.survey, state)
        assert state.question_id is not None
        draft.record(self.survey.question(state.question_id), answer)
        course.go_on(draft)
        course.act(draft)
        return draft.step()

    def _not_understood(self, state: FlowState) -> Step:
        """What the flow does where a question ends because the caller is not understood."""
        self.steps -= 1
        draft = Draft(self.survey, state.model_copy(update={"silent": False}))
        assert state.question_id is not None
        course.dispose_unanswered(draft, self.survey.question(state.question_id), "no_match")
        course.act(draft)
        return draft.step()

    def _key(self, state: FlowState, said: frozenset[str]) -> str:
        """All of a state that can change what happens next; not which pool of words was drawn from."""
        read = {name.removeprefix("answer.") for name in self._read}
        kept = state.model_copy(
            update={
                "answers": {name: answer for name, answer in state.answers.items() if name in read},
                "intents": tuple(intent for intent in state.intents if "intents" in self._read),
                "topics": tuple(topic for topic in state.topics if "topics" in self._read),
                "used": {},
                "grounds": {},
                "misheard": 0,
                "interruptions": 0,
            }
        )
        statuses = sorted({answer.status for answer in state.answers.values()})
        return repr((kept.model_dump_json(), sorted(state.answers), statuses, sorted(said)))

    def _fork(
        self, kind: Literal["question", "offer", "contact"], fork_id: str, edges: list[tuple[Said, Node]]
    ) -> Node:
        """The edges that lead to one node as one edge, in the order of their first."""
        merged: dict[int, tuple[Said, Node]] = {}
        for said, node in edges:
            if id(node) in merged:
                said = merged[id(node)][0].or_(said)
            merged[id(node)] = (said, node)
        answers = [said for said, _ in edges if not (said.nothing or said.heard)]
        complete = [replace(_whole(said, answers), heard=said.heard) for said, _ in merged.values()]
        ends = (node for _, node in merged.values())
        return self._same(Fork(kind, fork_id, tuple(map(Edge, complete, ends))))

    def _same(self, node: Fork | Ending) -> Node:
        """The node of this walk that is equal to this one."""
        if isinstance(node, Ending):
            key: tuple[object, ...] = (node.disposition, node.closing, node.target)
        else:
            key = (node.kind, node.id, tuple((edge.said, id(edge.node)) for edge in node.edges))
        return self._nodes.setdefault(key, node)


def _whole(said: Said, answers: list[Said]) -> Said:
    """«Everything» where an edge has all the answers that there are, and they are more than one class."""
    ranges = [each for answer in answers for each in answer.ranges]
    names = {name for answer in answers for name in answer.names}
    everything = said.everything or (
        len(answers) > 1
        and bool(said.ranges or said.names)
        and names == set(said.names)
        and all(any(low <= each[0] and each[1] <= high for low, high in said.ranges) for each in ranges)
    )
    return Said(everything=True, nothing=said.nothing) if everything else said


def _exits(survey: Survey) -> Iterator[Exit]:
    leaving = (
        Intent.OPT_OUT,
        Intent.REQUEST_AGENT,
        Intent.CALLBACK_LATER,
        Intent.WRONG_PERSON,
        Intent.REFUSE,
        Intent.GOODBYE,
    )
    yield Exit("silence", _ended_by(survey, UserTurn(source=TurnSource.SILENCE)))
    for intent in leaving:
        yield Exit(intent.value, _ended_by(survey, says(intent)))


def _ended_by(survey: Survey, turn: UserTurn) -> Ending:
    step = flow.start(survey, CallContext(call_id="", survey_hash="", direction="outbound"))
    for _ in range(_SAYS_ONCE_MORE):
        if step.state.stage in (Stage.ENDED, Stage.HANDOVER):
            return _ending(survey, step.state, step.directives)
        step = flow.next_step(survey, step.state, turn)
    raise AssertionError("whatever a caller repeats, a survey ends")


def _ending(survey: Survey, state: FlowState, directives: tuple[Directive, ...]) -> Ending:
    for directive in reversed(directives):
        if isinstance(directive, Transfer):
            return Ending(TRANSFERRED, "transfer", directive.target)
        if isinstance(directive, End):
            return Ending(directive.disposition.value, _closing(survey, state, directive.text))
    raise AssertionError("the last step of a survey says how it ends")


def _closing(survey: Survey, state: FlowState, text: str) -> str:
    """The name of the closing that was said."""
    draft = Draft(survey, state)
    for name in type(survey.closings).model_fields:
        if draft.render(getattr(survey.closings, name)) == text:
            return name
    return ""


def _is_personal(symbol: str) -> bool:
    return symbol.partition(".")[0] in VALUES and not symbol.startswith("answer.")


def _with_field(context: CallContext, symbol: str, value: str) -> CallContext:
    who, _, name = symbol.partition(".")
    person: Person = getattr(context, who)
    return context.model_copy(update={who: person.model_copy(update={name: value})})
