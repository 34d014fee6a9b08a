"""The benchmark's figures as tables: on the terminal, and as a marked section of a page."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from bot.core.errors import BadInput
from bot.core.percentiles import Percentiles
from bot.sim.bench.figures import STAGES, Figures, StageShare
from bot.words import words

Row = tuple[str, ...]

_STAGE_NAMES = {
    "endpointing": ("конец реплики", "endpointing"),
    "recognition": ("распознавание", "recognition"),
    "dialogue": ("диалог", "dialogue"),
    "first_audio": ("первый звук", "first audio"),
    "network": ("сеть и линия", "network"),
}


def stage_name(stage: str) -> str:
    return words(*_STAGE_NAMES[stage])


def _target(found: Figures) -> dict[str, str]:
    """What issue 4 asks of a 2-core machine with the small model."""
    closed = "p50 ≤ 450, p95 ≤ 800" if found.calls == 1 else "p95 ≤ 1000"
    return {
        "closed": closed,
        "open": "p95 ≤ 1800",
        "barge_in_pause": "p95 ≤ 250",
        "barge_in_stop": "p95 ≤ 700",
    }


_KINDS = {
    "closed": ("закрытые вопросы", "closed questions"),
    "open": ("открытые вопросы", "open questions"),
    "barge_in_pause": ("перебит: бот замолчал", "barge-in: pause"),
    "barge_in_stop": ("перебит: фраза кончилась", "barge-in: stop"),
}
_UNKNOWN = ("прочие паузы", "other gaps")


def kind_name(kind: str) -> str:
    """A kind of wait, as figures name it; of a question that nobody saw put, it is neither of ours."""
    return words(*_KINDS.get(kind, _UNKNOWN))


def gap_rows(found: Figures) -> Iterator[Row]:
    """Kind, turns, p50, p90, p95, p99, target; times in ms."""
    for kind, names in _KINDS.items():
        figures: Percentiles = getattr(found, kind)
        times = (figures.p50_ms, figures.p90_ms, figures.p95_ms, figures.p99_ms)
        shown = ("-" if time is None else str(time) for time in times)
        yield (words(*names), str(figures.turns), *shown, _target(found)[kind])


def stage_rows(stages: Mapping[str, StageShare]) -> Iterator[Row]:
    """Stage, mean, p50, p95 in ms, share of the mean gap."""
    for stage in STAGES:
        if stage in stages:
            of = stages[stage]
            yield (
                stage_name(stage),
                f"{of.mean_ms:.0f}",
                f"{of.p50_ms:.0f}",
                f"{of.p95_ms:.0f}",
                f"{of.share:.0%}",
            )


def counted(found: Figures) -> Iterator[str]:
    """The figures that are no times, a sentence each."""
    paused = sum(found.cutoffs[manner].turns for manner in ("hesitation", "clause", "correction"))
    yield words(
        f"Ложно перебито {found.false_cutoff_rate:.1%} из {paused} реплик с паузой (цель ≤ 2 %): ",
        f"Falsely cut off: {found.false_cutoff_rate:.1%} of {paused} turns with a pause (target ≤ 2 %): ",
    ) + "; ".join(f"{words(*_MANNERS[manner])} {of.cut}/{of.turns}" for manner, of in found.cutoffs.items())
    made = found.corrections
    yield words(
        f"Поправок {made.turns}: услышано целиком {made.whole}, заменило ответ {made.replaced}, "
        f"потеряно {made.lost}",
        f"Corrections {made.turns}: heard whole {made.whole}, replaced the answer {made.replaced}, "
        f"lost {made.lost}",
    )
    yield words(
        f"Перебивания без остановки: {found.barge_in_missed}; неверных ответов: {found.wrong_answers}; "
        f"незавершённых звонков: {found.unfinished}; телефон замирал: {found.stalls}",
        f"Barge-ins that did not stop: {found.barge_in_missed}; wrong answers: {found.wrong_answers}; "
        f"unfinished calls: {found.unfinished}; stalls of the phones: {found.stalls}",
    )


_MANNERS = {
    "plain": ("без паузы", "no pause"),
    "hesitation": ("после «ну наверное»", "after a hesitation"),
    "clause": ("внутри фразы", "inside a clause"),
    "correction": ("перед поправкой", "before a correction"),
    "open": ("в открытых ответах", "in open answers"),
}


def _gap_heads() -> list[str]:
    return words(
        "мс на сокете клиента|реплик|p50|p90|p95|p99|цель",
        "ms at the caller's socket|turns|p50|p90|p95|p99|target",
    ).split("|")


def _stage_heads() -> list[str]:
    return words("стадия|среднее, мс|p50|p95|доля", "stage|mean, ms|p50|p95|share").split("|")


def wide_console() -> Console:
    """stdout; where it is no terminal, wide enough for the tables."""
    return Console() if sys.stdout.isatty() else Console(width=120)


def show_figures(console: Console, found: Figures) -> None:
    """Everything on a terminal."""
    console.print(_rich(_gap_heads(), gap_rows(found)))
    for kind, stages in found.stages_ms.items():
        if stages:
            console.print(_rich([words(*_KINDS[kind]), *_stage_heads()[1:]], stage_rows(stages)))
    for sentence in counted(found):
        console.print(sentence)


def _rich(heads: list[str], rows: Iterator[Row]) -> Table:
    table = Table(box=box.SIMPLE)
    for index, head in enumerate(heads):
        table.add_column(head, justify="right" if index else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    return table


def latency_section(found: Figures, about: Mapping[str, Any]) -> str:
    """The same as Markdown, with what it was taken on."""
    taken = words(
        f"Звонков сразу: {found.calls}, подряд: {found.rounds}; {about['cpus']} ядра, "
        f"модель `{about['model']}`, средняя загрузка {about['load_1m']}, seed {found.seed}.",
        f"Calls at once: {found.calls}, in turn: {found.rounds}; {about['cpus']} cores, "
        f"model `{about['model']}`, load average {about['load_1m']}, seed {found.seed}.",
    )
    parts = [taken, markdown_table(_gap_heads(), gap_rows(found))]
    for kind, stages in found.stages_ms.items():
        if stages:
            parts.append(markdown_table([words(*_KINDS[kind]), *_stage_heads()[1:]], stage_rows(stages)))
    parts.append("\n".join(f"- {sentence}." for sentence in counted(found)))
    return "\n\n".join(parts)


def taken_on(found: Mapping[str, Any]) -> str:
    """What a load was measured on: the rest of a sentence."""
    return words(
        f"{found['cpus']} ядра, модель `{found['model']}`, seed {found['seed']}.",
        f"{found['cpus']} cores, model `{found['model']}`, seed {found['seed']}.",
    )


def markdown_table(heads: list[str], rows: Iterator[Row]) -> str:
    lines = [heads, ["---", *("---:" for _ in heads[1:])], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def write_section(page: Path, name: str, text: str) -> None:
    """Replace what stands between the page's marks of this name. Raises BadInput where it has none."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    try:
        old = page.read_text(encoding="utf-8")
    except OSError as error:
        raise BadInput(
            words(f"{page}: не читается: {error.strerror}", f"{page}: {error.strerror}")
        ) from error
    if old.count(begin) != 1 or old.count(end) != 1 or old.index(begin) > old.index(end):
        raise BadInput(
            words(f"в {page} нет места для этой таблицы", f"{page} has no place for this table"),
            hint=f"{begin}\n  {end}",
        )
    before, rest = old.split(begin)
    after = rest.split(end)[1]
    page.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")
