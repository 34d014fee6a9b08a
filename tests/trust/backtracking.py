"""How many steps a regular expression takes: a matcher that backtracks as `re` does, and counts.

`re` tells nobody how much it worked. This one walks the parse tree of `re` itself, tries in the same order,
and leaves out what `re` leaves out as well: alternatives and beginnings that the next character rules out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from re import _compiler, _constants, _parser  # type: ignore[attr-defined]
from typing import Any

Then = Callable[[int], int]
"""Goes on from a place; where it all ended, or `NO`."""
Step = Callable[[int, Then], int]
Nodes = Sequence[tuple[Any, Any]]

NO = -1
MOST = 1_000_000
"""Steps after which a string is given up: far more than any line takes."""

SINGLE = {_constants.LITERAL, _constants.NOT_LITERAL, _constants.ANY, _constants.IN}
REPEATS = {_constants.MAX_REPEAT, _constants.MIN_REPEAT, _constants.POSSESSIVE_REPEAT}


def _alone(node: tuple[Any, Any], flags: int) -> re.Pattern[Any]:
    """As a pattern of its own, whatever the flags of the whole one are: some are only of a part."""
    state = _parser.State()
    state.flags = flags
    compiled: re.Pattern[Any] = _compiler.compile(_parser.SubPattern(state, [node]), flags)
    return compiled


class TooMany(Exception):
    """It was given up."""


class Counting:
    """One pattern. `steps` is what was taken since it was last set."""

    def __init__(self, pattern: str | bytes, flags: int = 0) -> None:
        self.tree = _parser.parse(pattern, flags)
        self.flags = self.tree.state.flags
        self.steps = 0
        self._text: str | bytes = ""
        self._groups: dict[int, str | bytes] = {}
        self._is: dict[tuple[int, str | bytes], bool] = {}
        self._kept: list[Any] = []
        self._whole = self._all(self.tree, self.flags)
        self._may_begin = self._beginning(self.tree, self.flags)

    def find_all(self, text: str | bytes) -> list[tuple[int, int]]:
        """The spans, as `finditer` has them."""
        found, start = [], 0
        while start <= len(text):
            self._tick()
            end = self._at(text, start) if self._may_begin(text[start : start + 1]) else NO
            if end == NO:
                start += 1
                continue
            found.append((start, end))
            start = max(end, start + 1)
        return found

    def match(self, text: str | bytes) -> list[tuple[int, int]]:
        end = self._at(text, 0)
        return [] if end == NO else [(0, end)]

    def full_match(self, text: str | bytes) -> list[tuple[int, int]]:
        end = self._at(text, 0, lambda place: place if place == len(text) else NO)
        return [] if end == NO else [(0, end)]

    def _at(self, text: str | bytes, start: int, then: Then = lambda place: place) -> int:
        self._text, self._groups = text, {}
        return self._whole(start, then)

    def _tick(self, steps: int = 1) -> None:
        self.steps += steps
        if self.steps > MOST:
            raise TooMany

    # Characters ----------------------------------------------------------------------------------

    def one(self, node: tuple[Any, Any], flags: int) -> Callable[[str | bytes], bool]:
        """Whether a character is what this node takes: `re` itself says."""
        self._kept.append(node)
        number = len(self._kept)
        asked = _alone(node, flags)

        def fits(char: str | bytes) -> bool:
            known = self._is.get((number, char))
            if known is None:
                known = self._is[number, char] = bool(char) and asked.match(char) is not None
            return known

        return fits

    def _beginning(self, nodes: Nodes, flags: int) -> Callable[[str | bytes], bool]:
        """Whether it may begin with this character (empty: the end)."""
        tests: list[Callable[[str | bytes], bool]] = []
        for node in nodes:
            op, told = node
            if op in SINGLE:
                tests.append(self.one(node, flags))
            elif op is _constants.BRANCH:
                tests += [self._beginning(each, flags) for each in told[1]]
            elif op is _constants.SUBPATTERN:
                tests.append(self._beginning(told[3], (flags | told[1]) & ~told[2]))
            elif op in REPEATS:
                tests.append(self._beginning(told[2], flags))
            elif op in (_constants.AT, _constants.ASSERT, _constants.ASSERT_NOT):
                continue
            else:
                return lambda char: True
            if _parser.SubPattern(self.tree.state, [node]).getwidth()[0]:
                return lambda char: any(test(char) for test in tests)
        return lambda char: True

    # Nodes ---------------------------------------------------------------------------------------

    def _all(self, nodes: Nodes, flags: int) -> Step:
        steps = [self._node(node, flags) for node in nodes]

        def run(place: int, then: Then, number: int = 0) -> int:
            if number == len(steps):
                return then(place)
            return steps[number](place, lambda after: run(after, then, number + 1))

        return steps[0] if len(steps) == 1 else run

    def _node(self, node: tuple[Any, Any], flags: int) -> Step:
        op, told = node
        if op in SINGLE:
            return self._single(node, flags)
        if op in REPEATS:
            least, most, body = told
            return self._repeat(op, least, most, body, flags)
        if op is _constants.BRANCH:
            return self._branch(told[1], flags)
        if op is _constants.SUBPATTERN:
            group, on, off, inner = told
            return self._group(group, self._all(inner, (flags | on) & ~off))
        if op is _constants.GROUPREF:
            return self._said_again(told)
        if op is _constants.ATOMIC_GROUP:
            return self._atomic(self._all(told, flags))
        if op is _constants.AT:
            return self._here(node, flags)
        if op in (_constants.ASSERT, _constants.ASSERT_NOT):
            direction, inner = told
            back = inner.getwidth()[0] if direction < 0 else 0
            return self._look(self._all(inner, flags), back, wanted=op is _constants.ASSERT)
        raise NotImplementedError(f"{op}: teach this matcher what it does")

    def _single(self, node: tuple[Any, Any], flags: int) -> Step:
        fits = self.one(node, flags)

        def step(place: int, then: Then) -> int:
            self._tick()
            return then(place + 1) if fits(self._text[place : place + 1]) else NO

        return step

    def _repeat(self, op: Any, least: int, most: int, body: Any, flags: int) -> Step:
        if len(body) == 1 and body[0][0] in SINGLE:
            if op is _constants.MIN_REPEAT:
                return self._lazy(self._single(body[0], flags), least, most)
            run = self._run(self.one(body[0], flags), least, most)
            return self._atomic(run) if op is _constants.POSSESSIVE_REPEAT else run
        inner = self._all(body, flags)
        if op is _constants.MIN_REPEAT:
            return self._lazy(inner, least, most)
        greedy = self._greedy(inner, least, most)
        return self._atomic(greedy) if op is _constants.POSSESSIVE_REPEAT else greedy

    def _run(self, fits: Callable[[str | bytes], bool], least: int, most: int) -> Step:
        def step(place: int, then: Then) -> int:
            end, limit = place, len(self._text) if most is _constants.MAXREPEAT else place + most
            while end < limit and fits(self._text[end : end + 1]):
                end += 1
            self._tick(1 + end - place)
            for after in range(end, place + least - 1, -1):
                self._tick()
                found = then(after)
                if found != NO:
                    return found
            return NO

        return step

    def _greedy(self, inner: Step, least: int, most: int) -> Step:
        def more(place: int, then: Then, count: int) -> int:
            self._tick()
            if count < most:

                def again(after: int) -> int:
                    if after == place and count >= least:
                        return NO
                    return more(after, then, count + 1)

                found = inner(place, again)
                if found != NO:
                    return found
            return then(place) if count >= least else NO

        return lambda place, then: more(place, then, 0)

    def _lazy(self, inner: Step, least: int, most: int) -> Step:
        def more(place: int, then: Then, count: int) -> int:
            self._tick()
            if count >= least and (found := then(place)) != NO:
                return found
            if count == most:
                return NO
            return inner(
                place,
                lambda after: NO if after == place and count >= least else more(after, then, count + 1),
            )

        return lambda place, then: more(place, then, 0)

    def _branch(self, ways: Iterable[Any], flags: int) -> Step:
        each = [(self._beginning(way, flags), self._all(way, flags)) for way in ways]
        fit: dict[str | bytes, list[Step]] = {}

        def step(place: int, then: Then) -> int:
            char = self._text[place : place + 1]
            if char not in fit:
                fit[char] = [way for may_begin, way in each if may_begin(char)]
            self._tick()
            for way in fit[char]:
                found = way(place, then)
                if found != NO:
                    return found
            return NO

        return step

    def _group(self, group: int | None, inner: Step) -> Step:
        if group is None:
            return inner

        def step(place: int, then: Then) -> int:
            def kept(after: int) -> int:
                before = self._groups.get(group)
                self._groups[group] = self._text[place:after]
                found = then(after)
                if found == NO and before is not None:
                    self._groups[group] = before
                return found

            return inner(place, kept)

        return step

    def _said_again(self, group: int) -> Step:
        def step(place: int, then: Then) -> int:
            said = self._groups.get(group)
            self._tick()
            there = said is not None and self._text[place : place + len(said)] == said
            return then(place + len(said)) if said is not None and there else NO

        return step

    def _atomic(self, inner: Step) -> Step:
        def step(place: int, then: Then) -> int:
            end = inner(place, lambda after: after)
            return NO if end == NO else then(end)

        return step

    def _here(self, node: tuple[Any, Any], flags: int) -> Step:
        asked = _alone(node, flags)

        def step(place: int, then: Then) -> int:
            self._tick()
            return then(place) if asked.match(self._text, place) else NO

        return step

    def _look(self, inner: Step, back: int, *, wanted: bool) -> Step:
        def step(place: int, then: Then) -> int:
            self._tick()
            there = place >= back and inner(place - back, lambda after: after) != NO
            return then(place) if there is wanted else NO

        return step
