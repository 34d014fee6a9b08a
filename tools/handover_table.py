"""The matrix in docs/handover.md: each edge's outcome, and the time it took when it was measured.

    .venv/bin/python -m pytest tests/handover --handover-times var/handover.json
    .venv/bin/python tools/handover_table.py var/handover.json

Writes the table between its two marks in the page.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.handover.edges import EDGES, FORMS, Edge  # noqa: E402  the folder above is not a package

PAGE = ROOT / "docs" / "handover.md"
BEGIN, END = "<!-- matrix: begin -->\n", "<!-- matrix: end -->"


def table(measured: dict[str, Any]) -> str:
    rows = [
        "| край | что происходит | чем кончается | bridge | attended | blind |",
        "|---|---|---|---|---|---|",
    ]
    for edge in EDGES:
        cells = (cell(edge, form, measured.get(edge.id, {}).get(form)) for form in FORMS)
        rows.append(f"| `{edge.id}` | {edge.what} | {edge.outcome} | {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def cell(edge: Edge, form: str, times: dict[str, float | None] | None) -> str:
    """The seconds until it was decided; or why there is no such edge."""
    if form in edge.never:
        return f"не бывает: {edge.never[form]}"
    decided = (times or {}).get("decided_s")
    return "не измерено" if decided is None else f"{decided:.1f} с"


def main() -> None:
    measured: dict[str, Any] = {}
    for name in sys.argv[1:]:  # a run may have been made in parts
        measured |= json.loads(Path(name).read_text(encoding="utf-8"))
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(before + BEGIN + table(measured) + END + after, encoding="utf-8")


if __name__ == "__main__":
    main()
