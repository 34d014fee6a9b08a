"""What a bad network does, by itself: as often as it says, and the same again with the same seed."""

from __future__ import annotations

from itertools import groupby

import pytest

from bot.sim.network import OVERTAKEN_S, Fate, Network

PACKETS = 50_000


def fates(fate: Fate) -> list[float | None]:
    return [fate() for _ in range(PACKETS)]


@pytest.mark.parametrize("run", [1, 4])
@pytest.mark.parametrize("loss", [0.05, 0.2])
def test_so_many_are_lost_in_such_runs(loss: float, run: float) -> None:
    found = fates(Network(loss=loss, run=run).to_node())
    assert found.count(None) / PACKETS == pytest.approx(loss, rel=0.1)
    lengths = [len(list(group)) for lost, group in groupby(found, lambda late: late is None) if lost]
    spread = 1 / (1 - loss) if run == 1 else run  # even loss has runs as well, by chance
    assert sum(lengths) / len(lengths) == pytest.approx(spread, rel=0.1)


def test_jitter_is_within_its_bound_and_some_are_overtaken() -> None:
    found = fates(Network(jitter_s=0.02, reorder=0.1).to_phone())
    late = [each for each in found if each is not None]
    assert len(late) == PACKETS
    overtaken = [each for each in late if each >= OVERTAKEN_S]
    assert len(overtaken) / PACKETS == pytest.approx(0.1, rel=0.1)
    assert max(each for each in late if each < OVERTAKEN_S) <= 0.02


def test_the_same_seed_does_the_same_and_each_way_its_own() -> None:
    network = Network(loss=0.3, jitter_s=0.01)
    assert fates(network.to_node()) == fates(network.to_node())
    assert fates(network.to_node()) != fates(network.to_phone())
    assert fates(network.to_node()) != fates(Network(loss=0.3, jitter_s=0.01, seed=2).to_node())


@pytest.mark.parametrize(("deaf_to", "heard"), [("caller", (False, True)), ("node", (True, False))])
def test_one_way_is_cut(deaf_to: str, heard: tuple[bool, bool]) -> None:
    network = Network.model_validate({"deaf_to": deaf_to})
    assert (network.to_node()() is not None, network.to_phone()() is not None) == heard
