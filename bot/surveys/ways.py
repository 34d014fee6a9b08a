"""The tree of all ways through a survey: forks, edges and endings; and how to count and list them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from bot.surveys.answer_classes import Said


@dataclass(frozen=True, slots=True, eq=False)
class Ending:
    """How a way ends: the disposition and the closing by its name in the survey, or a handover."""

    disposition: str
    closing: str
    target: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """Here the walk was broken off."""


@dataclass(frozen=True, slots=True, eq=False)
class Edge:
    said: Said
    node: Node


@dataclass(frozen=True, slots=True, eq=False)
class Fork:
    """Where the way parts. `id` is a question's, a triage rule's, or `customer.<field>`."""

    kind: Literal["question", "offer", "contact"]
    id: str
    edges: tuple[Edge, ...]


Node = Fork | Ending | Cut


@dataclass(frozen=True, slots=True)
class Way:
    """One way through: each fork and what was said there, and how it ends."""

    forks: tuple[tuple[Fork, Said], ...]
    ending: Ending


def count_ways(node: Node, known: dict[int, tuple[int, bool]]) -> tuple[int, bool]:
    """How many ways there are from here on, and whether that is all of them.

    Of what was broken off nothing is counted that might turn out the same as another edge.
    """
    if isinstance(node, Ending):
        return 1, True
    if isinstance(node, Cut):
        return 1, False
    if id(node) not in known:
        below = [count_ways(edge.node, known) for edge in node.edges]
        whole = sum(count for count, exact in below if exact)
        broken = [count for count, exact in below if not exact]
        known[id(node)] = (whole or max(broken), not broken)
    return known[id(node)]


def ways_of(node: Node, so_far: tuple[tuple[Fork, Said], ...] = ()) -> Iterator[Way]:
    """Every way that begins with `so_far` and goes on at `node`, but for those that were broken off."""
    if isinstance(node, Ending):
        yield Way(so_far, node)
    elif isinstance(node, Fork):
        for edge in node.edges:
            yield from ways_of(edge.node, (*so_far, (node, edge.said)))


def forks_of(root: Node) -> Iterator[Fork]:
    """Each fork once."""
    seen: set[int] = set()
    left = [root]
    while left:
        node = left.pop()
        if isinstance(node, Fork) and id(node) not in seen:
            seen.add(id(node))
            yield node
            left += [edge.node for edge in node.edges]
