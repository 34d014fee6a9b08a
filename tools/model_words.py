"""Gives the shipped small recogniser more words: rebuilds its graphs from its archive, and nothing else.

    python tools/model_words.py OLD.tgz NEW.tgz LEXICON PHRASES

LEXICON has a word and its phones a line (`абонент a b a nj E n t`, phones as in the model's
phones.txt, capitals are stressed); PHRASES has sentences in which the words are said. The acoustic
model is copied byte for byte; the old words' pronunciations and the phones' durations are read out of
the old graph. Needs OpenFst's programs and its look-ahead plug-in (Debian: libfst-tools and
libfst22-plugins-base). The same input gives the same archive, byte for byte.
"""

from __future__ import annotations

import gzip
import io
import math
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

PAUSE = 0.5
"""The chance of silence between two words."""
UNKNOWN_COST = 1.0
UNKNOWN_PHONES = 5
"""`[unk]` is at least so many garbage phones of 30 ms, and is entered at this cost."""
NEW_UNIGRAM = 5e-4
NEW_BIGRAM = 0.02
"""Chances of a new word after any word, and of a word that follows an old one only in PHRASES."""

Pronunciation = tuple[str, ...]


class Arc(NamedTuple):
    """Of a graph: `input` are transition ids (2p - 1 stays in phone p, 2p enters it), `output` words."""

    source: int
    target: int
    input: int
    output: int
    cost: float


class Graph(NamedTuple):
    arcs: list[Arc]
    finals: dict[int, float]


def fst(*command: str, text: str = "") -> str:
    return subprocess.run(command, input=text, check=True, capture_output=True, text=True).stdout


def read_graph(file: Path) -> Graph:
    arcs, finals = [], {}
    for line in fst("fstprint", str(file)).splitlines():
        fields = line.split()
        if len(fields) <= 2:
            finals[int(fields[0])] = float(fields[1]) if len(fields) == 2 else 0.0
        else:
            source, target, input_, output = map(int, fields[:4])
            arcs.append(Arc(source, target, input_, output, float(fields[4]) if len(fields) == 5 else 0.0))
    return Graph(arcs, finals)


def write_graph(graph: Graph, start: int, file: Path) -> None:
    """The first state named is the start."""
    arcs = sorted(graph.arcs, key=lambda arc: arc.source != start)
    lines = [f"{a.source} {a.target} {a.input} {a.output} {a.cost:.9g}" for a in arcs]
    lines += [f"{state} {cost:.9g}" for state, cost in graph.finals.items()]
    source = file.with_suffix(".txt")
    source.write_text("\n".join(lines) + "\n")
    fst("fstcompile", str(source), str(file))
    source.unlink()


def read_table(file: Path) -> dict[str, int]:
    return {name: int(number) for name, number in (line.split() for line in file.open(encoding="utf-8"))}


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


def rebuild(model: Path, entries: Sequence[tuple[str, Pronunciation]], phrases: Sequence[str]) -> None:
    """Rewrites the graph of an unpacked model."""
    graph = model / "graph"
    phones, words = read_table(graph / "phones.txt"), read_table(graph / "words.txt")
    real = {name: number for name, number in phones.items() if number and not name.startswith("#")}
    old = read_graph(graph / "HCLr.fst")
    lexicon = read_lexicon(old, phones, words)
    lost = set(words) - {word for word, _ in lexicon} - {"<eps>", "[unk]"}
    if lost:
        raise SystemExit(f"no pronunciation of these could be read out of the graph: {sorted(lost)}")
    new = list(dict.fromkeys(word for word, _ in entries if word not in words))
    first = max(words.values()) + 1
    words |= {word: first + index for index, word in enumerate(new)}
    unknown = {phone for _, said in entries for phone in placed(said)} - set(real)
    missing = {word for phrase in phrases for word in phrase.split()} - set(words)
    if unknown or missing:
        raise SystemExit(f"phones that the model has not: {sorted(unknown)}; words: {sorted(missing)}")
    lexicon += [entry for entry in entries if entry[0] in new]
    plain, marks = lexicon_graph(lexicon, real, words)
    write_graph(plain, 0, graph / "L.fst")
    fst("fstrmepsilon", str(graph / "L.fst"), str(graph / "L1.fst"))
    fst("fstdeterminize", str(graph / "L1.fst"), str(graph / "L2.fst"))
    determinised = read_graph(graph / "L2.fst")
    start = determinised.arcs[0].source
    timed = with_durations(determinised, start, len(real), stays(old, len(real)))
    write_graph(timed, start, graph / "HCL.fst")
    fst("fstarcsort", "--sort_type=olabel", str(graph / "HCL.fst"), str(graph / "L.fst"))
    fst(
        "fstconvert", "--fst_type=olabel_lookahead", f"--save_relabel_opairs={graph / 'pairs'}",
        str(graph / "L.fst"), str(graph / "HCLr.fst"),
    )  # fmt: skip
    pairs: dict[int, int] = {}
    for line in (graph / "pairs").read_text().splitlines():
        before, after = map(int, line.split())
        pairs[before] = after
    said = with_phrases(read_graph(graph / "Gr.fst"), new, words, phrases)
    now = {number: pairs.get(number, number) for number in words.values()}
    arcs = [arc._replace(input=now[arc.input], output=now[arc.output]) for arc in said.arcs]
    write_graph(Graph(arcs, said.finals), 0, graph / "G.fst")
    fst("fstarcsort", "--sort_type=ilabel", str(graph / "G.fst"), str(graph / "L.fst"))
    fst("fstconvert", "--fst_type=const", str(graph / "L.fst"), str(graph / "Gr.fst"))
    for left in ("L.fst", "L1.fst", "L2.fst", "HCL.fst", "G.fst", "pairs"):
        (graph / left).unlink()
    _table(graph / "words.txt", {word: now[number] for word, number in words.items()})
    _table(graph / "phones.txt", {"<eps>": 0, **real, **{f"#{i}": len(real) + 1 + i for i in range(marks)}})
    disambiguating = (2 * len(real) + 1 + index for index in range(marks))
    (graph / "disambig_tid.int").write_text("".join(f"{number}\n" for number in disambiguating))


def _table(file: Path, rows: dict[str, int]) -> None:
    lines = sorted(rows.items(), key=lambda row: row[1])
    file.write_text("".join(f"{name} {number}\n" for name, number in lines), encoding="utf-8")


def read_entries(file: Path) -> Iterator[tuple[str, Pronunciation]]:
    for line in file.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            word, *said = line.split()
            yield word, tuple(said)


def pack(folder: Path, archive: Path) -> None:
    """Nothing of when and by whom it was packed goes in."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            about = tarfile.TarInfo(str(file.relative_to(folder)))
            about.size = file.stat().st_size
            tar.addfile(about, io.BytesIO(file.read_bytes()))
    with archive.open("wb") as out, gzip.GzipFile("", "wb", 9, out, mtime=0) as zipped:
        zipped.write(held.getvalue())


def main(old: str, new: str, lexicon: str, phrases: str) -> None:
    lines = Path(phrases).read_text(encoding="utf-8").splitlines()
    said = [line for line in lines if line and not line.startswith("#")]
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(old) as archive:
            archive.extractall(folder, filter="data")
        (model,) = (path.parent for path in Path(folder).glob("*/graph"))
        rebuild(model, list(read_entries(Path(lexicon))), said)
        pack(Path(folder), Path(new))


if __name__ == "__main__":
    main(*sys.argv[1:5])
