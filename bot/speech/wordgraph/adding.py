"""A model of one's own: the shipped one and more words, in `var/models` beside it.

The words that were added are kept with it, so the next ones come on top of them, and a newer shipped model
can be given them all again.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from bot.core.errors import BadInput
from bot.core.files import write_whole
from bot.speech.models import (
    WITH_WORDS,
    disk_errors,
    ensure_model,
    find_entry,
    locked,
    model_path,
)
from bot.speech.unpacking import RECEIPT, Receipt, put_in_place, read_receipt, require_space
from bot.speech.vocabulary import read_vocabulary
from bot.speech.wordgraph.rebuild import rebuild
from bot.words import words

_ADDED = "added-words.txt"
"""In the model's folder, as models/words/lexicon.txt: a word and its phones a line."""
_TIMES = 3
"""Room that is asked for, as a multiple of the model: itself, and its graphs on their way through OpenFst."""
_GRAPHS = ("HCLr.fst", "Gr.fst", "phones.txt", "words.txt", "disambig_tid.int")


def add_words(
    base: str, added: Mapping[str, Sequence[str]], models_dir: Path, var_dir: Path
) -> tuple[str, tuple[str, ...]]:
    """The name of the model that knows them, and those that it did not know before. `added` are words and
    their phones. The model is whole at every moment; where this fails, what was there stays.

    Blocking, some seconds. Raises BadInput (phones that it has not, a model of another make), ModelMissing,
    Unavailable (OpenFst's programs), DiskFull.
    """
    origin = ensure_model(base.removesuffix(WITH_WORDS), models_dir, var_dir)
    entry = find_entry(f"{base.removesuffix(WITH_WORDS)}{WITH_WORDS}", models_dir)
    if not all((origin / "graph" / name).is_file() for name in _GRAPHS):
        raise BadInput(
            words(
                f"{base}: слова добавляют только в малую модель из поставки",
                f"{base}: words are added only to the small model that ships",
            ),
            hint=words(
                "у моделей издателя свой словарь, в сотни тысяч слов",
                "the publisher's models have a vocabulary of their own, of hundreds of thousands",
            ),
        )
    target = model_path(entry, var_dir)
    with locked(entry, var_dir), disk_errors(target):
        earlier = read_added(target)
        known = read_vocabulary(origin)
        wanted = {word: tuple(said) for word, said in {**earlier, **added}.items() if word not in known}
        fresh = Path(tempfile.mkdtemp(prefix=f".{entry.name}.", dir=target.parent))
        try:
            require_space(_TIMES * sum(file.stat().st_size for file in _files(origin)), target)
            for file in _files(origin):  # shutil.copytree makes an error without a number of a full disk's
                copy = fresh / file.relative_to(origin)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, copy)
            rebuild(fresh, list(wanted.items()), list(wanted))
            lines = [" ".join((word, *said)) for word, said in wanted.items()]
            write_whole(fresh / _ADDED, "".join(f"{line}\n" for line in lines).encode(), mode=0o644)
            _write_receipt(fresh, read_receipt(origin).sha256)
            fresh.chmod(0o755)
            put_in_place(fresh, target)
        except BaseException:
            shutil.rmtree(fresh, ignore_errors=True)
            raise
    return entry.name, tuple(word for word in added if word in wanted and word not in earlier)


def read_added(target: Path) -> dict[str, tuple[str, ...]]:
    """Words that were added to a model before, with their phones; none where there is no such model."""
    try:
        lines = (target / _ADDED).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    return {word: tuple(said) for word, *said in map(str.split, lines)}


def _files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != RECEIPT]


def _write_receipt(folder: Path, sha256: str) -> None:
    files = {
        str(path.relative_to(folder)): (
            path.stat().st_size,
            hashlib.sha256(path.read_bytes()).hexdigest(),
        )
        for path in _files(folder)
    }
    receipt = Receipt(sha256=sha256, files=files, source="otklik models words add")
    write_whole(folder / RECEIPT, receipt.model_dump_json(indent=1).encode(), mode=0o644)
