"""No regular expression of the product can be made to work for ever by the text that it is given.

All of them are found in the source and attacked, a new one as soon as it is there, by a matcher that counts
its steps (`backtracking`): three times as much text may take three times as many, and no more.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence

import pytest

from bot.speech import reading
from bot.surveys.schema import Survey
from bot.web.studio.talks import LONGEST_TURN
from tests.trust.backtracking import MOST, Counting, TooMany
from tests.trust.hostile import Attack, Hostile
from tests.trust.patterns_in import Built, Found, Sources, files

SHORT = 600
"""Characters of the longest sentence that a survey may say (its schema); a turn that is typed is shorter."""

SENTENCES = ("bot.surveys.", "bot.speech.reading", "dialogue.server.")
"""What these read is a sentence of a survey or a turn of a caller, and so short. Of them alone it is enough
that a sentence takes few steps."""
ATTACKS = 150
"""Of one pattern: where there are more, every so many-th."""
FEW = 900_000
"""About a hundredth of a second of `re`."""

BUILT = {Built("bot.speech.reading", "pattern")}
"""Its rules, from two tables."""


def every() -> Iterator[Found]:
    for found in Sources().patterns():
        if isinstance(found, Found):
            yield found
    for rules in (reading.BEFORE, reading.BEHIND):
        for number, (pattern, _) in enumerate(rules):
            where = f"bot.speech.reading rule {number}"
            yield Found(where, pattern.pattern, pattern.flags & ~re.UNICODE, frozenset({"searched"}))


EVERY = list(every())


@pytest.fixture(autouse=True)
def deep() -> Iterator[None]:
    """The matcher calls itself for each step that it may take back."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(200_000)
    yield
    sys.setrecursionlimit(before)


def spans(use: str, counting: Counting, text: str) -> Sequence[tuple[int, int]]:
    """What is found, in steps that are counted from here on."""
    counting.steps = 0
    find = {"searched": counting.find_all, "match": counting.match, "fullmatch": counting.full_match}
    return find[use](text)


def as_re(use: str, pattern: re.Pattern[str], text: str) -> Sequence[tuple[int, int]]:
    if use == "searched":
        return [match.span() for match in pattern.finditer(text)]
    match = pattern.match(text) if use == "match" else pattern.fullmatch(text)
    return [match.span()] if match else []


def growth(use: str, counting: Counting, attack: Attack, times: int) -> int:
    """By how many steps three times as much takes more than three times as many; 0 where it does not,
    but for what a beginning and an end may take."""
    try:
        spans(use, counting, attack.text(times))
        once = counting.steps
        spans(use, counting, attack.text(3 * times))
    except TooMany:
        return MOST
    return max(0, counting.steps - 3 * once - 10 * times)


def takes_long(use: str, counting: Counting, attack: Attack) -> bool:
    try:
        spans(use, counting, attack.of(SHORT))
    except TooMany:
        return True
    return counting.steps > FEW


def faults(found: Found) -> list[tuple[str, Attack]]:
    """How it is used, and the worst that can be done to it then."""
    counting = Counting(text_of(found), found.flags)
    hostile = Hostile(counting)
    attacks, wrong = hostile.attacks(), []
    attacks = attacks[:: len(attacks) // ATTACKS + 1]
    for use in sorted(found.uses if attacks else ()):
        times = hostile.times()
        grown = 0
        for attack in attacks:
            if (by := growth(use, counting, attack, times)) > grown:
                grown, worst = by, attack
            if grown == MOST:
                break
        if grown and not (found.where.startswith(SENTENCES) and not takes_long(use, counting, worst)):
            wrong.append((use, worst))
    return wrong


def text_of(found: Found) -> str:
    return found.pattern if isinstance(found.pattern, str) else found.pattern.decode("latin-1")


@pytest.mark.parametrize("found", EVERY, ids=lambda found: found.where)
def test_no_pattern_works_more_than_its_text_is_long(found: Found) -> None:
    assert faults(found) == [], found.pattern


@pytest.mark.parametrize(
    "pattern", [r"(a|a)*b", r"(a+)+$", r"(\w+\s?)*!", r"\s+,", r"«[^»]*»", r"(.*)(.*)x$", r"\d+x"]
)
def test_a_pattern_that_may_work_for_ever_is_found_out(pattern: str) -> None:
    assert faults(Found("bot.store", pattern, 0, frozenset({"searched"})))


@pytest.mark.parametrize("found", EVERY, ids=lambda found: found.where)
def test_the_matcher_that_counts_finds_what_re_finds(found: Found) -> None:
    """Else its steps would say nothing."""
    text = text_of(found)
    counting, pattern = Counting(text, found.flags), re.compile(text, found.flags)
    attacks = Hostile(counting).attacks()
    for use in found.uses:
        for attack in attacks:
            hostile = attack.text(5)
            assert spans(use, counting, hostile) == as_re(use, pattern, hostile), (use, hostile)


def test_no_text_from_outside_becomes_a_pattern() -> None:
    """What a pattern is made of is known to its module, or escaped. So a survey has no way to bring one, nor
    has a contact file, nor a page; and whatever checks models is Rust's, which does not backtrack."""
    sources = [file.read_text("utf-8") for file in files()]
    assert {each for each in Sources().patterns() if isinstance(each, Built)} == BUILT
    assert not [
        text for text in sources if re.search(r"from re import|import re as|regex_engine|import regex", text)
    ]
    named = set(re.findall(r'"([a-z_]*(?:pattern|regex)[a-z_]*)": \{', str(Survey.model_json_schema())))
    assert named == set(), "no key of a survey holds a pattern"
    assert LONGEST_TURN <= SHORT
