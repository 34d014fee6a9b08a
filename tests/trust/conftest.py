"""The nodes whose calls meet faults."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.node.running import RunningNode, running_node
from tests.trust.clustered import Clustered, clustered
from tests.trust.faults import RTP_TIMEOUT_S


@pytest.fixture(scope="session")
def faulty() -> Iterator[RunningNode]:
    """A node of these tests alone: each of them leaves it well."""
    with running_node(sip={"rtp_timeout_s": RTP_TIMEOUT_S}) as node:
        yield node


@pytest.fixture(scope="session")
def clustered_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clustered]:
    """For faults of what a node of a cluster shares, and of its own processes; each test leaves it well."""
    with clustered(tmp_path_factory.mktemp("clustered")) as made:
        yield made
