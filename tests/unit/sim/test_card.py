"""The simulated card by itself; tests/hw compares it with the RTL."""

from typing import Any

import numpy as np
import pytest

from nvnmd.fpga.plan import named
from nvnmd.sim import CardSizes, PipelineSizes, SimError, Status, _cycles, atom_packets, packets, simulate_card
from nvnmd.sim.card import check_packets

LETTER, FAST = (CardSizes.from_parameters(named(name).parameters) for name in ("letter", "fast"))
SMALL = CardSizes(PipelineSizes(m1=4, m2=2, layers=2, width=8, lanes=2, net_lanes=3, columns=2, atoms=4, wait=64))


def some(count: int, most: int = 40, seed: int = 0) -> Any:
    return np.random.default_rng(seed).integers(0, most + 1, count)


@pytest.mark.parametrize(("sizes", "cycles"), [(LETTER, 43), (FAST, 15)])
def test_the_named_cards_take_an_atom_at_their_rate(sizes: CardSizes, cycles: int) -> None:
    trace = simulate_card(sizes, atom_packets(np.full(100, 29)))
    assert trace.cycles_per_atom == cycles
    assert trace.bus_in == 100 * 4
    assert trace.bus_out == 100 * 8


@pytest.mark.parametrize("sizes", [LETTER, FAST, SMALL], ids=["letter", "fast", "small"])
@pytest.mark.parametrize("traffic", [(0.0, 0.0), (0.0, 0.3), (0.2, 0.05)], ids=str)
def test_shortcuts_change_no_cycle(sizes: CardSizes, traffic: tuple[float, float]) -> None:
    rows, (idle, stall) = check_packets(sizes, atom_packets(some(150))), traffic
    short, whole = sizes.native(), sizes.native()
    slow = whole.pipeline
    slow.shortcuts = False
    whole.pipeline = slow
    a, b = (_cycles.play_card(card, rows, 3, idle, stall, 2) for card in (short, whole))
    assert short.pipeline.shortcuts
    assert not whole.pipeline.shortcuts
    for key in a:
        assert np.array_equal(a[key], b[key]), key


def test_packets_pass_the_places_in_order() -> None:
    trace = simulate_card(SMALL, atom_packets(some(80)), idle=0.2, stall=0.2, seed=1, keep="beats")
    assert (np.diff(trace.packets, axis=0) > 0).all()
    assert (np.diff(trace.packets, axis=1) > 0).all()
    assert (np.diff(trace.atoms, axis=1) > 0).all()
    assert len(trace.entered) == trace.bus_in
    assert len(trace.left) == trace.bus_out
    assert all(0 < trace.most[store] <= depth for store, depth in trace.depths.items())


def test_without_a_model_atoms_are_answered_and_not_evaluated() -> None:
    rows = packets([1, 2, 4, 1], 0, [5, 1, 1, 5], [1, 1, 1, 1], [0, 0, 1, 0])
    trace = simulate_card(CardSizes(SMALL.pipeline, loaded=False), rows)
    assert len(trace.atoms) == 1
    assert trace.bus_out == 1 + 1 + 1 + 2


def test_a_load_waits_until_the_atoms_ahead_have_left() -> None:
    rows = packets([1, 1, 2, 4, 1], 0, [8, 8, 1, 1, 8], [2, 2, 1, 1, 2], [0, 0, 0, 1, 0])
    trace = simulate_card(SMALL, rows)
    assert trace.waits["load waits at the fence"] > 0
    left = trace.atoms[:, -1]
    assert left[1] < trace.packets[2, 2] < trace.packets[3, 2] < trace.atoms[2, 0]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ((1, Status.OK, 5, 2), "status 0, 5 body words and 2 beats"),
        ((1, Status.OK, 65, 9), "65 body words"),
        ((1, Status.TRUNCATED, 5, 1), "status 6"),
        ((1, Status.BAD_CHECKSUM, 20, 1), "status 2"),
    ],
)
def test_packets_that_cannot_be(row: tuple[int, ...], message: str) -> None:
    with pytest.raises(SimError, match=message):
        simulate_card(SMALL, packets(*([value] for value in row)))


def test_cards_that_cannot_be() -> None:
    with pytest.raises(SimError, match="1, 2 or 4 lanes"):
        CardSizes(PipelineSizes(lanes=3))
    with pytest.raises(SimError, match="does not hold the neighbors of one atom"):
        CardSizes(PipelineSizes(wait=32))
    with pytest.raises(SimError, match="probabilities"):
        simulate_card(SMALL, atom_packets([1]), idle=1.0)
    with pytest.raises(SimError, match="keep"):
        simulate_card(SMALL, atom_packets([1]), keep="all")
