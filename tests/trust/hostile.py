"""Strings that make a regular expression work: of each repetition in it what it takes, over and over, behind
what leads there, and an end that fits nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from re import _constants  # type: ignore[attr-defined]
from typing import Any

from tests.trust.backtracking import REPEATS, SINGLE, Counting, Nodes

CHARS = "аaА1 _,.:;-+/\\\"'<>{}[]()«»=@#*|?!\tЯZé—\n\x00"
"""Of each kind that a class may tell apart; the first ones first."""
VARIANTS = (0, 1)
OFTEN = 8
"""What may come more often than this is a repetition to be tried."""
WIDEST = 1000
ENDS = ("", "\x00")


@dataclass(frozen=True)
class Attack:
    before: str
    again: str
    end: str

    def text(self, times: int) -> str:
        return self.before + self.again * times + self.end

    def of(self, length: int) -> str:
        return self.text(length // len(self.again))


class Hostile:
    def __init__(self, counting: Counting) -> None:
        self._counting = counting
        self._fits: dict[int, str] = {}
        self._widest = 0

    def times(self) -> int:
        """So often that what may come so and so often at most, comes more often."""
        return max(24, self._widest + 10)

    def attacks(self) -> list[Attack]:
        counting, found = self._counting, dict[Attack, None]()
        wholes = [self._said(counting.tree, counting.flags, variant) for variant in VARIANTS]
        for befores, bodies in self._repeats(counting.tree, counting.flags, [""] * len(VARIANTS)):
            led = [before + bodies[0] for before in befores if bodies]
            again = [*bodies, "".join(bodies[:2]), *befores, *led, *wholes]
            for pump in dict.fromkeys(filter(None, again)):
                for before in dict.fromkeys(("", befores[0]) if pump in bodies else ("",)):
                    found |= dict.fromkeys(Attack(before, pump, end) for end in ENDS)
        return list(found)

    def _repeats(self, nodes: Nodes, flags: int, befores: list[str]) -> Iterator[tuple[list[str], list[str]]]:
        """What leads to each, and what it takes."""
        for node in nodes:
            op, told = node
            if op in REPEATS:
                _, most, body = told
                if most is _constants.MAXREPEAT or most > OFTEN:
                    if most is not _constants.MAXREPEAT:
                        self._widest = max(self._widest, min(most, WIDEST))
                    yield befores, self._bodies(body, flags)
                yield from self._repeats(body, flags, befores)
            elif op is _constants.BRANCH:
                for way in told[1]:
                    yield from self._repeats(way, flags, befores)
            elif op is _constants.SUBPATTERN:
                yield from self._repeats(told[3], (flags | told[1]) & ~told[2], befores)
            elif op in (_constants.ASSERT, _constants.ASSERT_NOT):
                yield from self._repeats(told[1], flags, befores)
            elif op is _constants.ATOMIC_GROUP:
                yield from self._repeats(told, flags, befores)
            befores = [
                before + self._said([node], flags, variant)
                for before, variant in zip(befores, VARIANTS, strict=True)
            ]

    def _bodies(self, body: Any, flags: int) -> list[str]:
        if len(body) == 1 and body[0][0] in SINGLE:
            fit = self._chars(body[0], flags)
            return list(dict.fromkeys([*fit[:1], *(char for char in fit if not char.isalnum())][:2]))
        return list(dict.fromkeys(self._said(body, flags, variant) for variant in (0, 1, 2)))

    def _said(self, nodes: Nodes, flags: int, variant: int) -> str:
        """Something that these nodes take, or nearly."""
        said = ""
        for op, told in nodes:
            if op in SINGLE:
                fit = self._chars((op, told), flags)
                said += fit[variant % len(fit)] if fit else ""
            elif op in REPEATS:
                least, most, body = told
                said += self._said(body, flags, variant) * (min(most, max(least, variant % 2)))
            elif op is _constants.BRANCH:
                ways = told[1]
                said += self._said(ways[(variant * len(ways) // 3) % len(ways)], flags, variant)
            elif op is _constants.SUBPATTERN:
                said += self._said(told[3], (flags | told[1]) & ~told[2], variant)
            elif op is _constants.ASSERT:
                said += self._said(told[1], flags, variant)
            elif op is _constants.ATOMIC_GROUP:
                said += self._said(told, flags, variant)
        return said

    def _chars(self, node: tuple[Any, Any], flags: int) -> str:
        op, told = node
        if op is _constants.LITERAL:
            return chr(told)
        own = [chr(each) for kind, each in told if kind is _constants.LITERAL] if op is _constants.IN else []
        own += (
            [chr(each[0]) for kind, each in told if kind is _constants.RANGE] if op is _constants.IN else []
        )
        fits = self._counting.one(node, flags)
        return "".join(char for char in dict.fromkeys((*CHARS, *own)) if fits(char))
