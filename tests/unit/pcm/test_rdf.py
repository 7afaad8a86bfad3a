"""RDFs and coordination numbers: lattices and gases with known answers, and a brute-force second implementation."""

from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_allclose

from nvnmd.pcm.analysis import coordination_numbers, first_shell, mean_difference, partial_rdf
from nvnmd.pcm.errors import PcmError
from nvnmd.pcm.structures import crystal
from nvnmd.pcm.trajectory import Snapshot

SKEWED = np.array([[7.0, 0.5, -0.2], [-2.5, 6.0, 0.4], [1.5, 2.0, 8.0]])


def gas(cell, counts, seed):
    """Uniformly random atoms, some of them outside the cell."""
    generator = np.random.default_rng(seed)
    symbols = np.repeat(list(counts), list(counts.values()))
    return Snapshot(generator.uniform(-1, 2, (len(symbols), 3)) @ cell, cell, symbols)


def brute_force(snapshot, a, b, edges):
    """Pairs per shell, over every image that can be near enough."""
    home, others = (snapshot.positions[snapshot.symbols == element] for element in (a, b))
    fractions = np.linalg.inv(snapshot.cell)
    home, others = ((x @ fractions % 1.0) @ snapshot.cell for x in (home, others))
    counts = np.zeros(len(edges) - 1)
    for shift in product(range(-4, 5), repeat=3):
        distances = np.linalg.norm(others[None] + np.array(shift) @ snapshot.cell - home[:, None], axis=2)
        counts += np.histogram(distances[distances > 1e-9], edges)[0]
    return counts


@pytest.mark.parametrize("cell", [np.diag([9.13, 8.35, 7.07]), SKEWED, SKEWED[[1, 0, 2]]])
def test_same_pairs_as_brute_force_in_small_cells(cell):
    frames = [gas(cell, {"Ge": 5, "Te": 9}, seed) for seed in range(3)]
    rdf = partial_rdf(frames, ["Ge", "Te"], r_max_A=9.0, bins=30)
    shells = 4 / 3 * np.pi * np.diff(rdf.edges**3)
    for (a, b), ideal_pairs in {("Ge", "Ge"): 5 * 4, ("Ge", "Te"): 5 * 9, ("Te", "Te"): 9 * 8}.items():
        counts = sum(brute_force(snapshot, a, b, rdf.edges) for snapshot in frames)
        expected = counts * abs(np.linalg.det(cell)) / (len(frames) * ideal_pairs * shells)
        assert_allclose(rdf.g[a, b], expected, rtol=1e-12)
        n_a = 5 if a == "Ge" else 9
        assert_allclose(rdf.neighbors[a, b], np.cumsum(counts) / (len(frames) * n_a), rtol=1e-12)
    assert_allclose(rdf.neighbors["Te", "Ge"] * 9, rdf.neighbors["Ge", "Te"] * 5)


def test_random_atoms_give_one_for_like_and_unlike_pairs():
    frames = [gas(3 * SKEWED, {"Ge": 40, "Te": 160}, seed) for seed in range(60)]
    rdf = partial_rdf(frames, ["Ge", "Te"], r_max_A=8.0, bins=8)
    for g in rdf.g.values():
        # The last shells hold thousands of pairs each; without the N - 1 of like pairs Ge-Ge would be 0.975.
        assert_allclose(np.average(g, weights=rdf.r**2), 1.0, atol=0.012)
        assert_allclose(g[3:], 1.0, atol=0.05)


@pytest.mark.parametrize("atoms", [8, 64, 512])
def test_rocksalt_shells(atoms):
    built = crystal("GeTe", atoms)
    half_edge = (8 / 0.0337) ** (1 / 3) / 2
    snapshot = Snapshot(built.positions, built.cell.array, np.array(built.get_chemical_symbols()))
    rdf = partial_rdf([snapshot], ["Ge", "Te"], r_max_A=2.5 * half_edge, bins=200)

    def shell_sum(pair, distance):
        near = abs(rdf.r - distance * half_edge) < 0.1
        return np.diff(rdf.neighbors[pair], prepend=0.0)[near].sum()

    assert shell_sum(("Ge", "Te"), 1) == 6
    assert shell_sum(("Te", "Ge"), np.sqrt(3)) == 8
    assert shell_sum(("Ge", "Ge"), np.sqrt(2)) == 12
    assert shell_sum(("Te", "Te"), 2) == 6


def test_rotation_of_the_cell_changes_nothing():
    angle = 0.7
    rotation = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    still = gas(SKEWED, {"Ge": 6, "Te": 6}, 1)
    turned = Snapshot(still.positions @ rotation.T, still.cell @ rotation.T, still.symbols)
    for pair, g in partial_rdf([still], ["Ge", "Te"], bins=40).g.items():
        assert_allclose(partial_rdf([turned], ["Ge", "Te"], bins=40).g[pair], g, atol=1e-12)


def test_first_shell_of_a_known_curve():
    r = np.linspace(0.025, 8, 320)
    g = 1 + 2 * np.exp(-(((r - 2.8) / 0.2) ** 2)) - 0.7 * np.exp(-(((r - 3.5) / 0.2) ** 2))
    g = np.where(r < 2.2, 0, g) + 0.5 * np.exp(-(((r - 4.2) / 0.3) ** 2))
    noisy = g + np.random.default_rng(0).normal(0, 0.02, len(r))
    peak, end = first_shell(r, noisy)
    assert peak == pytest.approx(2.8, abs=0.05)
    assert end == pytest.approx(3.45, abs=0.1)


def test_no_shell_without_a_peak_or_behind_the_range():
    r = np.linspace(0.025, 8, 320)
    assert first_shell(r, np.ones_like(r)) is None
    assert first_shell(r, np.exp(-((r - 8) ** 2))) is None


def test_coordination_of_thermal_rocksalt():
    built = crystal("GeTe", 216)
    generator = np.random.default_rng(5)
    frames = [
        Snapshot(built.positions + generator.normal(0, 0.12, (216, 3)), built.cell.array, np.array(built.symbols))
        for _ in range(5)
    ]
    found = {(c.center, c.neighbor): c for c in coordination_numbers(partial_rdf(frames, ["Ge", "Te"]))}
    assert found["Ge", "Te"].number == pytest.approx(6, abs=0.02)
    assert found["Te", "Ge"].number == pytest.approx(6, abs=0.02)
    assert found["Ge", "Ge"].number == pytest.approx(12, abs=0.2)


def test_missing_frames_and_elements():
    with pytest.raises(PcmError, match="at least one"):
        partial_rdf([], ["Ge", "Te"])
    with pytest.raises(PcmError, match="step 0 has no atom of Sb"):
        partial_rdf([gas(SKEWED, {"Ge": 6, "Te": 6}, 1)], ["Ge", "Sb"])


def test_mean_difference_over_the_common_range():
    r, other = np.linspace(0, 6, 61), np.linspace(3, 10, 36)
    assert mean_difference(r, np.full_like(r, 1.0), other, np.full_like(other, 1.25)) == pytest.approx(0.25)
    # |r - 3| from 3 to 6 has the mean 1.5.
    assert mean_difference(r, r, other, np.full_like(other, 3.0)) == pytest.approx(1.5, abs=0.02)
    assert np.isnan(mean_difference(r, r, other, other, low_A=7.0))
