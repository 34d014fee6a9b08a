"""The dashboard in deploy/grafana shows what a node measures, and nothing that it does not."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.parser import text_string_to_metric_families

from bot.metrics import Metrics

BOARD = Path(__file__).parents[2] / "deploy/grafana/otklik.json"

SERIES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}
SCRAPED = {"job", "instance", "le"}
"""Labels that Prometheus and its histograms add."""


def expressions() -> list[str]:
    board: dict[str, Any] = json.loads(BOARD.read_text(encoding="utf-8"))
    queries = [each["query"] for each in board["templating"]["list"] if each["type"] == "query"]
    return [*queries, *(target["expr"] for panel in board["panels"] for target in panel["targets"])]


def test_every_series_and_label_is_one_that_a_node_has() -> None:
    metrics = Metrics()
    families = list(text_string_to_metric_families(metrics.text().decode()))
    known = {family.name + end for family in families for end in SERIES.get(family.type, ())}
    labels = {
        label
        for metric in vars(metrics).values()
        if isinstance(metric, MetricWrapperBase)
        for label in metric._labelnames
    }
    for expression in expressions():
        used = set(re.findall(r"otklik_\w+", expression))
        assert used <= known, expression
        grouped = {
            word.strip() for group in re.findall(r"by \(([^)]*)\)", expression) for word in group.split(",")
        }
        matched = set(re.findall(r"[{ ](\w+)(?:=|!=|=~)\"", expression))
        assert grouped | matched <= labels | SCRAPED, expression


def test_everything_that_a_node_measures_is_shown() -> None:
    shown = " ".join(expressions())
    families = text_string_to_metric_families(Metrics().text().decode())
    measured = [family.name for family in families if not family.name.endswith("_created")]
    assert [name for name in measured if name not in shown] == []


def test_panels_do_not_lie_over_one_another() -> None:
    panels = json.loads(BOARD.read_text(encoding="utf-8"))["panels"]
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24, "Grafana's grid has 24 columns"
