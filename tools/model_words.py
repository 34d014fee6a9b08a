"""Gives the shipped small recogniser more words: its archive with other graphs, and nothing else.

    .venv/bin/python tools/model_words.py OLD.tgz NEW.tgz LEXICON PHRASES

LEXICON has a word and its phones a line (`абонент a b a nj E n t`, phones as in the model's
phones.txt, capitals are stressed); PHRASES has sentences in which the words are said. The same input
gives the same archive, byte for byte. See bot/speech/wordgraph.
"""

from __future__ import annotations

import sys
import tarfile
import tempfile
from pathlib import Path

from bot.speech.wordgraph.packing import pack
from bot.speech.wordgraph.rebuild import read_entries, rebuild


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
