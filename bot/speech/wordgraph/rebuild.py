"""Gives a small model more words: rebuilds its graphs from themselves. The acoustic model stays as it is.

The old words' pronunciations and the phones' durations are read out of the old graph. The same input gives
the same graphs, byte for byte.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bot.core.errors import BadInput
from bot.speech.wordgraph.build import (
    Pronunciation,
    lexicon_graph,
    placed,
    read_lexicon,
    stays,
    with_durations,
    with_phrases,
)
from bot.speech.wordgraph.fst import Graph, fst, read_graph, read_table, write_graph


def rebuild(model: Path, entries: Sequence[tuple[str, Pronunciation]], phrases: Sequence[str]) -> None:
    """Rewrites the graph of an unpacked model. Blocking, some seconds. Raises BadInput, Unavailable."""
    graph = model / "graph"
    phones, words = read_table(graph / "phones.txt"), read_table(graph / "words.txt")
    real = {name: number for name, number in phones.items() if number and not name.startswith("#")}
    old = read_graph(graph / "HCLr.fst")
    lexicon = read_lexicon(old, phones, words)
    lost = set(words) - {word for word, _ in lexicon} - {"<eps>", "[unk]"}
    if lost:
        raise BadInput(f"no pronunciation of these could be read out of the graph: {sorted(lost)}")
    new = list(dict.fromkeys(word for word, _ in entries if word not in words))
    first = max(words.values()) + 1
    words |= {word: first + index for index, word in enumerate(new)}
    unknown = {phone for _, said in entries for phone in placed(said)} - set(real)
    missing = {word for phrase in phrases for word in phrase.split()} - set(words)
    if unknown or missing:
        raise BadInput(f"phones that the model has not: {sorted(unknown)}; words: {sorted(missing)}")
    lexicon += [entry for entry in entries if entry[0] in new]
    said = with_phrases(read_graph(graph / "Gr.fst"), new, words, phrases)
    compile_graphs(graph, lexicon, real, words, stays(old, len(real)), said)


def compile_graphs(
    graph: Path,
    lexicon: Sequence[tuple[str, Pronunciation]],
    phones: dict[str, int],
    words: dict[str, int],
    costs: Sequence[float],
    said: Graph,
) -> None:
    """Writes the graphs of a model and their tables, so that a grammar may be given at run time.

    `costs` are those of staying in each phone, from 1; `said` are the sentences, of the numbers in `words`,
    which the tables will have otherwise: OpenFst's look-ahead numbers them anew. Raises Unavailable.
    """
    plain, marks = lexicon_graph(lexicon, phones, words)
    write_graph(plain, 0, graph / "L.fst")
    fst("fstrmepsilon", str(graph / "L.fst"), str(graph / "L1.fst"))
    fst("fstdeterminize", str(graph / "L1.fst"), str(graph / "L2.fst"))
    determinised = read_graph(graph / "L2.fst")
    start = determinised.arcs[0].source
    timed = with_durations(determinised, start, len(phones), costs)
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
    now = {number: pairs.get(number, number) for number in words.values()}
    arcs = [arc._replace(input=now[arc.input], output=now[arc.output]) for arc in said.arcs]
    write_graph(Graph(arcs, said.finals), 0, graph / "G.fst")
    fst("fstarcsort", "--sort_type=ilabel", str(graph / "G.fst"), str(graph / "L.fst"))
    fst("fstconvert", "--fst_type=const", str(graph / "L.fst"), str(graph / "Gr.fst"))
    for left in ("L.fst", "L1.fst", "L2.fst", "HCL.fst", "G.fst", "pairs"):
        (graph / left).unlink()
    _table(graph / "words.txt", {word: now[number] for word, number in words.items()})
    marked = {f"#{index}": len(phones) + 1 + index for index in range(marks)}
    _table(graph / "phones.txt", {"<eps>": 0, **phones, **marked})
    disambiguating = (2 * len(phones) + 1 + index for index in range(marks))
    (graph / "disambig_tid.int").write_text("".join(f"{number}\n" for number in disambiguating))


def _table(file: Path, rows: dict[str, int]) -> None:
    lines = sorted(rows.items(), key=lambda row: row[1])
    file.write_text("".join(f"{name} {number}\n" for name, number in lines), encoding="utf-8")
