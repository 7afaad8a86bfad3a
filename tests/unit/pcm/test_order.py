"""Crystallinity and grains: perfect, hot and missing crystals, two grains, and freud as a second implementation."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from nvnmd.pcm.analysis import bond_vectors, crystal_order, crystallinity, growth
from nvnmd.pcm.analysis.neighbors import neighbor_blocks
from nvnmd.pcm.errors import PcmError
from nvnmd.pcm.trajectory import Snapshot


def global_order(frame, l, cutoff=3.6):  # noqa: E741
    """Q_l of the whole frame, from all its bonds."""
    from scipy.special import sph_harm_y

    block = next(iter(neighbor_blocks(frame, cutoff)))
    x, y, z = (block.vectors / block.distances[:, None]).T
    mean = [sph_harm_y(l, m, np.arccos(np.clip(z, -1, 1)), np.arctan2(y, x)).mean() for m in range(-l, l + 1)]
    return np.sqrt(4 * np.pi / (2 * l + 1) * np.sum(np.abs(mean) ** 2))


def test_order_of_the_simple_cubic_lattice(lattice):
    frame = lattice("sc", 4, 3.0)
    # Dunton, Arbaugh and Starr, table S1.
    assert_allclose([global_order(frame, 4), global_order(frame, 6)], [0.764, 0.354], atol=5e-4)
    q = bond_vectors(frame)
    assert_allclose(q @ q.conj().T, 1, atol=1e-6)


def test_bond_vectors_and_connections_are_those_of_freud(gas):
    from freud.order import SolidLiquid

    frame = gas(200, 17.0, seed=5)
    solid = SolidLiquid(l=4, q_threshold=0.5, solid_threshold=1)
    solid.compute((np.diag(frame.cell), frame.positions - 8.5), neighbors={"r_max": 3.6, "exclude_ii": True})
    assert_array_equal(crystal_order(frame, connected=0.5).connections, solid.num_connections)


@pytest.mark.parametrize(("noise", "least"), [(0.0, 1.0), (0.25, 0.9)])
def test_a_crystal_is_crystalline_and_one_grain(lattice, noise, least):
    found = crystal_order(lattice("rocksalt", 4, 6.0, ("Ge", "Te"), noise=noise))
    assert found.fraction >= least
    assert found.grain_atoms[0] >= least * 512
    assert_allclose(found.grain_diameters_nm()[0], 0.2 * (3 * found.grain_atoms[0] * 27 / 4 / np.pi) ** (1 / 3))


def test_a_gas_is_not(gas):
    found = crystal_order(gas(500, 24.6))
    assert found.fraction < 0.05
    assert len(found.grain_diameters_nm()) == 0


def test_half_a_crystal_and_two_grains(lattice):
    frame = lattice("sc", (16, 8, 8), 3.0, noise=0.05)
    left = frame.positions[:, 0] < 23.9
    angle = np.radians(35)
    turn = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    turned = frame.positions.copy()
    turned[~left] = (turned[~left] - [36, 10.5, 10.5]) @ turn.T + [36, 10.5, 10.5]
    apart = Snapshot(turned, np.diag([48.0, 40, 40]), frame.symbols)
    found = crystal_order(apart)
    large = found.grain_atoms[found.grain_atoms > 50]
    assert len(large) == 2
    assert set(found.grain[left & found.crystalline].tolist()).isdisjoint(
        found.grain[~left & found.crystalline].tolist()
    )
    random = frame.positions.copy()
    random[left] = np.random.default_rng(0).uniform(0, 24, (int(left.sum()), 3))
    half = crystal_order(Snapshot(random, frame.cell, frame.symbols))
    assert half.crystalline[~left].mean() > 0.9
    assert half.crystalline[left].mean() < 0.1


def moving_front(lattice, thickness, step):
    frame = lattice("sc", (5, 5, 30), 3.0, noise=0.02)
    liquid = frame.positions[:, 2] > thickness
    count = int(liquid.sum())
    frame.positions[liquid] = np.random.default_rng(step).uniform([0, 0, thickness], [15, 15, 90], (count, 3))
    return Snapshot(frame.positions, frame.cell, frame.symbols, step)


def test_growth_of_a_front_at_a_known_velocity(lattice):
    # Each of the two faces moves by 0.06 A/ps, that is 6 m/s.
    frames = [moving_front(lattice, 24 + 0.12 * time, round(time * 500)) for time in range(0, 250, 25)]
    found = growth(frames, timestep_fs=2.0)
    assert_allclose(found.velocity, 6.0, atol=1.0)
    assert 0 < found.error < 1.0
    assert_allclose(found.crystal_A[0], 24, atol=6)
    with pytest.raises(PcmError, match="three"):
        growth(frames[:2], 2.0)


def test_crystallinity_along_a_run(lattice, gas):
    steps, values = crystallinity([lattice("sc", 4, 3.0), gas(64, 12.0)])
    assert_array_equal(steps, [0, 0])
    assert values[0] == 1 > 0.2 > values[1]
    with pytest.raises(PcmError, match="no frame"):
        crystallinity([])
