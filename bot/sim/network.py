"""What a bad network does to a phone's packets: a pure policy, drawn from one seeded generator.

Losses come in runs (the model of Gilbert: a packet after a lost one is lost more easily), since that is how
queues overflow and radio fades; with runs of one each packet's loss is independent of the others.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Fate = Callable[[], float | None]
"""By how many seconds the next packet is late; None where it never comes."""

OVERTAKEN_S = 0.03
"""So late comes a packet that the next one overtakes: one and a half of its 20 ms."""


def lost() -> None:
    """The fate of a packet where nothing comes through."""


class Network(BaseModel):
    """Between a simulated phone and the node, each way alike.

    `loss` is the share of packets that are lost, in runs of `run` packets on average; each other packet is
    late by up to `jitter_s`, and the share `reorder` of them by so much that the next one overtakes it.
    `deaf_to` names the only way on which nothing comes through at all. The same `seed` does the same.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    loss: float = Field(0, ge=0, lt=1)
    run: float = Field(1, ge=1, le=50)
    jitter_s: float = Field(0, ge=0, le=1)
    reorder: float = Field(0, ge=0, le=1)
    deaf_to: Literal["", "caller", "node"] = ""
    seed: int = 1

    @property
    def perfect(self) -> bool:
        return not (self.loss or self.jitter_s or self.reorder or self.deaf_to)

    def to_node(self) -> Fate:
        """The fate of what the phone sends."""
        return lost if self.deaf_to == "caller" else self._way("to node")

    def to_phone(self) -> Fate:
        """The fate of what the node sends."""
        return lost if self.deaf_to == "node" else self._way("to phone")

    def _way(self, name: str) -> Fate:
        chance = random.Random(f"{self.seed} {name}")
        stays = max(1 - 1 / self.run, self.loss)
        # So that the share of lost packets is `loss` in the long run: see the balance of the two states.
        begins = self.loss * (1 - stays) / (1 - self.loss)
        losing = False

        def fate() -> float | None:
            nonlocal losing
            losing = chance.random() < (stays if losing else begins)
            late = chance.random() * self.jitter_s
            overtaken = chance.random() < self.reorder
            if losing:
                return None
            return late + OVERTAKEN_S if overtaken else late

        return fate


PERFECT = Network()
