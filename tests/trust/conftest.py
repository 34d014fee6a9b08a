"""The node whose calls meet faults."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.node.running import RunningNode, running_node
from tests.trust.faults import RTP_TIMEOUT_S


@pytest.fixture(scope="session")
def faulty() -> Iterator[RunningNode]:
    """A node of these tests alone: each of them leaves it well."""
    with running_node(sip={"rtp_timeout_s": RTP_TIMEOUT_S}) as node:
        yield node
