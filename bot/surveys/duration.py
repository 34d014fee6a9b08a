"""How long a call of a survey lasts that goes as it should: every question understood at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bot.core.context import CallContext
from bot.surveys.paths import Paths
from bot.surveys.piping import render
from bot.surveys.schema import Survey
from bot.surveys.ways import Ending, Fork, Node

Seconds = Callable[[Sequence[str], str], Sequence[float]]
"""How long each text is spoken, in a language."""

CLOSED_S = 2.5
"""A closed answer and the gaps around it, an estimate: a second of thought, a word, its end waited for."""

OPEN_S = 9.0
"""A comment of some twenty words, an estimate."""

COMPLETED = "completed"


def duration(survey: Survey, paths: Paths, seconds: Seconds) -> tuple[float, float] | None:
    """The shortest and the longest completed call in seconds, without complaints and handovers.

    None where no way ends as completed.
    """
    nobody = CallContext(call_id="", survey_hash="", direction="outbound")
    questions = [render(question.ask, nobody, survey.company) for question in survey.questions]
    frame = [render(text, nobody, survey.company) for text in (survey.consent, survey.introduction)]
    closing = render(survey.closings.completed, nobody, survey.company)
    spoken = seconds([*frame, closing, *questions], survey.language)
    put = {
        question.id: asked + (OPEN_S if question.kind == "open" else CLOSED_S)
        for question, asked in zip(survey.questions, spoken[3:], strict=True)
    }
    inner = _range(paths.root, put, {})
    return None if inner is None else (inner[0] + sum(spoken[:3]), inner[1] + sum(spoken[:3]))


def _range(
    node: Node, put: dict[str, float], known: dict[int, tuple[float, float] | None]
) -> tuple[float, float] | None:
    """The least and the greatest time from here to the completed end; None where no way leads there."""
    if isinstance(node, Ending):
        return (0.0, 0.0) if node.disposition == COMPLETED else None
    if not isinstance(node, Fork):
        return None
    if id(node) not in known:
        own = put[node.id] if node.kind == "question" else 0.0
        plain = [
            edge.node for edge in node.edges if edge.said.ranges or edge.said.names or edge.said.everything
        ]
        if node.kind == "contact":
            plain = [edge.node for edge in node.edges]
        found = [below for each in plain if (below := _range(each, put, known)) is not None]
        known[id(node)] = (
            (own + min(low for low, _ in found), own + max(high for _, high in found)) if found else None
        )
    return known[id(node)]
