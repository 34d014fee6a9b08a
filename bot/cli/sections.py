"""Parts of a document that a command writes: between two marks, and nothing else of it."""

from __future__ import annotations

from pathlib import Path

from bot.core.errors import BadInput, Place


def replace_section(document: Path, name: str, text: str) -> None:
    """Puts `text` between `<!-- NAME -->` and `<!-- /NAME -->`. Raises BadInput without the marks."""
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    try:
        whole = document.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"не читается: {error}", place=Place(str(document))) from error
    before, opened, rest = whole.partition(begin)
    _, closed, after = rest.partition(end)
    if not opened or not closed:
        raise BadInput(
            f"нет раздела «{name}»",
            hint=f"он стоит между {begin.strip()} и {end}",
            place=Place(str(document)),
        )
    document.write_text(f"{before}{begin}\n{text.strip()}\n\n{end}{after}", encoding="utf-8")
