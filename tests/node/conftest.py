"""The nodes that tests share; those that do not leave them well start one of their own."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.call.recording_keys import KeyRing
from bot.settings import PROJECT
from tests.node.running import SHORT_SURVEYS, RunningNode, running_node
from tests.postgres import Postgres, running_postgres

SHIPPED = ("triage", "triage_en")
"""Surveys of `survey_defs` that are called as they ship, beside the short ones."""


@pytest.fixture(scope="session")
def surveys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("surveys")
    shipped = [PROJECT / "survey_defs" / f"{name}.yaml" for name in SHIPPED]
    for file in (*SHORT_SURVEYS.glob("*.yaml"), *shipped):
        shutil.copy(file, folder)
    return folder


@pytest.fixture(scope="session")
def node(surveys: Path) -> Iterator[RunningNode]:
    with running_node(surveys=surveys) as running:
        yield running


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with running_postgres() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def other_node(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    """Whatever can be set otherwise: PostgreSQL, transfers by REFER, few lines, only known numbers, keys of
    recordings."""
    keys = tmp_path_factory.mktemp("keys") / "recording.keys"
    KeyRing(keys, ()).with_new(datetime.now(UTC)).save()
    with running_node(
        privacy={"recording_keys": str(keys)},
        store={"url": asyncio.run(postgres.new_database())},
        handover={"form": "blind"},
        sip={"max_calls": 4},
        inbound={"default_survey": "", "routes": {"100": "csat"}},
    ) as running:
        yield running
