"""An evaluation as tables for `docs/quality.md`. Pure: text out of numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bot.core.intents import Intent
from dialogue.evaluation import Evaluation

_SHORT = 4
"""Letters of an intent's name that head a column of the confusion table."""


def intents_report(result: Evaluation, files: Sequence[str], left_out: int = 0) -> str:
    """Totals, precision and recall by intent, and the confusion table, in Markdown.

    `left_out` sentences of the files were not measured, as they stand in the training data.
    """
    return "\n\n".join((_totals(result, files, left_out), _scores(result), _confusion(result)))


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table: text to the left in the first column, the others to the right."""
    titles = list(head)
    lines = [titles, ["---", *["--:"] * (len(titles) - 1)], *map(list, rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _totals(result: Evaluation, files: Sequence[str], left_out: int) -> str:
    complaints = result.scores(Intent.COMPLAIN)
    rows = [
        ("Фразы", f"{len(result.results)} ({', '.join(f'`{name}`' for name in files)})"),
        ("Не считались: есть в обучении", str(left_out)),
        ("macro-F1 по намерениям", f"{result.macro_f1:.3f}"),
        ("Жалобы: полнота", f"{complaints.recall:.3f}"),
        ("Жалобы: точность", f"{complaints.precision:.3f}"),
        ("Похвала, принятая за жалобу", str(result.taken_for(Intent.PRAISE, Intent.COMPLAIN))),
        ("Темы жалоб: доля верных", f"{result.topic_accuracy:.3f}"),
    ]
    return table(("Мера", "Значение"), rows)


def _scores(result: Evaluation) -> str:
    rows = []
    for intent in result.intents:
        scores = result.scores(intent)
        figures = (scores.precision, scores.recall, scores.f1)
        rows.append((f"`{intent}`", *(f"{figure:.3f}" for figure in figures), str(scores.support)))
    return table(("Намерение", "точность", "полнота", "F1", "фраз"), rows)


def _confusion(result: Evaluation) -> str:
    """Rows: what was meant; columns: what was understood; nothing stands for none."""
    confusion, columns = result.confusion, list(Intent)
    rows = [
        (f"`{meant}`", *(str(confusion[meant, found] or "") for found in columns)) for meant in result.intents
    ]
    return "Строки — что имели в виду, столбцы — что поняли:\n\n" + table(
        ("", *(_column(intent) for intent in columns)), rows
    )


def _column(intent: Intent) -> str:
    return " ".join(part[:_SHORT] for part in intent.value.split("_"))
