"""The graphs of a model with one-state phones, from what its own graph says of its words and phones."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from bot.speech.wordgraph.fst import Arc, Graph

PAUSE = 0.5
"""The chance of silence between two words."""
UNKNOWN_COST = 1.0
UNKNOWN_PHONES = 5
"""`[unk]` is at least so many garbage phones of 30 ms, and is entered at this cost."""
NEW_UNIGRAM = 5e-4
NEW_BIGRAM = 0.02
"""Chances of a new word after any word, and of a word that follows an old one only in PHRASES."""

Pronunciation = tuple[str, ...]


def read_lexicon(
    old: Graph, phones: dict[str, int], words: dict[str, int]
) -> list[tuple[str, Pronunciation]]:
    """Each word's pronunciations: the ways through the graph from its start to the end of one word."""
    names, spelt = {number: name for name, number in phones.items()}, {n: w for w, n in words.items()}
    leaving = defaultdict(list)
    for arc in old.arcs:
        leaving[arc.source].append(arc)
    last_phone = max(number for name, number in phones.items() if not name.startswith("#"))
    found: dict[tuple[str, Pronunciation], None] = {}

    def follow(state: int, said: Pronunciation, word: str) -> None:
        for arc in leaving[state]:
            if arc.source == arc.target:
                continue
            phone = names[arc.input // 2] if 0 < arc.input <= 2 * last_phone else ""
            if phone.startswith(("SIL", "GBG")):
                continue
            now = word or (spelt[arc.output] if arc.output else "")
            base, _, place = phone.partition("_")
            if place in ("E", "S"):
                ended(arc.target, (*said, base), now)
            else:
                follow(arc.target, (*said, base) if base else said, now)

    def ended(state: int, said: Pronunciation, word: str) -> None:
        """Words that sound alike are told apart only by a mark behind their last phone."""
        if word:
            found[word, said] = None
            return
        for arc in leaving[state]:
            if arc.source != arc.target and (arc.input == 0 or arc.input > 2 * last_phone):
                ended(arc.target, said, spelt[arc.output] if arc.output else "")

    follow(0, (), "")
    return sorted(entry for entry in found if entry[0] not in ("[unk]", "<eps>"))


def stays(old: Graph, count: int) -> list[float]:
    """The cost of staying in each phone, from 1."""
    costs = {arc.input: arc.cost for arc in old.arcs if arc.source == arc.target and arc.input % 2}
    by_phone = {(tid + 1) // 2: cost for tid, cost in costs.items()}
    return [by_phone.get(phone, math.log(2)) for phone in range(count + 1)]


def lexicon_graph(
    lexicon: Sequence[tuple[str, Pronunciation]], phones: dict[str, int], words: dict[str, int]
) -> tuple[Graph, int]:
    """Phones to words, determinisable: marks behind words that sound alike, before `[unk]` and at silence.
    Also the number of marks."""
    alike, seen = Counter(said for _, said in lexicon), Counter[Pronunciation]()
    real = [name for name in phones if name != "<eps>" and not name.startswith("#")]
    marks = [len(real) + 1 + index for index in range(max(alike.values(), default=1) + 3)]
    unknown_mark, silence_mark = marks[-2], marks[-1]
    start, loop, silence, free = 0, 1, 2, 4
    with_pause, without = -math.log(PAUSE), -math.log(1 - PAUSE)
    arcs = [
        Arc(start, loop, 0, 0, without),
        Arc(start, silence, 0, 0, with_pause),
        Arc(silence, 3, phones["SIL"], 0, 0.0),
        Arc(3, loop, silence_mark, 0, 0.0),
    ]

    def add(sequence: Sequence[int], word: int, cost: float = 0.0) -> None:
        nonlocal free
        state = loop
        for label in sequence[:-1]:
            arcs.append(Arc(state, free, label, word, cost))
            state, free, word, cost = free, free + 1, 0, 0.0
        arcs.append(Arc(state, loop, sequence[-1], word, cost + without))
        arcs.append(Arc(state, silence, sequence[-1], word, cost + with_pause))

    for word, said in lexicon:
        sequence = [phones[name] for name in placed(said)]
        if alike[said] > 1:
            seen[said] += 1
            sequence.append(marks[seen[said]])
        add(sequence, words[word])
    garbage = ["GBG_B", *["GBG_I"] * (UNKNOWN_PHONES - 2), "GBG_E"]
    add([unknown_mark, *(phones[name] for name in garbage)], words["[unk]"], UNKNOWN_COST)
    return Graph(arcs, {loop: 0.0}), len(marks)


def placed(said: Pronunciation) -> list[str]:
    if len(said) == 1:
        return [f"{said[0]}_S"]
    return [f"{said[0]}_B", *(f"{phone}_I" for phone in said[1:-1]), f"{said[-1]}_E"]


def with_durations(graph: Graph, start: int, count: int, costs: Sequence[float]) -> Graph:
    """Phones become transition ids: each entered once and stayed in."""
    entering: dict[int, set[int]] = defaultdict(set)
    for arc in graph.arcs:
        entering[arc.target].add(arc.input if 0 < arc.input <= count else 0)
    free = max(max(arc.source, arc.target) for arc in graph.arcs) + 1
    arcs: list[Arc] = []
    own: dict[tuple[int, int], int] = {}
    for arc in graph.arcs:
        phone = arc.input
        if not 0 < phone <= count:
            arcs.append(arc._replace(input=phone and count + phone))  # marks follow the 2 * count ids
            continue
        state = arc.target
        if (state, phone) not in own:
            shared = len(entering[state]) > 1 or state == start
            own[state, phone] = free if shared else state
            stay = own[state, phone]
            arcs.append(Arc(stay, stay, 2 * phone - 1, 0, costs[phone]))
            if shared:
                arcs.append(Arc(stay, state, 0, 0, 0.0))
                free += 1
        leaves = -math.log(1 - math.exp(-costs[phone]))
        arcs.append(Arc(arc.source, own[state, phone], 2 * phone, arc.output, arc.cost + leaves))
    return Graph(arcs, graph.finals)


def with_phrases(old: Graph, new: Sequence[str], words: dict[str, int], phrases: Iterable[str]) -> Graph:
    """The old bigrams (state 0 begins a sentence), and new ones beside them."""
    (back,) = (arc.target for arc in old.arcs if arc.source == 0 and arc.output == 0)
    after = {arc.output: arc.target for arc in old.arcs if arc.source == back}
    free = max(max(arc.source, arc.target) for arc in old.arcs) + 1
    for index, word in enumerate(new):
        after[words[word]] = free + index
    arcs = list(old.arcs)
    known = {(arc.source, arc.output) for arc in arcs}
    arcs += [Arc(back, after[words[w]], words[w], words[w], -math.log(NEW_UNIGRAM)) for w in new]
    follows: dict[int, Counter[int]] = defaultdict(Counter)
    ends: Counter[int] = Counter()
    for phrase in phrases:
        state = 0
        for spoken in phrase.split():
            follows[state][words[spoken]] += 1
            state = after[words[spoken]]
        ends[state] += 1
    finals = dict(old.finals)
    added = [after[words[word]] for word in new]
    for state in sorted({*follows, *ends, *added}):
        total = sum(follows[state].values()) + ends[state]
        kinds = len(follows[state]) + (1 if ends[state] else 0)
        fresh = state in added
        for label, times in sorted(follows[state].items()):
            if (state, label) not in known:
                chance = times / (total + kinds) if fresh else NEW_BIGRAM
                arcs.append(Arc(state, after[label], label, label, -math.log(chance)))
        if fresh:
            arcs.append(Arc(state, back, 0, 0, -math.log(kinds / (total + kinds)) if kinds else 0.0))
            if ends[state]:
                finals[state] = -math.log(ends[state] / (total + kinds))
    return Graph(arcs, finals)
