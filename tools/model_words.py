"""Gives the shipped small recogniser more words: its archive with other graphs, and nothing else.

    .venv/bin/python tools/model_words.py OLD.tgz NEW.tgz LEXICON PHRASES

LEXICON has a word and its phones a line (`абонент a b a nj E n t`, phones as in the model's
phones.txt, capitals are stressed); PHRASES has sentences in which the words are said. The same input
gives the same archive, byte for byte. See bot/speech/wordgraph.
"""

from __future__ import annotations

import gzip
import io
import sys
import tarfile
import tempfile
from pathlib import Path

from bot.speech.wordgraph.rebuild import read_entries, rebuild


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
