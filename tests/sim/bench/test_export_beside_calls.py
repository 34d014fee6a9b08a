"""What `bench export-during-calls` judges."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from bot.cli import bench_export
from bot.cli.bench_export import Exports, section, summary
from bot.core.percentiles import percentiles
from bot.sim.bench.load import Load, LoadBook, Taken, load_of


def held(p95_ms: int, **changes: Any) -> Load:
    """A load whose replies all took so long."""
    load = load_of(20, [], {}, LoadBook(), Taken(), 4)
    closed = percentiles([p95_ms] * 100)
    figures = load.figures.model_copy(update={"closed": closed})
    whole: dict[str, Any] = {"figures": figures, "calls": 20, "packets": 100_000, "prompts": 400}
    return replace(load, **(whole | changes))


def found(during: Load, exports: Exports, without: Load | None = None) -> dict[str, Any]:
    return summary(without or held(700), during, exports, 1_000_000)


WORKED = Exports(unfinished_s=33.4)


@pytest.mark.parametrize("exports", [WORKED, Exports(whole=1, first_s=90.0, mb=80.0, unfinished_s=0.1)])
def test_an_export_that_worked_and_disturbed_nobody(exports: Exports) -> None:
    assert found(held(720), exports)["problems"] == []


@pytest.mark.parametrize(
    ("during", "without", "exports", "problem"),
    [
        (held(770), held(700), WORKED, "reply_gap"),
        (held(700, failed={"partial": 1}), held(700), WORKED, "failed_calls"),
        (held(700), held(700, failed={"partial": 1}), WORKED, "failed_calls"),
        (held(700, late=101), held(700), WORKED, "late_audio"),
        (held(700, torn=1), held(700), WORKED, "late_audio"),
        (held(700), held(700), Exports(), "no_export"),
        (held(700), held(700), Exports(unfinished_s=9.9), "no_export"),
    ],
)
def test_what_keeps_it_from_being_shown(during: Load, without: Load, exports: Exports, problem: str) -> None:
    assert found(during, exports, without)["problems"] == [problem]


def test_calls_without_a_reply_show_nothing() -> None:
    silent = replace(held(700), figures=load_of(20, [], {}, LoadBook(), Taken(), 4).figures)
    assert found(silent, WORKED)["problems"] == ["reply_gap"]


def test_the_page_says_whether_the_target_is_met() -> None:
    about = {"cpus": 2, "model": "m", "seed": 4}
    assert "Цель выдержана." in section(found(held(700), WORKED) | about)
    missed = section(found(held(900, late=101), Exports()) | about)
    assert "Цель не выдержана: пауза выросла, звук опоздал, выгрузка не работала." in missed


@pytest.mark.parametrize(("exports", "status"), [(WORKED, 0), (Exports(), 1)])
def test_the_command_fails_where_it_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, exports: Exports, status: int
) -> None:
    monkeypatch.setenv("OTKLIK_VAR", str(tmp_path))
    (tmp_path / "bench-export-1000.sqlite").touch()

    async def paired(*_: object) -> dict[str, Any]:
        return found(held(700), exports)

    monkeypatch.setattr(bench_export, "_paired", paired)
    app = typer.Typer()
    app.command()(bench_export.export_during_calls)
    ran = CliRunner().invoke(app, ["--rows", "1000", "--json"])
    assert ran.exit_code == status, ran.output
    assert json.loads(ran.stdout)["exports"] == 0
