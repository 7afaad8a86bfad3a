"""The simulated pipeline by itself; tests/hw compares it with the RTL."""

import numpy as np
import pytest

from nvnmd.sim import PipelineSizes, SimError, simulate

LETTER = PipelineSizes()
FAST = PipelineSizes(m1=16, m2=4, layers=2, width=64, lanes=4, net_lanes=4, columns=2, atoms=32, wait=512)


@pytest.mark.parametrize(("sizes", "fewest"), [(LETTER, 43), (FAST, 16)])
def test_the_slowest_stage_sets_the_rate(sizes: PipelineSizes, fewest: int) -> None:
    assert sizes.fewest_cycles == fewest
    for neighbors in (0, 1, fewest * sizes.lanes, (fewest + 20) * sizes.lanes):
        beats = sizes.beats(np.full(60, neighbors))
        trace = simulate(sizes, beats)
        assert trace.cycles_per_atom == max(fewest, beats[0])


def test_packets_pass_the_places_in_order() -> None:
    beats = np.random.default_rng(0).integers(1, 60, 200)
    trace = simulate(LETTER, beats, idle=0.1, stall=0.2, seed=3, keep_beats=True)
    assert (np.diff(trace.atoms, axis=0) > 0).all(), "atoms do not overtake"
    assert (np.diff(trace.atoms, axis=1) > 0).all(), "a packet reaches each place behind the one before"
    assert (
        trace.beats["neighbors in"] == trace.beats["forces out"] == beats.sum() == len(trace.entered) == len(trace.left)
    )
    assert trace.beats["network in"] == 43 * 200
    assert (trace.left - trace.entered).min() > 0
    assert trace.waits["sink"] > 0


def test_small_stores_cost_speed_only() -> None:
    beats = np.full(80, 43)
    wide, narrow = (simulate(PipelineSizes(atoms=atoms, wait=1024), beats) for atoms in (16, 4))
    assert wide.cycles_per_atom == 43
    assert narrow.cycles_per_atom > 43
    assert narrow.waits["atom store full"] > 0 == wide.waits["atom store full"]
    assert narrow.most_atoms == 4
    assert narrow.beats == wide.beats


def test_the_same_seed_gives_the_same_cycles() -> None:
    beats = np.full(20, 7)
    first, again, other = (simulate(FAST, beats, idle=0.5, stall=0.5, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first.atoms, again.atoms)
    assert not np.array_equal(first.atoms, other.atoms)


def test_atoms_that_do_not_fit() -> None:
    with pytest.raises(SimError, match="atom 1 has 33 beats; the store of neighbors holds 32"):
        simulate(PipelineSizes(wait=32), [5, 33])
    with pytest.raises(SimError, match="at least one beat"):
        simulate(LETTER, [5, 0])


@pytest.mark.parametrize(("field", "value"), [("columns", 5), ("m2", 33), ("atoms", 12), ("wait", 1), ("layers", 0)])
def test_sizes_that_no_card_has(field: str, value: int) -> None:
    with pytest.raises(SimError, match=field):
        PipelineSizes(**{field: value})
