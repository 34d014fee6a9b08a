"""Callers on bad networks, and callers that hold, renegotiate, move or vanish.

What is lost, late or overtaken is drawn by `bot.sim.network` at the caller's own socket, each way.
"""

from __future__ import annotations

from typing import Any

from tests.node.test_calls import ANSWERS, YES

AT_ONCE = 8
HOLD_S = 3.0

NETWORKS: dict[str, dict[str, Any]] = {
    "loss-5": {"loss": 0.05, "run": 2},
    "loss-20": {"loss": 0.2, "run": 2},
    "jitter-60-ms": {"jitter_s": 0.06},
    "reordered": {"reorder": 0.2},
    "caller-hears-nothing": {"deaf_to": "node"},
    "node-hears-nothing": {"deaf_to": "caller"},
}

PRESSED = {"nps": {"keys": "9"}, "resolved": {"keys": "1"}}
"""Of somebody who cannot hear where he talks over the bot."""

IN_THE_MIDDLE: dict[str, list[dict[str, Any]]] = {
    "held": [{"hold_s": HOLD_S}, YES],
    "renegotiated": [{"reinvite": True}, YES],
    "moved": [{"rebind": True}, {"reinvite": True}, YES],
    "moved-unsaid": [{"rebind": True}, YES],
    "vanished": [{"vanish": True}],
}
"""What a caller does when the second question is put."""


def answers_of(network: dict[str, Any]) -> dict[str, Any]:
    return ANSWERS | PRESSED if network.get("deaf_to") == "node" else ANSWERS


def calls() -> list[dict[str, Any]]:
    bad = [
        {"name": name, "answers": answers_of(network), "caller": {"network": network}, "limit_s": 60}
        for name, network in NETWORKS.items()
    ]
    doing = [
        {"name": name, "answers": {**ANSWERS, "resolved": steps}, "limit_s": 40}
        for name, steps in IN_THE_MIDDLE.items()
    ]
    return [*bad, *doing]
