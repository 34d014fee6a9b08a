"""The table of edges, the tests and the page say the same."""

from __future__ import annotations

import pytest

from bot.settings import PROJECT
from tests.handover import test_matrix, test_node
from tests.handover.cases import ON_STAGE, case_of
from tests.handover.edges import EDGES, FORMS, Edge

ISSUED = (
    "accepted", "declined_key", "declined_voice", "declined_button", "no_answer", "busy", "voicemail",
    "agent_unreachable", "agent_drops_in_whisper", "agent_drops_in_talk",
    "caller_hangs_up_while_ringing", "caller_hangs_up_in_whisper", "caller_changes_mind",
    "caller_returns", "refer_refused", "refer_202_silent", "refer_202_bye", "refer_failed_late",
    "two_agents_claim", "nobody_on_shift", "all_at_limit", "node_drained", "worker_killed",
    "agent_browser_closed", "agent_browser_reconnects",
)  # fmt: skip


def test_every_edge_that_was_asked_for_is_in_the_table() -> None:
    assert sorted(edge.id for edge in EDGES) == sorted(ISSUED)


@pytest.mark.parametrize("edge", EDGES, ids=lambda edge: edge.id)
def test_every_edge_has_a_test_of_its_name_and_a_case_in_each_form_that_knows_it(edge: Edge) -> None:
    name = f"test_{edge.id}"
    assert hasattr(test_matrix, name) or hasattr(test_node, name)
    assert edge.forms, "some form has it"
    assert set(edge.never) <= set(FORMS)
    assert all(edge.never.values()), "where there is no such edge, the reason is told"
    if edge.id in ON_STAGE:
        for form in edge.forms:
            assert case_of(edge.id, form)


@pytest.mark.parametrize("edge", EDGES, ids=lambda edge: edge.id)
def test_the_page_tells_of_every_edge(edge: Edge) -> None:
    page = (PROJECT / "docs" / "handover.md").read_text(encoding="utf-8")
    assert f"| `{edge.id}` |" in page
