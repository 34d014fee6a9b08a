"""The words that a recogniser's model knows, read without loading the model."""

from __future__ import annotations

from pathlib import Path

_NOT_WORDS = frozenset({"<eps>", "<s>", "</s>", "!SIL", "[unk]", "#0"})


def read_vocabulary(model: Path) -> frozenset[str]:
    """The words of `graph/words.txt` (word and id a line); empty where the model has no such file."""
    try:
        lines = (model / "graph" / "words.txt").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return frozenset()
    return frozenset(line.split()[0] for line in lines if line.strip()) - _NOT_WORDS
