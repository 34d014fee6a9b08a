"""`otklik survey paths`: every way through a survey, as a tree for people or as JSON for programs."""

from __future__ import annotations

import json
from collections import Counter
from itertools import islice
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from bot.cli.live import disposition_word
from bot.cli.surveys import SURVEY_HELP, find_survey, name_of
from bot.core.endings import Disposition
from bot.surveys.answer_classes import Said
from bot.surveys.loader import survey_hash
from bot.surveys.paths import Paths, paths_of
from bot.surveys.schema import Survey
from bot.surveys.ways import Cut, Edge, Ending, Fork, Node, Way
from bot.words import words

app = typer.Typer(add_completion=False)

SHOWN = 100
"""Ways that are told by default: more than that nobody reads."""


@app.command("paths")
def paths(
    name: Annotated[str, typer.Argument(metavar="FILE", help=SURVEY_HELP)],
    limit: Annotated[
        int, typer.Option("--limit", help=words("Сколько путей показать", "How many ways to show"), min=1)
    ] = SHOWN,
    as_json: Annotated[bool, typer.Option("--json", help=words("Вывести JSON", "Print JSON"))] = False,
) -> None:
    """Все разные пути разговора: вопросы по порядку, ответы, предложения сотрудника, прощания."""
    survey = find_survey(name)
    found = paths_of(survey)
    if as_json:
        typer.echo(json.dumps(_as_json(survey, found, limit), ensure_ascii=False, indent=2))
        return
    console = Console(highlight=False)
    heading = f"{survey.title} · {name_of(survey)}"
    drawn = _Drawing(survey, found.root, limit)
    console.print(drawn.tree(heading))
    console.print(_exits(found))
    console.print(_total(found, drawn))
    for line in _never(survey, found):
        console.print(line, style="yellow")


# For people ----------------------------------------------------------------------------------


class _Drawing:
    """The tree of ways; a part that comes again is drawn once and named where it comes again."""

    def __init__(self, survey: Survey, root: Node, limit: int) -> None:
        self._survey = survey
        self._root = root
        self._left = limit
        self._times = Counter(_reached(root))
        self._numbers: dict[int, int] = {}
        self.whole = True

    def tree(self, heading: str) -> Tree:
        tree = Tree(Text(heading, style="bold"), guide_style="dim")
        self._draw(self._root, tree)
        return tree

    def _draw(self, node: Node, tree: Tree) -> None:
        if not isinstance(node, Fork):
            tree.add(_end(node))
            return
        for edge in node.edges:
            if self._left <= 0:
                self.whole = False
                return
            line, below = self._line(node, edge)
            number = self._numbers.get(id(below))
            if isinstance(below, Fork) and number is None:
                if self._times[id(below)] > 1:
                    self._numbers[id(below)] = len(self._numbers) + 1
                    line.append(f"  [{self._numbers[id(below)]}]", style="cyan")
                self._draw(below, tree.add(line))
                continue
            self._left -= 1
            if number is not None:
                line.append(words(f"  → дальше как [{number}]", f"  → on as [{number}]"), style="cyan")
            else:
                line.append_text(Text("  → ")).append_text(_end(below))
            tree.add(line)

    def _line(self, fork: Fork, edge: Edge) -> tuple[Text, Node]:
        """The edge, and those behind it as long as there is no choice, on one line."""
        line, node = self._said(fork, edge.said), edge.node
        while isinstance(node, Fork) and len(node.edges) == 1 and self._times[id(node)] == 1:
            line.append(" · ", style="dim").append_text(self._said(node, node.edges[0].said))
            node = node.edges[0].node
        return line, node

    def _said(self, fork: Fork, said: Said) -> Text:
        if fork.kind == "offer":
            offers = words("предлагает сотрудника", "offers a person")
            if self._survey.rule(fork.id).offer == "callback":
                offers = words("предлагает перезвонить", "offers a callback")
            return Text.assemble((f"{fork.id} {offers}", "magenta"), ": ", said_words(said))
        return Text.assemble((fork.id, "bold" if fork.kind == "question" else ""), ": ", said_words(said))


_HEARD = {
    "complain": words("жалоба", "a complaint"),
    "misunderstood": words("не понят", "not understood"),
    "angry": words("злится", "angry words"),
    "repeated_contact": words("не в первый раз", "not the first time"),
}


def said_words(said: Said) -> str:
    """A class of answers as people say it: «0–6», «нет или нет ответа»."""
    plain = {
        "yes": words("да", "yes"),
        "no": words("нет", "no"),
        "accepted": words("согласие", "accepted"),
        "declined": words("отказ", "declined"),
    }
    parts = [str(low) if low == high else f"{low}–{high}" for low, high in said.ranges]
    parts += [plain.get(name, name) for name in said.names]
    if said.everything:
        parts = [words("любой ответ", "any answer")]
    if said.nothing:
        parts.append(words("нет ответа", "no answer"))
    for heard in said.heard:
        intent, _, topic = heard.partition(":")
        what = _HEARD.get(intent, intent)
        parts.append(f"{what} ({topic})" if topic and topic != "other" else what)
    return words(" или ", " or ").join(parts)


def _end(node: Node) -> Text:
    if isinstance(node, Cut):
        return Text(words("… обход прерван", "… broken off"), style="yellow")
    assert isinstance(node, Ending)
    if node.target:
        return Text(words(f"перевод: {node.target}", f"transfer: {node.target}"), style="green")
    farewell = words(f" · прощание {node.closing}", f" · closing {node.closing}")
    return Text.assemble((disposition_word(Disposition(node.disposition)), "green"), (farewell, "dim"))


def _exits(found: Paths) -> Text:
    line = Text(words("В любой момент:", "At any moment:"), style="bold")
    does = {
        "silence": words("молчит", "silence"),
        "opt_out": words("«не звоните»", "never ring me"),
        "request_agent": words("«позовите человека»", "wants a person"),
        "callback_later": words("«перезвоните»", "call me later"),
        "wrong_person": words("«ошиблись»", "wrong person"),
        "refuse": words("отказывается", "refuses"),
        "goodbye": words("прощается", "says goodbye"),
    }
    for each in found.exits:
        line.append(f"\n  {does.get(each.does, each.does)} → ", style="not bold").append_text(
            _end(each.ending)
        )
    return line


def _total(found: Paths, drawn: _Drawing) -> Text:
    if found.complete:
        total = words(f"Путей: {found.count}", f"Ways: {found.count}")
    else:
        total = words(
            f"Путей: не меньше {found.count}; дальше обход не пошёл: их слишком много",
            f"Ways: {found.count} at least; there are too many to walk them all",
        )
    if not drawn.whole:
        total += words(
            "; показаны не все, предел задаёт --limit", "; not all are shown, --limit sets how many"
        )
    return Text(total, style="bold")


def _never(survey: Survey, found: Paths) -> list[str]:
    """Questions and rules that no way comes to; told only where all ways were walked."""
    if not found.complete:
        return []
    questions = [question.id for question in survey.questions if question.id not in found.asked()]
    rules = [rule.id for rule in survey.triage if rule.offer and rule.id not in found.offered()]
    lines = []
    if questions:
        lines.append(words("Не задаются ни на одном пути: ", "Never asked: ") + ", ".join(questions))
    if rules:
        lines.append(words("Не срабатывают ни на одном пути: ", "Never offered: ") + ", ".join(rules))
    return lines


def _reached(root: Node) -> list[int]:
    """The id of each fork, once for each edge that leads to it."""
    found: list[int] = []
    seen: set[int] = set()
    left = [root]
    while left:
        node = left.pop()
        if isinstance(node, Fork):
            found.append(id(node))
            if id(node) not in seen:
                seen.add(id(node))
                left += [edge.node for edge in node.edges]
    return found


# For programs --------------------------------------------------------------------------------


def _as_json(survey: Survey, found: Paths, limit: int) -> dict[str, Any]:
    ways = [_way(way) for way in islice(found.ways(), limit)]
    return {
        "survey": survey.id,
        "version": survey.version,
        "hash": survey_hash(survey),
        "count": found.count,
        "complete": found.complete,
        "shown": len(ways),
        "ways": ways,
        "at_any_moment": {each.does: _ending(each.ending) for each in found.exits},
        "never_asked": [q.id for q in survey.questions if q.id not in found.asked()],
        "never_offered": [rule.id for rule in survey.triage if rule.offer and rule.id not in found.offered()],
    }


def _way(way: Way) -> dict[str, Any]:
    """Answers as `0..6`, ids, `*` for any; null is no answer."""
    steps: list[dict[str, Any]] = []
    for fork, said in way.forks:
        answers: list[str | None] = [
            f"{low}..{high}" if low < high else str(low) for low, high in said.ranges
        ]
        answers += ["*"] if said.everything else said.names
        answers += [None] if said.nothing else []
        step: dict[str, Any] = {fork.kind: fork.id}
        if fork.kind == "offer":
            step["accepted"] = said.names == ("accepted",)
        else:
            step["answers"] = answers
            if said.heard:
                step["heard"] = list(said.heard)
        steps.append(step)
    return {"steps": steps, "end": _ending(way.ending)}


def _ending(ending: Ending) -> dict[str, str]:
    told = {"disposition": ending.disposition, "closing": ending.closing}
    return {**told, "target": ending.target} if ending.target else told
