"""The model's folder: graphs that take a grammar at run time, tables, configuration.

The graphs are made by bot/speech/wordgraph, as those of `otklik models words add` are.
"""

from __future__ import annotations

import math
import shutil
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bot.speech.wordgraph.fst import Arc, Graph
from bot.speech.wordgraph.rebuild import compile_graphs
from small_ru.cepstra import CONFIGURATION
from small_ru.lexicon import GARBAGE, LABELS, PHONES, SILENCE, Pronunciation

UNKNOWN = "[unk]"
GRAPH_PHONES = (SILENCE, *(f"{phone}_{place}" for phone in (*PHONES, GARBAGE) for place in "BEIS"))
"""With their place in a word: begin, end, inside, alone."""
OUTPUTS = (*LABELS, GARBAGE)
"""What the acoustic model tells apart."""
_PLACES = {"B": "begin", "E": "end", "I": "internal", "S": "singleton"}
_SILENCE_STAYS, _GARBAGE_STAYS = 0.9, 0.7
_UNKNOWN_CHANCE, _END_CHANCE, _KNOWN_CHANCE = 0.03, 0.12, 0.85
"""After a word of which nothing is known: an unknown one, the end, or one of the vocabulary."""

_DECODING = """\
--min-active=200
--max-active=3000
--beam=11.0
--lattice-beam=4.0
--acoustic-scale={scale}
--frame-subsampling-factor=3
--endpoint.silence-phones=1
--endpoint.rule2.min-trailing-silence=0.5
--endpoint.rule3.min-trailing-silence=1.0
--endpoint.rule4.min-trailing-silence=2.0
"""


def lay_out(
    folder: Path,
    lexicon: Sequence[tuple[str, Pronunciation]],
    stays: Mapping[str, float],
    said: Sequence[str],
) -> None:
    """Everything but the acoustic model and its scale, anew. `said` are sentences as they are said: the
    chances of words come from them. Raises Unavailable (OpenFst's programs)."""
    shutil.rmtree(folder, ignore_errors=True)
    graph = folder / "graph"
    (graph / "phones").mkdir(parents=True)
    (folder / "am").mkdir()
    (folder / "conf").mkdir()
    words = {"<eps>": 0}
    for word in [*dict.fromkeys(word for word, _ in lexicon), UNKNOWN]:
        words[word] = len(words)
    numbers = {phone: number for number, phone in enumerate(GRAPH_PHONES, 1)}
    costs = [0.0, *(-math.log(stays[base(phone)]) for phone in GRAPH_PHONES)]
    compile_graphs(graph, lexicon, numbers, words, costs, bigrams(said, words))
    boundaries = (
        f"{number} {'nonword' if phone == SILENCE else _PLACES[phone[-1]]}\n"
        for phone, number in numbers.items()
    )
    (graph / "phones" / "word_boundary.int").write_text("".join(boundaries))
    (folder / "conf" / "mfcc.conf").write_text(CONFIGURATION)


def set_scale(folder: Path, scale: float) -> None:
    """How much the acoustic model is believed against the chances of words."""
    (folder / "conf" / "model.conf").write_text(_DECODING.format(scale=scale))


def base(phone: str) -> str:
    """A phone without its place in a word."""
    return phone.split("_")[0]


def durations(labels: Sequence[npt.NDArray[np.int8]]) -> dict[str, float]:
    """How likely each phone is to last another 30 ms, by aligned sentences: 1 - 1 / its mean length."""
    frames, runs = np.zeros(len(LABELS)), np.zeros(len(LABELS))
    for one in labels:
        thinned = one[::3]
        begins = np.concatenate([thinned[:1], thinned[1:][np.diff(thinned) != 0]])
        frames += np.bincount(thinned, minlength=len(LABELS))
        runs += np.bincount(begins, minlength=len(LABELS))
    length = np.maximum(frames / np.maximum(runs, 1), 1.15)
    stays = {phone: float(np.clip(1 - 1 / length[index], 0.15, 0.9)) for index, phone in enumerate(LABELS)}
    return stays | {SILENCE: _SILENCE_STAYS, GARBAGE: _GARBAGE_STAYS}


def bigrams(said: Sequence[str], words: Mapping[str, int]) -> Graph:
    """Chances of a word after another one, interpolated with those of the word alone (Witten and Bell,
    1991). State 0 begins a sentence, 1 is after a word of which nothing is known. UNKNOWN may be said, too:
    what follows it is counted, how often it is said is not."""
    alone: Counter[str] = Counter()
    after: dict[str, Counter[str]] = defaultdict(Counter)
    for text in said:
        spoken = text.split()
        alone.update(word for word in spoken if word != UNKNOWN)
        for before, word in zip(["<s>", *spoken], [*spoken, "</s>"], strict=True):
            after[before][word] += 1
    real = [word for word in words if word not in ("<eps>", UNKNOWN)]
    total = alone.total() + len(real)
    chance = {word: (alone[word] + 1) / total * _KNOWN_CHANCE for word in real}
    chance |= {UNKNOWN: _UNKNOWN_CHANCE, "</s>": _END_CHANCE}
    states = {word: index for index, word in enumerate((word for word in after if word != "<s>"), 2)}
    states["<s>"], backing = 0, 1
    arcs: list[Arc] = []
    finals: dict[int, float] = {backing: -math.log(_END_CHANCE)}

    def add(source: int, word: str, share: float) -> None:
        if word == "</s>":
            finals[source] = -math.log(share)
        else:
            arcs.append(Arc(source, states.get(word, backing), words[word], words[word], -math.log(share)))

    for before, follows in after.items():
        kinds, times = len(follows), follows.total()
        trusted = times / (times + kinds)
        for word, count in follows.items():
            add(states[before], word, trusted * count / times + (1 - trusted) * chance[word])
        arcs.append(Arc(states[before], backing, 0, 0, -math.log(1 - trusted)))
    for word in (*real, UNKNOWN):
        add(backing, word, chance[word])
    return Graph(arcs, finals)
