"""The nodes whose calls meet faults."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.node.running import SHORT_SURVEYS, RunningNode, running_node
from tests.trust.clustered import Clustered, clustered
from tests.trust.faults import RTP_TIMEOUT_S

SURVEYS = Path(__file__).parent / "data" / "surveys"
RING_S = 25
"""In the place of 5 s: a telephone rings until a test is done with it."""


@pytest.fixture(scope="session")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    """A node of these tests alone: each of them leaves it well."""
    surveys = tmp_path_factory.mktemp("surveys")
    for file in (*SHORT_SURVEYS.glob("*.yaml"), *SURVEYS.glob("*.yaml")):
        shutil.copy(file, surveys)
    with running_node(
        surveys=surveys,
        sip={"rtp_timeout_s": RTP_TIMEOUT_S},
        handover={"ring_s": RING_S},
        inbound={"routes": {survey: survey for survey in ("csat", "nps")}},
    ) as node:
        yield node


@pytest.fixture(scope="session")
def clustered_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clustered]:
    """For faults of what a node of a cluster shares, and of its own processes; each test leaves it well."""
    with clustered(tmp_path_factory.mktemp("clustered")) as made:
        yield made
